/** Making a ticket: the grant of one snapshot, sealed under a fresh secret and stored where the ticket leads. */
import { fromHex, toHex } from '../base/bytes.ts';
import { assert, FerryError } from '../base/errors.ts';
import type { Random } from '../crypto/sodium.ts';
import { TICKET_SECRET_BYTES, ticketKeys, type TicketKeys } from '../crypto/ticket-keys.ts';
import { CLAIM_BYTES, RECEIPT_BYTES, type HandoffPlace } from '../format/claim.ts';
import { GRANT_PACKS_MAX, sealGrant, type GrantedPack, type GrantFacts } from '../format/grant.ts';
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import { idFromBytes, sharedObjectName, writerObjectName, type ObjectId } from '../format/names.ts';
import type { ListedPack } from '../format/pack-list.ts';
import { SNAPSHOT_LIMITS, splitSnapshot } from '../format/snapshot.ts';
import { printTicket } from '../format/ticket.ts';
import { claimName, receiptName } from '../repository/claims.ts';
import { grantIdOf } from '../repository/granted.ts';
import { installKeys, type HighWaterMark, type Writer } from '../repository/machine.ts';
import { damaged, readObject } from '../repository/objects.ts';
import { authorSelf, type ReaderRepository } from '../repository/open.ts';
import { packKey, packName, readRange } from '../repository/pack-reader.ts';
import { readPackList } from '../repository/pack-lists.ts';
import { readReplacements } from '../repository/replacements.ts';
import { openCover, type OpenedCover } from '../repository/snapshots.ts';
import type { Presigned } from '../store/object-store.ts';

export type OfferRequest = {
  /** What this machine pushed last. */
  readonly snapshot: HighWaterMark;
  readonly lifeMs: number;
  /** How certainly one claim excludes another there. */
  readonly createOnly: GrantFacts['createOnly'];
  /** Of a folder; undefined for a bucket. */
  readonly folder: string | undefined;
};

export type OfferDeps = {
  readonly reader: ReaderRepository;
  /** This machine. */
  readonly writer: Writer;
  readonly random: Random;
};

export type Offer = {
  readonly ticket: string;
  readonly place: HandoffPlace;
  readonly keys: TicketKeys;
  readonly offeredAtMs: number;
  readonly endsAtMs: number;
  readonly grantBytes: number;
  readonly packs: number;
};

export async function storeOffer(
  request: OfferRequest,
  deps: OfferDeps,
  signal: AbortSignal,
): Promise<Offer> {
  const { reader, writer, random } = deps;
  const { store } = reader;
  const secret = random(TICKET_SECRET_BYTES);
  const keys = ticketKeys(secret);
  const place = { repository: reader.id, writer: writer.id, id: grantIdOf(keys) };
  const snapshot = await openOwn(request.snapshot, deps, signal);
  const packs = await keysOfPacks(snapshot.cover, deps, signal);
  const offeredAtMs = await store.dateMs(signal);
  const signing = { signedAtMs: offeredAtMs, lifeMs: request.lifeMs };
  const presigned = await sign(place, snapshot.cover.name, packs, signing, deps);
  const endsAtMs = endOf(presigned, offeredAtMs + request.lifeMs);
  const facts = factsOf(request, snapshot, place, presigned, deps);
  const granted = packs.map((pack) => ({ ...pack, signature: signatureOf(presigned, pack) }));
  const grant = sealGrant(keys.grant, { ...place, endsAtMs, facts, packs: granted }, random);
  await store.put(grantName(place.id), grant, {}, signal);
  const ticket = printTicket({ secret, place: placeOf(request, place, presigned) });
  const grantBytes = grant.length;
  return { ticket, place, keys, offeredAtMs, endsAtMs, grantBytes, packs: packs.length };
}

export const grantName = (id: ObjectId): string => sharedObjectName('grants', id);

type OwnSnapshot = Pick<GrantFacts, 'snapshot'> & { readonly cover: OpenedCover };

/** The snapshot as it lies there now: it must be what this machine pushed. */
async function openOwn(
  { snapshot: id, digest }: HighWaterMark,
  { reader, writer }: OfferDeps,
  signal: AbortSignal,
): Promise<OwnSnapshot> {
  const name = writerObjectName('snapshots', writer.id, idFromBytes<ObjectId>(fromHex(id)));
  const bytes = await readObject(reader.store, name, SNAPSHOT_LIMITS.snapshotBytesMax, signal);
  const cover = openCover(bytes, name, reader.id, authorSelf(writer));
  if (cover.digest !== digest) {
    throw new FerryError('object-foreign', `${name} is not what this machine has just pushed`);
  }
  const objectKey = reader.objectKey(name, splitSnapshot(bytes, name).sealedHeader);
  if (!objectKey) throw damaged(name, 'its header cannot be unsealed');
  const { key, headerHash } = objectKey;
  return { cover, snapshot: { id, digest, key: toHex(key), headerHash: toHex(headerHash) } };
}

