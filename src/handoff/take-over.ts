/** Taking over on the new machine: one claim, stored before anything is staged; one receipt, stored last. */
import { fromHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { FerryError } from '../base/errors.ts';
import type { Random } from '../crypto/sodium.ts';
import { sealReceipt, type Claim, type Receipt } from '../format/claim.ts';
import type { Grant } from '../format/grant.ts';
import { sharedObjectName } from '../format/names.ts';
import type { Ticket, TicketPlace } from '../format/ticket.ts';
import { templateOf } from '../format/grant.ts';
import { claimName, readClaim, receiptName, storeClaim } from '../repository/claims.ts';
import { grantIdOf, snapshotNameOf, type OpenedTicket } from '../repository/granted.ts';
import { timeText } from '../repository/objects.ts';
import { packName } from '../repository/pack-reader.ts';
import { ticketKeys } from '../crypto/ticket-keys.ts';
import type { Granted } from '../store/granted-store.ts';
import type { ObjectStore } from '../store/object-store.ts';

type BucketPlace = Extract<TicketPlace, { readonly kind: 'bucket' }>;

/** What the ticket itself can fetch: the grant. */
export function ticketAddresses({ secret }: Ticket, place: BucketPlace): Granted {
  const name = sharedObjectName('grants', grantIdOf(ticketKeys(secret)));
  return {
    location: placeText(place.template.base),
    template: place.template,
    gets: new Map([[name, place.signature]]),
    puts: new Map(),
    createOnly: true,
  };
}

/** @throws object-damaged: a grant of a folder, where addresses were to be */
export function grantAddresses(grant: Grant): Granted {
  const { facts } = grant;
  const { addresses } = facts;
  const template = templateOf(facts);
  if (!addresses || !template) {
    throw new FerryError('object-damaged', 'the grant of this ticket has no addresses');
  }
  const { claim, receipt } = addresses;
  return {
    location: placeText(template.base),
    template,
    gets: new Map<string, Uint8Array>([
      [snapshotNameOf(grant), fromHex(addresses.snapshot)],
      [claimName(grant), fromHex(claim.get)],
      [receiptName(grant), fromHex(receipt.get)],
      ...grant.packs.map((pack) => [packName(pack), pack.signature] as const),
    ]),
    puts: new Map([
      [claimName(grant), fromHex(claim.put)],
      [receiptName(grant), fromHex(receipt.put)],
    ]),
    createOnly: facts.createOnly !== 'none',
  };
}

const placeText = (base: string): string => base.replace(/\/$/, '');

export type Claimant = {
  readonly machine: string;
  /** Kept before the claim is stored, so that a killed one may go on. */
  readonly nonce: string;
};

/** @throws ticket-used, ticket-cancelled: somebody else's claim lies there */
export async function requireUnclaimed(
  store: ObjectStore,
  { grant, keys }: OpenedTicket,
  nonce: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const claim = await readClaim(store, keys.claim, grant, signal);
  if (claim) refuseOthers(claim, nonce);
}

/** @throws ticket-used, ticket-cancelled */
export async function claimTicket(
  store: ObjectStore,
  { grant, keys, nowMs }: OpenedTicket,
  { machine, nonce }: Claimant,
  deps: { readonly clock: Clock; readonly random: Random },
  signal: AbortSignal,
): Promise<void> {
  const before = await readClaim(store, keys.claim, grant, signal);
  if (before) return refuseOthers(before, nonce);
  const wanted = { what: 'taken', time: timeText(nowMs), machine, nonce } as const;
  const { createOnly } = grant.facts;
  const how = { ...deps, createOnly };
  refuseOthers(await storeClaim(store, keys.claim, grant, wanted, how, signal), nonce);
}

function refuseOthers(claim: Claim, nonce: string | undefined): void {
  if (claim.what === 'taken' && claim.nonce === nonce) return;
  if (claim.what === 'cancelled') {
    throw new FerryError('ticket-cancelled', `this ticket was cancelled at ${claim.time}`, {
      hint: 'Make a new one on the old machine: stateferry handoff',
    });
  }
  throw new FerryError(
    'ticket-used',
    `${claim.machine} has taken over with this ticket at ${claim.time}; nothing was changed here`,
    {
      hint: 'A ticket moves one gateway to one machine. Another move begins with stateferry handoff there.',
    },
  );
}

/** Sealed once: a later try sends the same bytes. */
export const receiptBytes = (
  { grant, keys }: OpenedTicket,
  receipt: Receipt,
  random: Random,
): Uint8Array => sealReceipt(keys.receipt, grant, receipt, random);

/** It may have been stored by an earlier try whose answer was lost. */
export async function storeReceipt(
  store: ObjectStore,
  name: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  await store.put(name, bytes, { createOnly: true }, signal);
}
