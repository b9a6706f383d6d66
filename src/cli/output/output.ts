/**
 * Where a command's words go. stdout is the answer, stderr the talk; with `--json` stdout is JSON Lines: events as
 * they happen, then one summary or one error.
 */
import type { Emit } from '../../base/events.ts';
import type { Failure } from './failure.ts';
import type { AnswerItem } from './items.ts';
import type { LeaveSummary, Summary } from './summary.ts';
import type { RevokePlanShown } from './members/machines-summary.ts';
import type { ForgetPlanShown } from './keeping/forget-summary.ts';
import type { PrunePlanShown } from './keeping/prune-summary.ts';
import type { RepackPlanShown } from './keeping/repack-summary.ts';
import type { RepairPlanShown } from './keeping/repair-summary.ts';
import type { UndoSummary, WayBack } from './pull/summary.ts';
import type { SchedulePlan } from './schedule/summary.ts';

export type Output = {
  /** What the engine says while it works. */
  readonly emit: Emit;
  /** A piece of an answer that comes in pieces. */
  item(item: AnswerItem): void;
  /** Bytes of a file on stdout. From the first call on, everything else goes to stderr. */
  payload(bytes: Uint8Array): Promise<void>;
  /** A step of something longer, for people to follow. */
  step(text: string): void;
  /** What is about to happen, before it does. */
  plan(plan: AnyPlanShown): void;
  finish(summary: Summary, exit: number): void;
  fail(failure: Failure): void;
};

/** Those with a verb; a pull's has none. */
export type AnyPlanShown =
  | PlanShown
  | UndoPlanShown
  | LeaveSummary
  | RevokePlanShown
  | ForgetPlanShown
  | PrunePlanShown
  | RepackPlanShown
  | RepairPlanShown
  | SchedulePlanShown;

export type PlanShown = {
  readonly install: string;
  readonly snapshot: string;
  readonly files: number;
  readonly bytes: number;
  readonly placed: readonly {
    readonly root: string;
    readonly from: string;
    readonly to: string;
    readonly aside: readonly string[];
  }[];
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly cli: string | undefined;
  /** Runs here now, and will be stopped. */
  readonly gateway:
    | { readonly why: string; readonly pid: number | undefined; readonly port: number }
    | undefined;
  readonly doctor: boolean;
  readonly restart: boolean;
};

export type UndoPlanShown =
  | ({
      readonly verb: 'undo';
      readonly gateways: readonly { readonly why: string; readonly startsAgain: boolean }[];
      readonly services: readonly string[];
    } & Pick<UndoSummary, 'installs' | 'since' | 'putBack' | 'pulled'>)
  | {
      readonly verb: 'discard';
      readonly kept: readonly Pick<WayBack, 'installs' | 'since' | 'aside'>[];
    };

export type SchedulePlanShown = { readonly verb: 'schedule' } & SchedulePlan;

export type OutputChoices = {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
};

/** A stream as far as words need it; tests bring their own. */
export type Sink = {
  readonly isTerminal: boolean;
  /** Columns of the terminal at this moment. */
  columns(): number;
  write(text: string): void;
  /** Resolves when there is room for more. */
  writeBytes(bytes: Uint8Array): Promise<void>;
  /**
   * Why nothing arrives any more: whoever read it has gone (`… | head`), which is no failure, or it cannot be written
   * (no-space, file-write). Undefined as long as it does.
   */
  over(): Error | undefined;
};

/** Why a command stops that only had somebody to write to who has gone. No failure. */
export const READER_GONE = new Error('the reader of the answer has gone');

export type Sinks = { readonly stdout: Sink; readonly stderr: Sink };
