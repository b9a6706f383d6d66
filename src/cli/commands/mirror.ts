/** mirror: the same repository in a second place. */
import { assert, FerryError } from '../../base/errors.ts';
import { mirror } from '../../maintenance/mirror/mirror.ts';
import { pinnedHalves } from '../../repository/machine.ts';
import { printLocation, type Location } from '../../store/location.ts';
import { argument, flag } from '../call.ts';
import { exitOfProblems } from '../keeping/checking.ts';
import { startCost } from '../cost.ts';
import { seenAt } from '../looking/history.ts';
import { stateOf, storeAt } from '../places/repositories.ts';
import { locationFrom, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runMirror(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const [source, target] = [0, 1].map((at) => locationFrom(session, argument(call, at)));
  assert(source && target, 'both are required arguments');
  refuseSamePlace(source, target);
  const from = await storeAt(session, source);
  const to = await storeAt(session, target, { createFolder: true });
  const known = stateOf(session, source);
  const mirrored = await mirror(
    {
      from,
      to,
      root: known && pinnedHalves(known).root,
      compareAll: flag(call, 'readData'),
      marks: seenAt(session, source),
      keepForgotten: flag(call, 'keepForgotten'),
    },
    session,
    session.signal,
  );
  return {
    exit: exitOfProblems([...mirrored.problems, ...mirrored.forgotten.refused]),
    summary: {
      verb: 'mirror',
      from: printLocation(source),
      to: printLocation(target),
      ...mirrored,
      ...costUntilNow([from, to]),
    },
  };
}

/** A repository is no second copy of itself, though all of it is there already. */
function refuseSamePlace(source: Location, target: Location): void {
  if (placeOf(source) !== placeOf(target)) return;
  throw new FerryError('usage', `source and target are the same place: ${printLocation(target)}`, {
    hint: 'Name another folder or bucket: what is lost in one place shall still be in the other.',
  });
}

const placeOf = (location: Location): string =>
  location.kind === 'folder'
    ? location.path
    : JSON.stringify([location.endpoint, location.bucket, location.prefix]);
