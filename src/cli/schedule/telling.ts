/** Who is told of what a run did: failures when they begin and once a day, recoveries, and the ping every time. */
import { runProcess } from '../../process/run.ts';
import { isToTell } from '../../schedule/due.ts';
import type { Notice } from '../../schedule/notice.ts';
import type { Notify, Schedule, Went } from '../../schedule/record.ts';
import { tellAll } from '../../schedule/tell.ts';
import { timeText } from '../../repository/objects.ts';
import { variablesForOthers } from '../../settings/environment.ts';
import { machineName } from '../members/machine-name.ts';
import type { Session } from '../session.ts';
import { isGood, type Outcome } from './jobs.ts';

/** What there is to tell of one job, by how it stood before; undefined: nothing. */
export function noticeOf(
  session: Session,
  { repositories }: Pick<Schedule, 'repositories'>,
  job: string,
  before: Went,
  outcome: Outcome,
): Notice | undefined {
  const nowMs = session.clock.nowMs();
  const notice = {
    machine: nameHere(session, repositories),
    job,
    time: timeText(nowMs),
    code: outcome.code,
    message: outcome.message,
  };
  if (!isGood(outcome)) {
    return isToTell(before, outcome.code, nowMs) ? { event: 'failed', ...notice } : undefined;
  }
  return before.told === undefined ? undefined : { event: 'recovered', ...notice };
}

/** Nothing of it fails a job; what did not arrive is said, and kept for `status`. */
export async function tell(
  session: Session,
  notify: Notify,
  notices: readonly Notice[],
  allGood: boolean | undefined,
): Promise<void> {
  const { clock, environment, signal, emit, settings } = session;
  const deps = {
    run: runProcess,
    env: variablesForOthers(environment),
    clock,
    ...(environment.actsForOther && { owner: environment.owner }),
  };
  const complaints = await tellAll(notify, notices, allGood, deps, signal);
  for (const complaint of complaints) {
    const message = `nobody could be told: ${complaint}`;
    emit({ type: 'notice', code: 'notification-failed', message });
  }
  const isTried = notices.length > 0 || notify.ping !== undefined;
  const { schedule } = settings.data;
  if (!schedule || !isTried) return;
  const untold = complaints.join('; ');
  if ((schedule.untold ?? '') === untold) return;
  settings.update((data) => {
    if (!data.schedule) return data;
    const { untold: _, ...kept } = data.schedule;
    return { ...data, schedule: untold === '' ? kept : { ...kept, untold } };
  });
}

/** That channels work is known before they are needed. */
export async function tellInstalled(session: Session, schedule: Schedule): Promise<void> {
  const { repositories, jobs, notify } = schedule;
  const notice: Notice = {
    event: 'installed',
    machine: nameHere(session, repositories),
    job: jobs.map(({ job }) => job).join(', '),
    time: timeText(session.clock.nowMs()),
    code: undefined,
    message: undefined,
  };
  await tell(session, notify, [notice], true);
}

function nameHere({ settings }: Session, repositories: readonly string[]): string {
  const named = repositories.map((one) => settings.repository(one)?.machine?.machine);
  return named.find((one) => one !== undefined) ?? machineName(undefined);
}
