/** How a handoff stands, by what lies beside its grant; and taking it back. */
import { toHex } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { Claim, HandoffPlace, Receipt } from '../format/claim.ts';
import { readClaim, readReceipt, storeClaim, type ClaimDeps } from '../repository/claims.ts';
import { timeText } from '../repository/objects.ts';
import { CLAIM_KEPT_MS } from '../repository/tickets-left.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { grantName } from './offer.ts';

/** What the old machine keeps of a ticket: never the key of its grant, which opens packs. */
export type OpenHandoff = HandoffPlace & {
  readonly claimKey: Uint8Array;
  readonly receiptKey: Uint8Array;
};

export type Standing = {
  readonly state: 'offered' | 'taken' | 'confirmed' | 'cancelled' | 'ended';
  readonly claim: Claim | undefined;
  readonly receipt: Receipt | undefined;
  /** It ended so long ago that a forget may have deleted its claim: none says nothing any more. */
  readonly isLongOver: boolean;
};

/** @param endsAtMs when the ticket dies */
export async function standingOf(
  store: ObjectStore,
  handoff: OpenHandoff,
  endsAtMs: number,
  signal: AbortSignal,
): Promise<Standing> {
  const claim = await readClaim(store, handoff.claimKey, handoff, signal);
  if (claim?.what === 'taken') {
    const receipt = await readReceipt(store, handoff.receiptKey, handoff, signal);
    return { state: receipt ? 'confirmed' : 'taken', claim, receipt, isLongOver: false };
  }
  const nowMs = await store.dateMs(signal);
  const isLongOver = isLongAfter(endsAtMs, nowMs);
  if (claim) return { state: 'cancelled', claim, receipt: undefined, isLongOver };
  const state = nowMs >= endsAtMs ? 'ended' : 'offered';
  return { state, claim, receipt: undefined, isLongOver };
}

export const isLongAfter = (endsAtMs: number, nowMs: number): boolean =>
  nowMs >= endsAtMs + CLAIM_KEPT_MS;

export type CancelDeps = ClaimDeps & {
  readonly store: ObjectStore;
  readonly machine: string;
  readonly emit: Emit;
};

/** The claim that lies there now: ours, or that of who was quicker. */
export async function cancelHandoff(
  handoff: OpenHandoff,
  deps: CancelDeps,
  signal: AbortSignal,
): Promise<Claim> {
  const { store, machine, random, emit } = deps;
  const time = timeText(await store.dateMs(signal));
  const wanted = { what: 'cancelled', time, machine, nonce: toHex(random(16)) } as const;
  const { claimKey } = handoff;
  const claim = await storeClaim(store, claimKey, handoff, wanted, deps, signal);
  if (claim.what === 'cancelled') await deleteGrant(handoff, store, emit, signal);
  return claim;
}

/** Without it the ticket leads nowhere; but the claim alone keeps everybody from taking over. */
async function deleteGrant(
  handoff: OpenHandoff,
  store: ObjectStore,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  try {
    await store.delete(grantName(handoff.id), signal);
  } catch (error) {
    const isRefused = error instanceof FerryError && error.code === 'store-denied';
    if (!isRefused) throw error;
    const message = 'the grant could not be deleted: these credentials may not';
    const hint = 'It is cancelled all the same. What it held dies with the ticket’s time.';
    emit({ type: 'notice', code: 'grant-left', message, hint });
  }
}
