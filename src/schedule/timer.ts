/**
 * A timer as plain data. Each scheduler turns one description into the files it wants and the commands to run; nothing
 * is touched until `install-timer.ts` performs that.
 */
import { FerryError } from '../base/errors.ts';
import type { Scheduler } from './record.ts';

export type Timer = {
  /** Absolute paths of Node and of this tool, then what it is to do. */
  readonly command: readonly string[];
  /** Beside what the scheduler gives everybody; never a secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** `HH:MM`. The timer fires at that minute of every hour; the tool knows what is due. */
  readonly at: string;
  readonly user: TimerUser;
};

export type TimerUser = {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
};

export type Command = readonly string[];

export type TimerFile = { readonly path: string; readonly text: string };

export type TimerPlan = {
  readonly scheduler: Scheduler;
  readonly files: readonly TimerFile[];
  /** Lines of the user's crontab, which holds others too. */
  readonly crontab: string | undefined;
  /** Makes the scheduler read what was written. */
  readonly reload: readonly Command[];
  /** One run as the timer will do it, and what ends it early. */
  readonly prove:
    | { readonly by: 'service'; readonly start: Command; readonly stop: Command }
    | {
        readonly by: 'command';
        readonly command: Command;
        readonly environment: Timer['environment'];
      };
  readonly enable: readonly Command[];
  /** Before the files are removed. */
  readonly disable: readonly Command[];
  /** After the files are gone; whatever these say is fine. */
  readonly tidy: readonly Command[];
  /** Files that the scheduler makes for a timer of its own accord, and leaves. */
  readonly traces: readonly string[];
  /** Says whether it is switched on: exit 0. Undefined where there is nothing to ask. */
  readonly ask: Command | undefined;
};

/**
 * Units, plists and crontabs are lines of text: what holds the end of one would go on as somebody else's words.
 * @throws usage
 */
export function refuseUnfit({ command, environment, user }: Timer): void {
  const { name, home } = user;
  const words = [...command, ...Object.entries(environment).flat(), home];
  const unfit =
    words.find((word) => CONTROLS.test(word)) ?? (/[/\s]/.test(name) ? name : undefined);
  if (unfit === undefined) return;
  throw new FerryError('usage', `no timer can be told of ${JSON.stringify(unfit)}`, {
    hint: 'It is no single line, or no name of a user. Give it another name.',
  });
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

export const minuteOf = (at: string): number => Number(at.slice(3));

/** What every scheduler gives to what it starts, and nothing of a shell. */
export const bareEnvironment = ({ user, environment }: Timer): Record<string, string> => ({
  HOME: user.home,
  LOGNAME: user.name,
  USER: user.name,
  SHELL: '/bin/sh',
  PATH: '/usr/bin:/bin',
  ...environment,
});
