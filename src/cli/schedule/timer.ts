/** The timer of this home as a description, and what performs it. */
import { FerryError } from '../../base/errors.ts';
import { readOwners } from '../../fs/owners.ts';
import { runProcess } from '../../process/run.ts';
import type { Schedule, Scheduler } from '../../schedule/record.ts';
import type { TimerDeps } from '../../schedule/scheduler-command.ts';
import { refuseUnfit, type Timer } from '../../schedule/timer.ts';
import { variablesForOthers } from '../../settings/environment.ts';
import { installedTool } from '../../settings/installed-tool.ts';
import { timerEnvironment } from '../../settings/timer-environment.ts';
import type { Session } from '../session.ts';

/** What a timer of this shell would be. @throws usage where the tool is not installed for good */
export function newTimer(session: Session, at: string): Timer {
  const { environment, options } = session;
  const { carried } = timerEnvironment(environment);
  const tool = installedTool(process.execPath, process.argv[1] ?? '', carried['PATH'] ?? '');
  const home = options.home === undefined ? [] : ['--home', environment.home];
  const timer = timerWith(session, at, [...tool, ...home, 'schedule', 'run', '--quiet']);
  refuseUnfit(timer);
  return timer;
}

/** One that calls what the settings say. */
export function timerWith(session: Session, at: string, command: readonly string[]): Timer {
  const { environment } = session;
  const { home, owner } = environment;
  return {
    command,
    environment: timerEnvironment(environment).carried,
    at,
    user: { name: userName(session), ...owner, home },
  };
}

export function timerDeps(session: Session): TimerDeps {
  const { owner, actsForOther } = session.environment;
  return {
    run: runProcess,
    env: variablesForOthers(session.environment),
    uid: owner.uid,
    ...(actsForOther && { owner: { ...owner, name: userName(session) } }),
  };
}

/** Only root takes away what root installed. @throws usage */
export function requireOwn(session: Session, schedule: Schedule | undefined): void {
  if (schedule?.scheduler.scope !== 'system' || isRoot(session)) return;
  throw new FerryError('usage', 'the timer of this home is one of the system: root installed it', {
    hint: `To take it away: sudo stateferry schedule remove --home ${session.environment.home}`,
  });
}

export const isSameScheduler = (one: Scheduler, other: Scheduler): boolean =>
  one.kind === other.kind && one.scope === other.scope;

export const isRoot = ({ environment }: Session): boolean =>
  environment.actsForOther || environment.owner.uid === 0;

/** macOS keeps its people elsewhere than in the password file; some ids have no name at all. */
function userName({ environment }: Session): string {
  const { owner, variables, actsForOther } = environment;
  const known = readOwners().user(owner.uid);
  if (known !== '') return known;
  const said = actsForOther ? variables['SUDO_USER'] : (variables['LOGNAME'] ?? variables['USER']);
  return said !== undefined && said !== '' ? said : String(owner.uid);
}
