/** status: how things stand. */
import { ERROR_CODES } from '../../base/errors.ts';
import { gatewayLine, installsHere, sayNotices } from '../installs.ts';
import { handoffAttention, handoffLines, storePendingReceipts } from '../handoff/status.ts';
import { isWhole } from '../history.ts';
import type { Session } from '../session.ts';
import {
  attentionOf,
  keptHere,
  lastPullOf,
  repositoryStatuses,
  type RepositoryStatus,
} from '../standing.ts';
import { scheduleStanding, type ScheduleStanding } from '../schedule/standing.ts';
import type { Call, Report } from '../verb.ts';

export async function runStatus(_call: Call, session: Session): Promise<Report> {
  const installs = await installsHere(session);
  sayNotices(session, installs);
  const repositories = await repositoryStatuses(session);
  const handoffs = await handoffLines(session);
  await storePendingReceipts(session);
  const lastPull = lastPullOf(session);
  const schedule = await scheduleStanding(session);
  return {
    exit: exitOf(repositories, schedule),
    summary: {
      verb: 'status',
      installs: installs.map(gatewayLine),
      repositories: repositories.map(({ status }) => status),
      handoffs,
      lastPull,
      kept: keptHere(session),
      attention: [
        ...attentionOf(session, installs, repositories),
        ...schedule.attention,
        ...handoffAttention(handoffs, installs),
      ],
    },
  };
}

/** The backups that this machine believes in do not count any more, or those that it made are not all there. */
function exitOf(
  repositories: readonly RepositoryStatus[],
  { isOverdue }: ScheduleStanding,
): number {
  if (repositories.some(({ revoked }) => revoked)) return ERROR_CODES['machine-revoked'].exit;
  const isRolledBack = repositories.some(({ lack }) => !isWhole(lack));
  if (isRolledBack) return ERROR_CODES['history-rolled-back'].exit;
  return isOverdue ? ERROR_CODES.overdue.exit : 0;
}
