/** What `schedule install` is asked for, as typed. */
import { FerryError } from '../../base/errors.ts';
import {
  EVERY,
  type Every,
  type Job,
  type JobName,
  type Scheduler,
} from '../../schedule/record.ts';
import { textOption } from '../call.ts';
import type { Call } from '../verb.ts';

export type ScheduleWish = {
  readonly at: string;
  readonly scheduler: Scheduler['kind'] | undefined;
  readonly jobs: readonly Job[];
};

const AT_DEFAULT = '03:30';
/** Every byte in twenty runs. */
const SAMPLE = '--read-data=5%';

/** @throws usage */
export function scheduleWish(call: Call): ScheduleWish {
  const jobs: Job[] = [
    ...(call.options['push'] === false ? [] : [job('push', 'daily', ['--all'])]),
    ...optional(call, 'check', [SAMPLE]),
  ];
  if (jobs.length === 0) {
    throw new FerryError('usage', 'nothing is left to do with --no-push alone', {
      hint: 'Add what this machine shall do: --check, for one.',
    });
  }
  return {
    at: timeOfDay(textOption(call, 'at') ?? AT_DEFAULT),
    scheduler: schedulerKind(textOption(call, 'scheduler')),
    jobs,
  };
}

const job = (name: JobName, every: Every, words: readonly string[]): Job => ({
  job: name,
  every,
  words: [...words],
});

/** `--check`, `--check weekly`. */
function optional(call: Call, name: JobName, words: readonly string[]): Job[] {
  const typed = call.options[name];
  if (typed === undefined) return [];
  const every = typed === true ? 'weekly' : EVERY.find((one) => one === typed);
  if (every !== undefined) return [job(name, every, words)];
  throw new FerryError('usage', `--${name}: that is no rhythm for it`, {
    hint: `Give one of ${EVERY.join(', ')}: --${name} weekly`,
  });
}

function timeOfDay(typed: string): string {
  const match = /^(\d{1,2}):(\d{2})$/.exec(typed);
  const [, hour = '', minute = ''] = match ?? [];
  if (match && Number(hour) < 24 && Number(minute) < 60)
    return `${hour.padStart(2, '0')}:${minute}`;
  throw new FerryError('usage', `--at ${typed} is no time of day`, {
    hint: `Give hours and minutes, as --at ${AT_DEFAULT}`,
  });
}

function schedulerKind(typed: string | undefined): Scheduler['kind'] | undefined {
  if (typed === undefined) return undefined;
  if (typed === 'systemd' || typed === 'launchd' || typed === 'cron') return typed;
  throw new FerryError('usage', `--scheduler ${typed} is none that stateferry knows`, {
    hint: 'Give systemd, launchd or cron; without it the one that is there is taken.',
  });
}
