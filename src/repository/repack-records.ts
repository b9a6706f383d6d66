/**
 * Repack records: where what some snapshots need of a pack lies now. Only the root key makes them. They are kept for
 * ever: a snapshot's own list goes on naming the packs that it was pushed with.
 */
import { concatBytes, fromHex, toHex } from '../base/bytes.ts';
import { FerryError, isObjectFault } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { sign, verify } from '../crypto/signature.ts';
import type { Random } from '../crypto/sodium.ts';
import {
  decodeRepackRecord,
  encodeRepackRecord,
  REPACK_RECORD_BYTES_MAX,
  type RepackRecord,
} from '../format/repack-record.ts';
import { idFromBytes, parseId, sharedObjectName, type ObjectId } from '../format/names.ts';
import type { ListedObject } from '../store/object-store.ts';
import type { RepositoryCache } from './cache.ts';
import { damaged, readObject, writeFresh } from './objects.ts';
import { readEach } from './read-each.ts';
import type { ReaderRepository, WriterRepository } from './open.ts';

const PREFIX = 'repacks/';

export type RepackRecords = {
  /** The valid ones, by name. */
  readonly records: readonly RepackRecord[];
  /** Names of those that are damaged, or that somebody else made: nobody can say which. */
  readonly unreadable: readonly string[];
};

/**
 * One that the root key did not sign, or that is damaged, is announced and means nothing. Each is fetched once: what
 * was verified before comes from the cache.
 */
export async function readRepackRecords(
  repository: ReaderRepository | WriterRepository,
  emit: Emit,
  signal: AbortSignal,
): Promise<RepackRecords> {
  const unreadable: string[] = [];
  const records = await readEach(
    repository.store.list(PREFIX, signal),
    (listed) => readRepackRecord(repository, listed, signal),
    ({ name }, { message }) => {
      unreadable.push(name);
      emit({ type: 'notice', code: 'repack-record-ignored', message: `${message}; ignored` });
    },
    signal,
  );
  return { records, unreadable };
}

/** Undefined: its name is none of ours. */
async function readRepackRecord(
  repository: ReaderRepository | WriterRepository,
  { name, size }: ListedObject,
  signal: AbortSignal,
): Promise<RepackRecord | undefined> {
  if (!parseId<ObjectId>(name.slice(PREFIX.length))) return undefined;
  const { store, id, cache } = repository;
  const root = 'identity' in repository ? repository.identity.root.publicKey : repository.root;
  // Under the key that it was verified with: another repository may call itself by the same id.
  const row = `${name} ${size} ${toHex(root)}`;
  const known = cachedRecord(cache, row, id, root, name);
  if (known) return known;
  const bytes = await readObject(store, name, REPACK_RECORD_BYTES_MAX, signal);
  const record = openRepackRecord(bytes, name, id, root);
  cache.setObject(row, bytes);
  return record;
}

/** Verified again: packs are deleted by its word. */
function cachedRecord(
  cache: RepositoryCache,
  row: string,
  repository: string,
  root: Uint8Array,
  name: string,
): RepackRecord | undefined {
  const bytes = cache.object(row);
  if (!bytes) return undefined;
  try {
    return openRepackRecord(bytes, name, repository, root);
  } catch (error) {
    // A damaged row: the record itself is read again.
    if (!isObjectFault(error)) throw error;
    return undefined;
  }
}

/** @throws object-damaged, object-foreign when it is not what the root key signed for this name */
export function openRepackRecord(
  bytes: Uint8Array,
  name: string,
  repository: string,
  root: Uint8Array,
): RepackRecord {
  const object = parseId<ObjectId>(name.slice(PREFIX.length));
  if (!object) throw damaged(name, 'its name is none of ours');
  const { signed, signature, ...record } = decodeRepackRecord(
    bytes,
    fromHex(repository),
    object,
    name,
  );
  if (verify('repack record', signed, signature, root)) return record;
  throw new FerryError('object-foreign', `${name} is not signed by this repository's root key`, {
    hint: 'Somebody who may write to the bucket put it there: check who may.',
    details: { object: name },
  });
}

/** From here on those snapshots need the new packs, as soon as these are seen to be there. */
export async function writeRepackRecord(
  { store, id, identity }: Pick<ReaderRepository, 'store' | 'id' | 'identity'>,
  record: RepackRecord,
  random: Random,
  signal: AbortSignal,
): Promise<string> {
  const object = idFromBytes<ObjectId>(random(16));
  const name = sharedObjectName('repacks', object);
  const unsigned = encodeRepackRecord(fromHex(id), object, record);
  const signature = sign('repack record', unsigned, identity.root.secretKey);
  await writeFresh(store, name, concatBytes(unsigned, signature), signal);
  return name;
}
