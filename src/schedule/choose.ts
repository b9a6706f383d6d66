/** Which scheduler this machine has. */
import { FerryError } from '../base/errors.ts';
import { cronPlan } from './cron.ts';
import { tell, type TimerDeps } from './scheduler-command.ts';
import { launchdPlan } from './launchd.ts';
import type { Scheduler } from './record.ts';
import { systemdPlan } from './systemd.ts';
import type { Command, Timer, TimerPlan } from './timer.ts';

export type ChooseRequest = {
  /** As typed; undefined: the first that is there. */
  readonly wanted: Scheduler['kind'] | undefined;
  readonly platform: string;
  readonly isRoot: boolean;
};

/** @throws scheduler-missing */
export async function chooseScheduler(
  { wanted, platform, isRoot }: ChooseRequest,
  timer: Timer,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<Scheduler> {
  const scope = isRoot ? 'system' : 'user';
  const all: readonly (Scheduler & { readonly ask: Command })[] = [
    { kind: 'systemd', scope, ask: systemctlShow(scope) },
    { kind: 'launchd', scope, ask: ['launchctl', 'version'] },
    { kind: 'cron', scope: 'user', ask: ['crontab', '-l'] },
  ];
  for (const { ask, ...scheduler } of all) {
    if (wanted !== undefined && wanted !== scheduler.kind) continue;
    if (scheduler.kind === 'launchd' && platform !== 'darwin' && wanted === undefined) continue;
    if (await isThere(scheduler, ask, deps, signal)) return scheduler;
  }
  throw missing(wanted, timer);
}

export function planFor(timer: Timer, { kind, scope }: Scheduler): TimerPlan {
  if (kind === 'cron') return cronPlan(timer);
  return kind === 'systemd' ? systemdPlan(timer, scope) : launchdPlan(timer, scope);
}

const systemctlShow = (scope: Scheduler['scope']): Command => [
  'systemctl',
  ...(scope === 'user' ? ['--user'] : []),
  'show',
  '--property=Version',
];

/** Whoever has no crontab yet is told so by a failure, and whoever is not allowed one too. */
async function isThere(
  { kind }: Scheduler,
  ask: Command,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { exit, stderr } = await tell(ask, deps, signal);
  return exit === 0 || (kind === 'cron' && exit === 1 && !/not allowed|permission/i.test(stderr));
}

function missing(wanted: Scheduler['kind'] | undefined, { command }: Timer): FerryError {
  const whom = wanted ?? 'systemd, launchd and cron';
  return new FerryError(
    'scheduler-missing',
    `this machine has no scheduler that answers: asked ${whom}`,
    {
      hint:
        'Install cron, or let whatever starts things on this machine run once a day what it shall do ' +
        `(push, check, prune, …): ${command[0]} ${command[1]} push`,
    },
  );
}
