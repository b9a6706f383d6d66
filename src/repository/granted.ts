/**
 * Opening a repository by a ticket: the grant that it leads to holds the keys of one snapshot's objects, and nothing
 * else of the repository can be opened with them.
 */
import { fromHex, toHex } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { ObjectKey } from '../crypto/frames.ts';
import { sameBytes, blake2b256 } from '../crypto/sodium.ts';
import { ticketKeys, type TicketKeys } from '../crypto/ticket-keys.ts';
import { GRANT_BYTES_MAX, openGrant, type Grant } from '../format/grant.ts';
import { idFromBytes, sharedObjectName, writerObjectName, type ObjectId } from '../format/names.ts';
import { SNAPSHOT_LIMITS } from '../format/snapshot.ts';
import { expired } from '../store/granted-store.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { announceUnreadable } from './needed-packs.ts';
import { damaged, readObject } from './objects.ts';
import type { PackSource } from './open.ts';
import { packName, readOwnDirectories } from './pack-reader.ts';
import { readerOf, shelfOf, type SnapshotReader } from './snapshot-reader.ts';
import { openSnapshotBody, verifySnapshot } from './snapshots.ts';

export type OpenedTicket = {
  readonly grant: Grant;
  readonly keys: TicketKeys;
  /** The store's time when the grant was read. */
  readonly nowMs: number;
};

export const grantIdOf = (keys: TicketKeys): ObjectId => idFromBytes<ObjectId>(keys.grantId);

export const snapshotNameOf = ({ writer, facts }: Pick<Grant, 'writer' | 'facts'>): string =>
  writerObjectName('snapshots', writer, idFromBytes<ObjectId>(fromHex(facts.snapshot.id)));

/** @throws ticket-cancelled (no such grant any more), ticket-expired, object-damaged, object-foreign */
export async function openTicket(
  store: ObjectStore,
  secret: Uint8Array,
  signal: AbortSignal,
): Promise<OpenedTicket> {
  const keys = ticketKeys(secret);
  const id = grantIdOf(keys);
  const name = sharedObjectName('grants', id);
  const answer = await store.get(name, undefined, signal);
  if (!answer) {
    throw new FerryError('ticket-cancelled', 'what this ticket leads to is not there any more', {
      hint: 'It was cancelled, or it ended long ago: make a new one on the old machine.',
    });
  }
  if (answer.bytes.length > GRANT_BYTES_MAX) throw damaged(name, 'it is longer than one can be');
  const grant = openGrant(keys.grant, id, answer.bytes, name);
  const nowMs = answer.dateMs ?? (await store.dateMs(signal));
  // Whatever this machine's own clock says: it may be a day off.
  if (nowMs >= grant.endsAtMs) throw expired(grant.endsAtMs);
  return { grant, keys, nowMs };
}

/** Opens just what the grant names, and only while it has the header that the grant knows. */
export function grantedSource(store: ObjectStore, grant: Grant): PackSource {
  const { key, headerHash } = grant.facts.snapshot;
  const keys = new Map<string, ObjectKey>([
    [snapshotNameOf(grant), { key: fromHex(key), headerHash: fromHex(headerHash) }],
    ...grant.packs.map((pack) => [packName(pack), pack] as const),
  ]);
  return {
    store,
    id: grant.repository,
    objectKey: (name, header) => {
      const known = keys.get(name);
      if (!known || !sameBytes(blake2b256(header), known.headerHash)) return undefined;
      return { key: known.key, headerHash: known.headerHash };
    },
  };
}

/** @throws object-foreign: another snapshot lies there than the ticket is for; object-damaged, object-missing */
export async function openGrantedSnapshot(
  source: PackSource,
  grant: Grant,
  emit: Emit,
  signal: AbortSignal,
): Promise<SnapshotReader> {
  const { facts, writer, repository } = grant;
  const name = snapshotNameOf(grant);
  const bytes = await readObject(source.store, name, SNAPSHOT_LIMITS.snapshotBytesMax, signal);
  const digest = toHex(blake2b256(bytes));
  if (digest !== facts.snapshot.digest) {
    throw new FerryError('object-foreign', `${name} is another snapshot than the ticket is for`, {
      hint: 'Somebody replaced it: check who may write there, and make a new ticket.',
    });
  }
  const author = { id: writer, signingKey: fromHex(facts.signingKey) };
  const { id } = verifySnapshot(bytes, name, repository, author);
  const body = openSnapshotBody(bytes, name, source);
  const cover = { id, name, writer, machine: facts.machine, digest, cover: facts.cover };
  // No index: it would tell of every pack of the old machine. And no key goes on with a directory.
  const listed = grant.packs.map((one) => ({ writer: one.writer, pack: one.pack, size: one.size }));
  const packs = await readOwnDirectories(source, listed, announceUnreadable(emit), signal);
  const chunkIdKey = fromHex(facts.chunkIdKey);
  const needed = { packs, hinted: new Set<number>(), absent: new Map() };
  const shelf = shelfOf(source, needed, emit, signal);
  return readerOf({ cover, body, shelf, chunkIdKey }, signal);
}