type KeyedPack = Omit<GrantedPack, 'signature'>;
const AT_ONCE = 8;

/** Only their headers can tell: what was sealed last week is opened with the secret, or not at all. */
async function keysOfPacks(
  { cover, digest }: OpenedCover,
  { reader, writer }: OfferDeps,
  signal: AbortSignal,
): Promise<KeyedPack[]> {
  const { id, subkeys } = writer;
  const list = { repository: reader.id, writer: id, key: subkeys.packList };
  const listed = await readPackList(reader.store, list, cover.packList, signal);
  const replacements = await readReplacements(reader, listed, () => undefined, signal);
  // Where others hold the same, the old pack may be gone before the ticket ends.
  const packs = replacements.leanOf([digest], listed);
  requireFew(packs.length);
  const keyed: KeyedPack[] = [];
  const keyOf = async (pack: ListedPack): Promise<KeyedPack> => {
    const header = await readRange(reader.store, packName(pack), 0, SEALED_HEADER_BYTES, signal);
    const { key, headerHash } = packKey(reader, pack, header);
    return { ...pack, key, headerHash };
  };
  for (let at = 0; at < packs.length; at += AT_ONCE) {
    keyed.push(...(await Promise.all(packs.slice(at, at + AT_ONCE).map(keyOf))));
  }
  return keyed;
}

/** More would make a grant that nobody opens; the passphrase pulls them all the same. */
function requireFew(packs: number): void {
  if (packs <= GRANT_PACKS_MAX) return;
  throw new FerryError('usage', `the snapshot has ${packs} packs, too many for a ticket`, {
    hint: 'Push it, and pull it on the new machine with the passphrase: stateferry pull -r LOCATION',
  });
}

/** undefined: a folder, which has no addresses. */
async function sign(
  place: HandoffPlace,
  snapshot: string,
  packs: readonly KeyedPack[],
  signing: { readonly signedAtMs: number; readonly lifeMs: number },
  { reader }: OfferDeps,
): Promise<Presigned | undefined> {
  const [claim, receipt] = [claimName(place), receiptName(place)];
  return await reader.store.presign?.({
    gets: [grantName(place.id), snapshot, claim, receipt, ...packs.map(packName)],
    puts: [
      { name: claim, bytes: CLAIM_BYTES },
      { name: receipt, bytes: RECEIPT_BYTES },
    ],
    ...signing,
  });
}

const endOf = (presigned: Presigned | undefined, wishedMs: number): number => {
  if (!presigned) return wishedMs;
  const { signedAtSeconds, lifeSeconds } = presigned.template;
  return (signedAtSeconds + lifeSeconds) * 1000;
};

function factsOf(
  { createOnly }: OfferRequest,
  { snapshot, cover }: OwnSnapshot,
  place: HandoffPlace,
  presigned: Presigned | undefined,
  { writer }: OfferDeps,
): GrantFacts {
  const { signing, machine } = writer;
  const signatures = presigned && signaturesOf(presigned);
  return {
    snapshot,
    cover: cover.cover,
    machine,
    signingKey: toHex(signing.publicKey),
    chunkIdKey: toHex(installKeys(writer, cover.cover.install).chunkId),
    createOnly,
    ...(presigned &&
      signatures && {
        addresses: {
          template: presigned.template,
          snapshot: signatures.get(cover.name),
          claim: { get: signatures.get(claimName(place)), put: signatures.put(claimName(place)) },
          receipt: {
            get: signatures.get(receiptName(place)),
            put: signatures.put(receiptName(place)),
          },
        },
      }),
  };
}

function signaturesOf({ gets, puts }: Presigned) {
  const hexIn = (map: ReadonlyMap<string, Uint8Array>, name: string): string => {
    const signature = map.get(name);
    assert(signature, `${name} was signed`);
    return toHex(signature);
  };
  return { get: (name: string) => hexIn(gets, name), put: (name: string) => hexIn(puts, name) };
}

const NO_SIGNATURE = new Uint8Array(32);

const signatureOf = (presigned: Presigned | undefined, pack: ListedPack): Uint8Array =>
  presigned ? fromHex(signaturesOf(presigned).get(packName(pack))) : NO_SIGNATURE;

function placeOf(request: OfferRequest, place: HandoffPlace, presigned: Presigned | undefined) {
  if (presigned) {
    const signature = fromHex(signaturesOf(presigned).get(grantName(place.id)));
    return { kind: 'bucket', template: presigned.template, signature } as const;
  }
  const { repository } = place;
  return { kind: 'folder', repository, path: request.folder ?? '' } as const;
}
