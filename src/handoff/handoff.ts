/**
 * handoff on the old machine: stop → prove → push → fence → offer. Whatever fails takes back what was done before it
 * and leaves the machine as it was.
 */
import { FerryError, isObjectFault, messageOf } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { HighWaterMark } from '../repository/machine.ts';
import { readRange } from '../repository/pack-reader.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeOffer, type Offer, type OfferDeps, type OfferRequest } from './offer.ts';

export type HandoffDeps<Pushed> = OfferDeps & {
  readonly emit: Emit;
  /**
   * Stops the gateway and proves it. Answers what lifts a fence and starts the gateway again.
   * @throws gateway-unstoppable
   */
  stop(): Promise<() => Promise<void>>;
  push(): Promise<Pushed>;
  /** What this machine pushed last. */
  pushed(): HighWaterMark;
  raiseFence(): Promise<void>;
  /** Durable before the ticket is shown. */
  remember(offer: Offer): void;
};

export async function handOff<Pushed>(
  request: Omit<OfferRequest, 'snapshot'>,
  deps: HandoffDeps<Pushed>,
  signal: AbortSignal,
): Promise<{ readonly pushed: Pushed; readonly offer: Offer }> {
  await requireAccess(request.lifeMs, deps, signal);
  deps.emit({ type: 'stage', stage: 'stop', detail: 'gateway' });
  const takeBack = await deps.stop();
  try {
    const pushed = await deps.push();
    deps.emit({ type: 'stage', stage: 'fence' });
    await deps.raiseFence();
    deps.emit({ type: 'stage', stage: 'grant' });
    const offer = await storeOffer({ ...request, snapshot: deps.pushed() }, deps, signal);
    deps.remember(offer);
    return { pushed, offer };
  } catch (error) {
    await attempt(takeBack, deps.emit);
    throw error;
  }
}

/** What failed first is what is told. */
async function attempt(takeBack: () => Promise<void>, emit: Emit): Promise<void> {
  try {
    await takeBack();
  } catch (error) {
    const message = `not all could be taken back: ${messageOf(error)}`;
    const hint = 'stateferry handoff --cancel tries again.';
    emit({ type: 'notice', code: 'not-taken-back', message, hint });
  }
}

/** Always the same names, so that nothing gathers. */
const TRIALS = ['grants/trial', 'claims/trial', 'receipts/trial'] as const;
const ABSENT = 'claims/absent';
const TRIAL = new TextEncoder().encode('stateferry: may this machine store and read here?\n');

/**
 * A presigned address can do only what its signer can: tried before anything is stopped.
 * @throws store-denied
 */
async function requireAccess(
  lifeMs: number,
  { reader, writer, emit }: OfferDeps & Pick<HandoffDeps<unknown>, 'emit'>,
  signal: AbortSignal,
): Promise<void> {
  const { store } = reader;
  try {
    for (const name of TRIALS) {
      await store.put(name, TRIAL, {}, signal);
      await store.get(name, undefined, signal);
    }
    // Some servers say that what is absent is denied, to who may not list: then no claim could be looked for.
    await store.get(ABSENT, undefined, signal);
    await trySigning(store, lifeMs, emit, signal);
    await readAnyPack(store, writer.id, signal);
  } catch (error) {
    if (!(error instanceof FerryError) || error.code !== 'store-denied') throw error;
    if (error.details['session'] === true) throw error;
    throw new FerryError(
      'store-denied',
      `these credentials cannot make a ticket: they must read packs and store grants, claims and receipts`,
      {
        hint:
          'A ticket can do only what its maker can: name stronger credentials with ' +
          `--aws-profile NAME. (${error.message})`,
        cause: error,
      },
    );
  }
}

/** Credentials of a session say here, and not after the push, that they end too soon. */
async function trySigning(
  store: ObjectStore,
  lifeMs: number,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  if (!store.presign) return;
  const signedAtMs = await store.dateMs(signal);
  const { template } = await store.presign({ gets: [TRIALS[0]], puts: [], signedAtMs, lifeMs });
  if (template.token === undefined) return;
  const message = 'these credentials are of a session, whose token makes the ticket long';
  const hint = 'With an access key of its own it has some 200 characters: --aws-profile NAME';
  emit({ type: 'notice', code: 'ticket-long', message, hint });
}

async function readAnyPack(store: ObjectStore, writer: string, signal: AbortSignal): Promise<void> {
  for await (const { name } of store.list(`packs/${writer}/`, signal)) {
    await readRange(store, name, 0, 64, signal).catch((error: unknown) => {
      if (!isObjectFault(error)) throw error;
    });
    return;
  }
}
