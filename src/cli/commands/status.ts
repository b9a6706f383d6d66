/** status: how things stand. */
import { ERROR_CODES } from '../../base/errors.ts';
import { textOption } from '../call.ts';
import { gatewayLine, installsHere, sayNotices } from '../installs.ts';
import { handoffAttention, handoffLines, storePendingReceipts } from '../handoff/status.ts';
import { isWhole } from '../looking/history.ts';
import type { Session } from '../session.ts';
import {
  attentionOf,
  keptHere,
  lastPullOf,
  repositoryStatuses,
  type RepositoryStatus,
} from '../looking/standing.ts';
import { unfinishedAttention, unfinishedPulls } from '../pull/unfinished.ts';
import { ageOf } from '../schedule/age.ts';
import { oldPushes } from '../schedule/last-pushes.ts';
import { afterHandoff, scheduleShown, scheduleStanding } from '../schedule/standing.ts';
import type { Call, Report } from '../verb.ts';

export async function runStatus(call: Call, session: Session): Promise<Report> {
  const maxMs = ageOf('--max-age', textOption(call, 'maxAge'));
  const installs = await installsHere(session);
  sayNotices(session, installs);
  const repositories = await repositoryStatuses(session);
  const handoffs = await handoffLines(session);
  await storePendingReceipts(session);
  const lastPull = lastPullOf(session);
  const unfinished = unfinishedPulls(session);
  const schedule = await scheduleStanding(session);
  const now = session.clock.nowMs();
  const old =
    maxMs === undefined
      ? []
      : oldPushes(session.settings.data.repositories, installs, { now, max: maxMs });
  return {
    exit: exitOf(repositories, schedule.isOverdue || old.length > 0),
    summary: {
      verb: 'status',
      installs: installs.map(gatewayLine),
      repositories: repositories.map(({ status }) => status),
      handoffs,
      lastPull,
      unfinished,
      kept: keptHere(session),
      schedule: scheduleShown(schedule),
      attention: [
        ...attentionOf(session, installs, repositories),
        ...unfinished.filter(({ isUnderWay }) => !isUnderWay).map(unfinishedAttention),
        ...schedule.attention,
        ...old,
        ...afterHandoff(schedule, handoffs),
        ...handoffAttention(handoffs, installs),
      ],
    },
  };
}

/** The backups that this machine believes in do not count any more, or those that it made are not all there. */
function exitOf(repositories: readonly RepositoryStatus[], isOverdue: boolean): number {
  if (repositories.some(({ revoked }) => revoked)) return ERROR_CODES['machine-revoked'].exit;
  const isRolledBack = repositories.some(({ lack }) => !isWhole(lack));
  if (isRolledBack) return ERROR_CODES['history-rolled-back'].exit;
  return isOverdue ? ERROR_CODES.overdue.exit : 0;
}
