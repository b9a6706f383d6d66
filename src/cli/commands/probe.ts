/** probe: does this store behave? */
import { printLocation } from '../../store/location.ts';
import { optionalArgument } from '../call.ts';
import { probe, rememberProbe } from '../places/probing.ts';
import { locationFrom, meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runProbe(call: Call, session: Session): Promise<Report> {
  const typed = optionalArgument(call, 0);
  const location = typed === undefined ? meantLocation(session) : locationFrom(session, typed);
  const report = await probe(session, location);
  const repository = printLocation(location);
  if (session.settings.repository(repository)) rememberProbe(session, location, report);
  return { summary: { verb: 'probe', repository, report } };
}
