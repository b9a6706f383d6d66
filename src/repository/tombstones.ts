/**
 * Tombstones: what is announced to be deleted. A push relies on nothing that a valid one names; who prunes deletes
 * only what one has named for long enough. Only the root key makes them.
 */
import { fromHex } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { sign, verify } from '../crypto/signature.ts';
import type { Random } from '../crypto/sodium.ts';
import { idFromBytes, parseId, sharedObjectName, type ObjectId } from '../format/names.ts';
import { decodeTombstone, encodeTombstone } from '../format/tombstone.ts';
import type { ListedObject, ObjectStore } from '../store/object-store.ts';
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
};

/** Every valid one. One that the root key did not sign, or that is damaged, is announced and means nothing. */
export async function readTombstones(
  place: TombstonePlace,
  emit: Emit,
  signal: AbortSignal,
): Promise<Tombstone[]> {
  return await readEach(
    place.store.list(PREFIX, signal),
    (listed) => readTombstone(place, listed, signal),
    (_, { message }) =>
      emit({ type: 'notice', code: 'tombstone-ignored', message: `${message}; ignored` }),
    signal,
  );
}

/** Undefined: its name is none of ours, or it is gone since the listing, since a prune deletes its tombstone last. */
async function readTombstone(
  { store, id, root }: TombstonePlace,
  { name, size, modifiedMs }: ListedObject,
  signal: AbortSignal,
): Promise<Tombstone | undefined> {
  const object = parseId<ObjectId>(name.slice(PREFIX.length));
  if (!object) return undefined;
  if (size > TOMBSTONE_BYTES_MAX) throw damaged(name, 'it is longer than a tombstone can be');
  const answer = await store.get(name, undefined, signal);
  if (!answer) return undefined;
  const { names, signed, signature } = decodeTombstone(answer.bytes, fromHex(id), object, name);
  if (!verify('tombstone', signed, signature, root)) {
    throw new FerryError('object-foreign', `${name} is not signed by the root key`);
  }
  return { name, size, modifiedMs, condemned: names };
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
