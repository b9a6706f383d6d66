/** handoff --cancel: the ticket is made worthless, the fence lifted, the gateway started again. */
import { FerryError, isObjectFault } from '../../base/errors.ts';
import type { Install } from '../../gateway/install/install.ts';
import { putBackUp } from '../../gateway/running/at-hand.ts';
import { liftFence } from '../../gateway/services/fence.ts';
import { cancelHandoff, isLongAfter } from '../../handoff/standing.ts';
import { parseLocation } from '../../store/location.ts';
import { installsHere } from '../installs.ts';
import { machineName } from '../members/machine-name.ts';
import { storeAt } from '../places/repositories.ts';
import type { HandoffCancelSummary } from '../output/handoff/summary.ts';
import type { Session } from '../session.ts';
import { fenceOf, fenceRequest, oldGateway } from './gateway.ts';
import { requireTwo } from './two-alive.ts';
import {
  createOnlyAt,
  dropHandoff,
  keepTaken,
  keptHandoffs,
  meantHandoff,
  openHandoffOf,
  type KeptHandoff,
} from './kept.ts';

export async function cancel(
  session: Session,
  wanted: string | undefined,
): Promise<HandoffCancelSummary> {
  const kept = meantHandoff(session, wanted);
  const { location, handoff } = kept;
  const { install } = handoff;
  const here = (await installsHere(session)).find((one) => one.install === install);
  const takenBy = await closeTicket(session, kept);
  if (takenBy !== null) await requireTwo(session, install, takenBy);
  const isStarted = await takeBack(session, kept, here);
  dropHandoff(session, location, install);
  return { verb: 'handoff', cancelled: true, install, repository: location, takenBy, isStarted };
}

/**
 * A gateway that was handed off from here comes back by a ticket of its new machine, which is fenced by now: the fence
 * here would keep its service from starting. Its old ticket is closed first, and what cannot be asked is left alone.
 */
export async function comeBack(session: Session, install: string): Promise<void> {
  const kept = keptHandoffs(session).find(({ handoff }) => handoff.install === install);
  if (!kept) return;
  const { location, handoff } = kept;
  try {
    const here = (await installsHere(session)).find((one) => one.install === install);
    await closeTicket(session, kept);
    await takeBack(session, { location, handoff: { ...handoff, stopped: undefined } }, here);
    dropHandoff(session, location, install);
  } catch (error) {
    if (!(error instanceof FerryError) || session.signal.aborted) throw error;
    const message = `the fence of ${install} here stays up: ${error.message}`;
    const hint = `Its service does not start until it is lifted: stateferry handoff ${install} --cancel`;
    session.emit({ type: 'notice', code: 'fence-stays', message, hint });
  }
}

/** Answers the machine that was quicker; null: nobody was. */
async function closeTicket(session: Session, kept: KeptHandoff): Promise<string | null> {
  const { location, handoff } = kept;
  if (!handoff.offer) return null;
  const place = parseLocation(location, session.environment.workingFolder);
  const store = await storeAt(session, place);
  const state = session.settings.repository(location)?.machine;
  const machine = state?.machine ?? machineName(undefined);
  const { random, clock, emit, signal } = session;
  const createOnly = createOnlyAt(session, place);
  const deps = { store, machine, random, clock, emit, createOnly };
  const claim = await cancelHandoff(openHandoffOf(handoff.offer), deps, session.signal).catch(
    (error: unknown) => {
      if (!isObjectFault(error)) throw error;
      // Garbage in the claim's place may hide one: the fence is lifted as for a claim that can be read.
      session.emit({ type: 'problem', path: 'claim', code: error.code, message: error.message });
      return { what: 'taken', machine: UNREADABLE, time: undefined } as const;
    },
  );
  if (claim.what === 'taken') {
    const { time, machine: by } = claim;
    if (time !== undefined) keepTaken(session, kept, { time, machine: by });
    return by;
  }
  session.emit({
    type: 'notice',
    code: 'ticket-cancelled',
    message: 'nobody can take over with the ticket any more',
    hint: 'Who has fetched its grant keeps the addresses until they end: to be sure, rotate the access key.',
  });
  // Cancelled now, since the claim was gone: whoever made it has the gateway all the same.
  const isUnknown = isLongAfter(Date.parse(handoff.offer.endsAt), await store.dateMs(signal));
  return handoff.offer.taken?.machine ?? (isUnknown ? UNKNOWN : null);
}

const UNREADABLE = 'a machine whose claim cannot be read';
/** Claims are not kept for ever. */
const UNKNOWN = 'a machine that nothing tells of any more (the ticket ended more than a year ago)';

/** Whether the gateway runs again. */
async function takeBack(
  session: Session,
  { handoff }: KeptHandoff,
  here: Install | undefined,
): Promise<boolean> {
  const { environment } = session;
  const place = here ?? { install: handoff.install, home: environment.home };
  const request = fenceRequest(session, place);
  const gateway = here && (await oldGateway(session, here));
  if (handoff.fence && !(gateway && here)) {
    throw new FerryError('install-not-found', `${handoff.install} is not here any more`, {
      hint: 'Its fence can be lifted only where it is: put its state dir back, or name its home (--home DIR).',
    });
  }
  if (handoff.fence && gateway && here) {
    await liftFence(fenceOf(handoff.fence, here), request, gateway.fencing, session.signal);
  }
  if (!gateway || !handoff.stopped) return false;
  const stopped = { ...handoff.stopped, environment: undefined };
  return putBackUp(stopped, gateway.atHand, gateway.control);
}
