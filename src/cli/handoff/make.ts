/** handoff: the last push of a gateway, its fence, and the ticket. */
import { assert, FerryError } from '../../base/errors.ts';
import { liftFence, planFence, raiseFence } from '../../gateway/fence.ts';
import type { StoppedGateway } from '../../gateway/control.ts';
import type { Install } from '../../gateway/install.ts';
import { handOff } from '../../handoff/handoff.ts';
import type { Offer } from '../../handoff/offer.ts';
import { writerOf, type HighWaterMark } from '../../repository/machine.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { timeText } from '../../repository/objects.ts';
import { refuseRevoked } from '../../repository/revocations.ts';
import { printLocation, type Location } from '../../store/location.ts';
import type { PushedInstall } from '../output/summary-push.ts';
import { pushInstalls, type PushOutcome } from '../push-installs.ts';
import { stateOf } from '../repositories.ts';
import type { Session } from '../session.ts';
import {
  fenceOf,
  fenceRequest,
  keptFence,
  oldGateway,
  findOld,
  requireDown,
  startOld,
  stopOld,
  type OldGateway,
} from './gateway.ts';
import { createOnlyAt, dropHandoff, keepHandoff, keptHandoffs, offerKept } from './kept.ts';
import type { HandoffSettings } from '../../settings/schema.ts';

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
    stop: () => stop(session, install, gateway, begun),
    push: async () => pushedOf(await pushInstalls(session, [location], [install], NO_WISHES)),
    pushed: () => markOf(session, location),
    raiseFence: () => fence(session, install, gateway, begun),
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

/** Each step stands in the settings before it is taken, so that `--cancel` can take it back after a kill. */
class Begun {
  readonly #session: Session;
  readonly #location: string;
  readonly #before: HandoffSettings | undefined;
  #handoff: HandoffSettings;

  constructor(session: Session, location: string, { install }: Install) {
    this.#session = session;
    this.#location = location;
    // One that was killed may have stopped the gateway and disabled its service already.
    const before = keptHandoffs(session).find(({ handoff }) => handoff.install === install);
    if (before?.handoff.offer) throw alreadyOpen(install);
    this.#before = before?.handoff;
    this.#handoff = before?.handoff ?? { install, time: timeText(session.clock.nowMs()) };
  }

  get fence(): HandoffSettings['fence'] {
    return this.#handoff.fence;
  }

  get stopped(): HandoffSettings['stopped'] {
    return this.#handoff.stopped;
  }

  get isServiceFenced(): boolean {
    return this.#handoff.fence?.service !== undefined;
  }

  keep(more: Partial<HandoffSettings>): void {
    this.#handoff = { ...this.#handoff, ...more };
    keepHandoff(this.#session, this.#location, this.#handoff);
  }

  /** Everything that was begun has been taken back. */
  drop(): void {
    dropHandoff(this.#session, this.#location, this.#handoff.install);
  }

  /** Nothing was taken back: what an earlier run began stays known. */
  forget(): void {
    if (this.#before) keepHandoff(this.#session, this.#location, this.#before);
    else this.drop();
  }
}

function alreadyOpen(install: string): FerryError {
  return new FerryError('usage', `${install} is handed off already`, {
    hint: `stateferry status shows how it stands; stateferry handoff ${install} --cancel takes it back.`,
  });
}

async function stop(
  session: Session,
  install: Install,
  gateway: OldGateway,
  begun: Begun,
): Promise<() => Promise<void>> {
  const found = await findOld(gateway, session.signal);
  begun.keep(found ? { stopped: { by: 'signal', port: found.port } } : {});
  const stopped = await stopOld(gateway, session.signal).catch((error: unknown) => {
    begun.forget();
    throw error;
  });
  if (stopped) begun.keep({ stopped: { by: stopped.by, port: stopped.port } });
  return () => takeBack(session, install, gateway, begun, stopped);
}

/** Also what an earlier run that was killed had begun. Nothing that ended the rest must end this. */
async function takeBack(
  session: Session,
  install: Install,
  gateway: OldGateway,
  begun: Begun,
  stopped: StoppedGateway | undefined,
): Promise<void> {
  if (begun.fence) {
    const request = fenceRequest(session, install);
    await liftFence(
      fenceOf(begun.fence, install),
      request,
      gateway.fencing,
      new AbortController().signal,
    );
  }
  const was = stopped ?? (begun.stopped && { ...begun.stopped, environment: undefined });
  if (was) await startOld(session, gateway, was);
  begun.drop();
}

async function fence(
  session: Session,
  install: Install,
  gateway: OldGateway,
  begun: Begun,
): Promise<void> {
  const request = fenceRequest(session, install);
  const { fencing } = gateway;
  const { signal } = session;
  const planned = begun.fence
    ? fenceOf(begun.fence, install)
    : await planFence(install.service, request, fencing, signal);
  begun.keep({ fence: keptFence(planned) });
  await raiseFence(planned, request, fencing, signal);
  await requireDown(gateway, signal);
}

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
