/** handoff: the last push of a gateway, its fence, and the ticket. */
import { assert, FerryError } from '../../base/errors.ts';
import type { Install } from '../../gateway/install/install.ts';
import { handOff } from '../../handoff/handoff.ts';
import type { Offer } from '../../handoff/offer.ts';
import { writerOf, type HighWaterMark } from '../../repository/machine.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { refuseRevoked } from '../../repository/revocations.ts';
import { printLocation, type Location } from '../../store/location.ts';
import type { PushedInstall } from '../output/push/summary.ts';
import { pushInstalls, type PushOutcome } from '../push/push-installs.ts';
import { stateOf } from '../places/repositories.ts';
import type { Session } from '../session.ts';
import { Begun } from './begun.ts';
import { oldGateway } from './gateway.ts';
import { createOnlyAt, offerKept } from './kept.ts';
import { fenceOld, stopOld } from './stop-and-fence.ts';

export type Made = {
  readonly pushed: PushedInstall;
  readonly offer: Offer;
  readonly isFenced: boolean;
};

export async function makeHandoff(
  session: Session,
  location: Location,
  install: Install,
  reader: ReaderRepository,
  lifeMs: number,
): Promise<Made> {
  const gateway = await oldGateway(session, install);
  const begun = new Begun(session, printLocation(location), install);
  const old = { session, install, gateway, begun };
  const state = stateOf(session, location);
  assert(state, 'this machine has joined, or nothing could be pushed');
  // Before anything is stopped.
  const writer = writerOf(state);
  const { revoked } = reader.writers.get(writer.id) ?? {};
  refuseRevoked(revoked, { machine: state.machine, location: reader.store.location });
  const deps = {
    reader,
    writer,
    random: session.random,
    emit: session.emit,
    stop: () => stopOld(old),
    push: async () => pushedOf(await pushInstalls(session, [location], [install], NO_WISHES)),
    pushed: () => markOf(session, location),
    raiseFence: () => fenceOld(old),
    remember: (offer: Offer) => begun.keep({ offer: offerKept(offer, markOf(session, location)) }),
  };
  const request = {
    lifeMs,
    createOnly: createOnlyAt(session, location),
    folder: location.kind === 'folder' ? location.path : undefined,
  } as const;
  const made = await handOff(request, deps, session.signal);
  return { ...made, isFenced: begun.isServiceFenced };
}

const NO_WISHES = { include: [], exclude: [], label: 'handoff' };

/** @throws incomplete: what could not be read would be missing on the new machine, and here it is fenced */
function pushedOf({ snapshots }: PushOutcome): PushedInstall {
  const [pushed] = snapshots;
  assert(pushed, 'a push answers with a snapshot or throws');
  const { length } = pushed.problems;
  if (length === 0) return pushed;
  throw new FerryError('incomplete', `${length} files could not be read; nothing was handed off`, {
    hint: 'They are named above: make them readable, or leave them out (.stateferryignore), and run it again.',
  });
}

function markOf(session: Session, location: Location): HighWaterMark {
  const state = stateOf(session, location);
  const mark = state?.highWater[state.writer.id];
  assert(mark, 'a push moves the mark of its writer');
  return mark;
}
