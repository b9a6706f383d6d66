/** mirror: the same repository in a second place. */
import { assert } from '../../base/errors.ts';
import { mirror } from '../../maintenance/mirror.ts';
import { pinnedHalves } from '../../repository/machine.ts';
import { printLocation } from '../../store/location.ts';
import { argument, flag } from '../call.ts';
import { exitOfProblems } from '../checking.ts';
import { startCost } from '../cost.ts';
import { seenAt } from '../history.ts';
import { stateOf, storeAt } from '../repositories.ts';
import { locationFrom, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runMirror(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const [source, target] = [0, 1].map((at) => locationFrom(session, argument(call, at)));
  assert(source && target, 'both are required arguments');
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
