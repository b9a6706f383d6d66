/**
 * Tombstones: what is announced to be deleted. A push relies on nothing that a valid one names; who prunes deletes
 * only what one has named for long enough. Only the root key makes them.
 */
import { fromHex, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { FerryError, isObjectFault } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { sign, verify } from '../crypto/signature.ts';
import type { Random } from '../crypto/sodium.ts';
import { idFromBytes, parseId, sharedObjectName, type ObjectId } from '../format/names.ts';
import { decodeTombstone, encodeTombstone } from '../format/tombstone.ts';
import type { ListedObject, ObjectStore } from '../store/object-store.ts';
import type { RepositoryCache } from './cache.ts';
import { damaged, writeFresh } from './objects.ts';
import { readEach } from './read-each.ts';
import type { ReaderRepository } from './open.ts';

const TOMBSTONE_BYTES_MAX = 64 * 1024 * 1024;
const PREFIX = 'tombstones/';

export type Tombstone = {
  readonly name: string;
  readonly size: number;
  /** When it was stored, by the store's own time. */
  readonly modifiedMs: number;
  /** Packs and pack lists that count as not stored. */
  readonly condemned: readonly string[];
};

export type TombstonePlace = {
  readonly store: ObjectStore;
  readonly id: string;
  /** The public root key. */
  readonly root: Uint8Array;
  /**
   * For who wants to know what is announced, and not how it lies there: each is fetched once. A name is given once, so
   * what the root key signed for it is all that it can ever say.
   */
  readonly cache?: RepositoryCache;
};

/** Every valid one. One that the root key did not sign, or that is damaged, is announced and means nothing. */
export async function readTombstones(
  place: TombstonePlace,
  emit: Emit,
  signal: AbortSignal,
): Promise<Tombstone[]> {
  const all = await Array.fromAsync(place.store.list(PREFIX, signal));
  if (place.cache) dropGone(place.cache, place, all);
  return await readEach(
    all,
    (listed) => readTombstone(place, listed, signal),
    (_, { message }) =>
      emit({ type: 'notice', code: 'tombstone-ignored', message: `${message}; ignored` }),
    signal,
  );
}

/** Undefined: its name is none of ours, or it is gone since the listing, since a prune deletes its tombstone last. */
async function readTombstone(
  place: TombstonePlace,
  listed: ListedObject,
  signal: AbortSignal,
): Promise<Tombstone | undefined> {
  const { name, size, modifiedMs } = listed;
  const object = parseId<ObjectId>(name.slice(PREFIX.length));
  if (!object) return undefined;
  if (size > TOMBSTONE_BYTES_MAX) throw damaged(name, 'it is longer than a tombstone can be');
  const known = cachedNames(place, object, listed);
  if (known) return { name, size, modifiedMs, condemned: known };
  const answer = await place.store.get(name, undefined, signal);
  if (!answer) return undefined;
  const condemned = openTombstone(answer.bytes, place, object, name);
  place.cache?.setObject(rowOf(listed, place.root), answer.bytes);
  return { name, size, modifiedMs, condemned };
}

/** What it names. @throws object-damaged, object-foreign */
function openTombstone(
  bytes: Uint8Array,
  { id, root }: TombstonePlace,
  object: ObjectId,
  name: string,
): readonly string[] {
  const { names, signed, signature } = decodeTombstone(bytes, fromHex(id), object, name);
  if (verify('tombstone', signed, signature, root)) return names;
  throw new FerryError('object-foreign', `${name} is not signed by the root key`);
}

/** Verified again, since packs are believed in by its word. */
function cachedNames(
  place: TombstonePlace,
  object: ObjectId,
  listed: ListedObject,
): readonly string[] | undefined {
  const bytes = place.cache?.object(rowOf(listed, place.root));
  if (!bytes) return undefined;
  try {
    return openTombstone(bytes, place, object, listed.name);
  } catch (error) {
    // A damaged row: the tombstone itself is read again.
    if (!isObjectFault(error)) throw error;
    return undefined;
  }
}

/** Under the key that it was verified with: another repository may call itself by the same id. */
const rowOf = ({ name, size }: ListedObject, root: Uint8Array): string =>
  `${name} ${size} ${toHex(root)}`;

/**
 * Unlike other records they go again, and with them their rows. Which there were stands in a row of its own for each
 * place: a mirror has others.
 */
function dropGone(
  cache: RepositoryCache,
  { store, root }: TombstonePlace,
  listed: readonly ListedObject[],
): void {
  const kept = `tombstones of ${toHex(root)} at ${store.location}`;
  const rows = new Set(listed.map((one) => rowOf(one, root)));
  const before = fromUtf8(cache.object(kept) ?? new Uint8Array()).split('\n');
  if (before.join('\n') === [...rows].join('\n')) return;
  for (const row of before) if (row !== '' && !rows.has(row)) cache.dropObject(row);
  cache.setObject(kept, utf8([...rows].join('\n')));
}

/** From here on no push relies on what it names. */
export async function writeTombstone(
  { store, id, identity }: Pick<ReaderRepository, 'store' | 'id' | 'identity'>,
  condemned: readonly string[],
  random: Random,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly bytes: number }> {
  const object = idFromBytes<ObjectId>(random(16));
  const name = sharedObjectName('tombstones', object);
  const unsigned = encodeTombstone(fromHex(id), object, condemned);
  const signature = sign('tombstone', unsigned, identity.root.secretKey);
  const bytes = Buffer.concat([unsigned, signature]);
  await writeFresh(store, name, bytes, signal);
  return { name, bytes: bytes.length };
}
