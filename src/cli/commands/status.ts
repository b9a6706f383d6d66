/** status: how things stand. */
import { ERROR_CODES } from '../../base/errors.ts';
import { gatewayLine, installsHere, sayNotices } from '../installs.ts';
import { handoffAttention, handoffLines, storePendingReceipts } from '../handoff/status.ts';
import type { Session } from '../session.ts';
import { attentionOf, keptHere, lastPullOf, repositoryStatuses } from '../standing.ts';
import type { Call, Report } from '../verb.ts';

export async function runStatus(_call: Call, session: Session): Promise<Report> {
  const installs = await installsHere(session);
  sayNotices(session, installs);
  const repositories = await repositoryStatuses(session);
  const handoffs = await handoffLines(session);
  await storePendingReceipts(session);
  const lastPull = lastPullOf(session);
  const isRolledBack = repositories.some(({ missing }) => missing.length > 0);
  return {
    exit: isRolledBack ? ERROR_CODES['history-rolled-back'].exit : 0,
    summary: {
      verb: 'status',
      installs: installs.map(gatewayLine),
      repositories: repositories.map(({ status }) => status),
      handoffs,
      lastPull,
      kept: keptHere(session),
      attention: [
        ...attentionOf(session, installs, repositories),
        ...handoffAttention(handoffs, installs),
      ],
    },
  };
}
