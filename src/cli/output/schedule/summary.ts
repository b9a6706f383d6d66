/** What `schedule` answers with. */
import type { Attention } from '../status/summary.ts';

export type JobRun = {
  readonly job: string;
  readonly ok: boolean;
  readonly exit: number;
  readonly code: string | null;
  readonly message: string | null;
  readonly durationMs: number;
};

export type JobLine = {
  readonly job: string;
  readonly every: string;
  readonly lastOk: string | null;
  readonly lastFailed: string | null;
  /** Of the last failure, while it lasts. */
  readonly message: string | null;
  readonly next: string;
  readonly overdue: boolean;
};

export type ScheduleShown = {
  /** `systemd (user)`. */
  readonly scheduler: string;
  readonly at: string;
  readonly repositories: readonly string[];
  readonly jobs: readonly JobLine[];
};

/** What is about to be installed. */
export type SchedulePlan = {
  /** `systemd (user)`. */
  readonly scheduler: string;
  readonly at: string;
  readonly repositories: readonly string[];
  readonly jobs: readonly {
    readonly job: string;
    readonly every: string;
    /** What its verb is called with. */
    readonly words: readonly string[];
  }[];
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly crontab: string | null;
  readonly commands: readonly string[];
  /** Ways in which somebody is told; addresses are cut short. */
  readonly tells: readonly string[];
  /** Names of variables of this shell that the timer will not have. */
  readonly leftBehind: readonly string[];
};

export type ScheduleSummary =
  | ({
      readonly verb: 'schedule';
      readonly action: 'install';
      /** Only shown. */
      readonly planOnly: boolean;
      readonly proved: { readonly push: boolean; readonly installs: readonly string[] } | null;
    } & SchedulePlan)
  | {
      readonly verb: 'schedule';
      readonly action: 'status';
      /** Null: none is installed. */
      readonly schedule: ScheduleShown | null;
      readonly attention: readonly Attention[];
    }
  | {
      readonly verb: 'schedule';
      readonly action: 'remove';
      readonly removed: readonly string[];
      readonly complaints: readonly string[];
    }
  | {
      readonly verb: 'schedule';
      readonly action: 'run';
      readonly jobs: readonly JobRun[];
      /** Why nothing was done; null where something was. */
      readonly idle: string | null;
    };
