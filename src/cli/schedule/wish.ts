/** What `schedule install` is asked for, as typed. */
import { resolve } from 'node:path';
import { FerryError } from '../../base/errors.ts';
import {
  EVERY,
  type Every,
  type Job,
  type JobName,
  type Notify,
  type Scheduler,
} from '../../schedule/record.ts';
import { listOption, textOption } from '../call.ts';
import { KEEP_OPTIONS, keepRulesOf } from '../keeping/keep-rules.ts';
import type { Call } from '../verb.ts';
import { ageOf } from './age.ts';

export type ScheduleWish = {
  readonly at: string;
  readonly scheduler: Scheduler['kind'] | undefined;
  readonly jobs: readonly Job[];
  readonly watchMs: number | undefined;
  readonly notify: Notify;
};

const AT_DEFAULT = '03:30';
/** Every byte in twenty runs. */
const SAMPLE = '--read-data=5%';

/** @throws usage */
export function scheduleWish(call: Call, workingFolder: string): ScheduleWish {
  const watchMs = ageOf('--watch', textOption(call, 'watch'));
  const jobs: Job[] = [
    ...(call.options['push'] === false ? [] : [job('push', 'daily', ['--all'])]),
    ...forgetJob(call),
    ...optional(call, 'prune', ['--repack']),
    ...optional(call, 'check', [SAMPLE]),
    ...optional(call, 'drill', [`--folder=${drillFolder(call, workingFolder)}`]),
    ...(watchMs === undefined ? [] : [job('watch', 'daily', [])]),
  ];
  if (jobs.length === 0) {
    throw new FerryError('usage', 'nothing is left to do with --no-push alone', {
      hint: 'Add what this machine shall do: --watch 3d, or --check with a reader key.',
    });
  }
  return {
    at: timeOfDay(textOption(call, 'at') ?? AT_DEFAULT),
    scheduler: schedulerKind(textOption(call, 'scheduler')),
    jobs,
    watchMs,
    notify: notifyWish(call),
  };
}

const job = (name: JobName, every: Every, words: readonly string[]): Job => ({
  job: name,
  every,
  words: [...words],
});

/** On a disk: many systems keep /tmp in memory, and a drill is as large as an install. */
const drillFolder = (call: Call, workingFolder: string): string =>
  resolve(workingFolder, textOption(call, 'drillFolder') ?? '/var/tmp');

/** With keep rules, as they were typed; tried now, so that no night finds out that one is none. */
function forgetJob(call: Call): Job[] {
  const words = KEEP_OPTIONS.flatMap(({ flags }) => {
    const option = flags.split(' ')[0] ?? '';
    const name = option.slice(2).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const values = [textOption(call, name) ?? listOption(call, name)].flat();
    return values.map((value) => `${option}=${value}`);
  });
  if (words.length === 0) return [];
  keepRulesOf(call);
  return [job('forget', 'weekly', words)];
}

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

function notifyWish(call: Call): Notify {
  const command = textOption(call, 'notifyCommand');
  const webhook = address('--notify-webhook', textOption(call, 'notifyWebhook'));
  const ping = address('--ping', textOption(call, 'ping'));
  return {
    ...(command !== undefined && { command }),
    ...(webhook !== undefined && { webhook }),
    ...(ping !== undefined && { ping }),
  };
}

/** Never repeated in an error: who knows it can post there. */
function address(option: string, typed: string | undefined): string | undefined {
  if (typed === undefined || (URL.canParse(typed) && /^https?:/i.test(typed))) return typed;
  throw new FerryError('usage', `${option}: that is no address`, {
    hint: `Give a whole one, as ${option} https://hooks.example.com/abc`,
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
