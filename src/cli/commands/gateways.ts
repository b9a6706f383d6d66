/** gateways: every install and profile of this home, and how each is known. */
import { gatewayLine, installsHere, sayNotices } from '../installs.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runGateways(_call: Call, session: Session): Promise<Report> {
  const installs = await installsHere(session, 'all');
  sayNotices(session, installs);
  return { summary: { verb: 'gateways', installs: installs.map(gatewayLine) } };
}
