/** check: is everything that the snapshots need there, whole and ours? */
import { check } from '../../maintenance/check/check.ts';
import { printLocation } from '../../store/location.ts';
import { exitOfProblems, readPercent } from '../keeping/checking.ts';
import { startCost } from '../cost.ts';
import { historyProblems, openForListing } from '../looking/listing.ts';
import { readerAt } from '../places/repositories.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runCheck(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const { emit, signal } = session;
  const percent = readPercent(call.options['readData']);
  const location = meantLocation(session);
  const { repository, ownOnly } =
    percent > 0
      ? { repository: await readerAt(session, location), ownOnly: false }
      : await openForListing(session, location);
  const nowMs = await repository.store.dateMs(signal);
  const checked = await check(repository, { readPercent: percent, nowMs }, { emit }, signal);
  const problems = [
    ...checked.problems,
    ...(await historyProblems(session, location, repository, checked.problems)),
  ];
  return {
    exit: exitOfProblems(problems),
    summary: {
      verb: 'check',
      repository: printLocation(location),
      ...checked,
      problems,
      readPercent: percent,
      ownOnly,
      ...costUntilNow([repository.store]),
    },
  };
}
