/** Who has taken over with a ticket, and how it went: one claim and one receipt lie beside each grant. */
import type { Clock } from '../base/clock.ts';
import type { Random } from '../crypto/sodium.ts';
import {
  CLAIM_BYTES,
  openClaim,
  openReceipt,
  RECEIPT_BYTES,
  sealClaim,
  type Claim,
  type HandoffPlace,
  type Receipt,
} from '../format/claim.ts';
import type { GrantFacts } from '../format/grant.ts';
import { sharedObjectName } from '../format/names.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { damaged, readObject } from './objects.ts';

export const claimName = ({ id }: HandoffPlace): string => sharedObjectName('claims', id);
export const receiptName = ({ id }: HandoffPlace): string => sharedObjectName('receipts', id);

export async function readClaim(
  store: ObjectStore,
  key: Uint8Array,
  place: HandoffPlace,
  signal: AbortSignal,
): Promise<Claim | undefined> {
  const answer = await store.get(claimName(place), undefined, signal);
  if (!answer) return undefined;
  if (answer.bytes.length !== CLAIM_BYTES) throw damaged(claimName(place), 'its size is wrong');
  return openClaim(key, place, answer.bytes);
}

export type ClaimDeps = {
  readonly random: Random;
  readonly clock: Clock;
  /** How certainly one claim excludes another there. */
  readonly createOnly: GrantFacts['createOnly'];
};

const SETTLE_MS = 5_000;

/**
 * Stores it unless one is there, and answers what lies there afterwards: on a store where two claims of the same
 * moment may both be told that they were stored, that is the one which counts, once the other had time to arrive.
 */
export async function storeClaim(
  store: ObjectStore,
  key: Uint8Array,
  place: HandoffPlace,
  claim: Claim,
  { random, clock, createOnly }: ClaimDeps,
  signal: AbortSignal,
): Promise<Claim> {
  const sealed = sealClaim(key, place, claim, random);
  await store.put(claimName(place), sealed, { createOnly: true }, signal);
  if (createOnly !== 'atomic') await clock.sleep(SETTLE_MS, signal);
  const there = await readObject(store, claimName(place), CLAIM_BYTES, signal);
  return openClaim(key, place, there);
}

export async function readReceipt(
  store: ObjectStore,
  key: Uint8Array,
  place: HandoffPlace,
  signal: AbortSignal,
): Promise<Receipt | undefined> {
  const answer = await store.get(receiptName(place), undefined, signal);
  if (!answer) return undefined;
  if (answer.bytes.length !== RECEIPT_BYTES) throw damaged(receiptName(place), 'its size is wrong');
  return openReceipt(key, place, answer.bytes);
}
