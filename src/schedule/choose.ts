/** Which scheduler this machine has. */
import { FerryError } from '../base/errors.ts';
import type { RunResult } from '../process/run.ts';
import { cronPlan } from './cron.ts';
import { tell, type TimerDeps } from './scheduler-command.ts';
import { launchdPlan } from './launchd.ts';
import type { Scheduler } from './record.ts';
import { systemdPlan, unitFolderIn } from './systemd.ts';
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
    { kind: 'systemd', scope, ask: unitPathOf(scope) },
    { kind: 'launchd', scope, ask: ['launchctl', 'version'] },
    { kind: 'cron', scope: 'user', ask: ['crontab', '-l'] },
  ];
  for (const { ask, ...scheduler } of all) {
    if (wanted !== undefined && wanted !== scheduler.kind) continue;
    if (scheduler.kind === 'launchd' && platform !== 'darwin' && wanted === undefined) continue;
    const answer = await tell(ask, deps, signal);
    if (!isThere(scheduler, answer)) continue;
    const isOwn = scheduler.kind === 'systemd' && scope === 'user';
    const folder = isOwn ? unitFolderIn(answer.stdout.trim(), timer) : undefined;
    return folder === undefined ? scheduler : { ...scheduler, folder };
  }
  const isLoggedOut =
    scope === 'user' &&
    (wanted ?? 'systemd') === 'systemd' &&
    (await tell(unitPathOf('system'), deps, signal)).exit === 0;
  throw missing(wanted, timer, isLoggedOut);
}

export function planFor(timer: Timer, scheduler: Scheduler): TimerPlan {
  const { kind, scope } = scheduler;
  if (kind === 'cron') return cronPlan(timer);
  return kind === 'systemd' ? systemdPlan(timer, scheduler) : launchdPlan(timer, scope);
}

const unitPathOf = (scope: Scheduler['scope']): Command => [
  'systemctl',
  ...(scope === 'user' ? ['--user'] : []),
  'show',
  '--property=UnitPath',
  '--value',
];

/** Whoever has no crontab yet is told so by a failure, and whoever is not allowed one too. */
const isThere = ({ kind }: Scheduler, { exit, stderr }: RunResult): boolean =>
  exit === 0 || (kind === 'cron' && exit === 1 && !/not allowed|permission/i.test(stderr));

/** @param isLoggedOut systemd runs here, and no manager of this user */
function missing(
  wanted: Scheduler['kind'] | undefined,
  { command, user }: Timer,
  isLoggedOut: boolean,
): FerryError {
  const whom = wanted ?? 'systemd, launchd and cron';
  return new FerryError(
    'scheduler-missing',
    `this machine has no scheduler that answers: asked ${whom}`,
    {
      hint: isLoggedOut
        ? `systemd runs here, but nothing of ${user.name} does, who is not logged in: ` +
          `sudo loginctl enable-linger ${user.name}, then this again.`
        : 'Install cron, or let whatever starts things on this machine run once a day what it shall do ' +
          `(push, check, prune, …): ${command[0]} ${command[1]} push`,
    },
  );
}
