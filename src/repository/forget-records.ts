/**
 * Forget records: which snapshots were deleted on purpose. Only the root key makes them, so a machine that only writes
 * can explain nothing away. They are kept for ever: each explains its holes as long as somebody may look at the chain.
 */
import { concatBytes, fromHex, toHex } from '../base/bytes.ts';
import { FerryError, isObjectFault } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { sign, verify } from '../crypto/signature.ts';
import type { Random } from '../crypto/sodium.ts';
import {
  decodeForgetRecord,
  encodeForgetRecord,
  FORGET_RECORD_BYTES_MAX,
  type ForgetRecord,
} from '../format/forget-record.ts';
import { idFromBytes, parseId, sharedObjectName, type ObjectId } from '../format/names.ts';
import type { ListedObject } from '../store/object-store.ts';
import type { RepositoryCache } from './cache.ts';
import { readObject, writeFresh } from './objects.ts';
import { readEach } from './read-each.ts';
import type { ReaderRepository, WriterRepository } from './open.ts';

const PREFIX = 'forgets/';

export type StoredForgetRecord = ForgetRecord & {
  readonly name: string;
  /** By the store's own time. */
  readonly storedMs: number;
};

/**
 * Every valid one, oldest first. One that the root key did not sign, or that is damaged, is announced and explains
 * nothing. Each is fetched once: what was verified before comes from the cache.
 */
export async function readForgetRecords(
  repository: ReaderRepository | WriterRepository,
  emit: Emit,
  signal: AbortSignal,
): Promise<StoredForgetRecord[]> {
  const records = await readEach(
    repository.store.list(PREFIX, signal),
    async (listed) => {
      const object = parseId<ObjectId>(listed.name.slice(PREFIX.length));
      return object && (await readForgetRecord(repository, object, listed, signal));
    },
    ({ name: path }, { code, message }) =>
      emit({ type: 'problem', path, code, message: `${message}; it explains nothing` }),
    signal,
  );
  return records.toSorted((a, b) => a.storedMs - b.storedMs || (a.name < b.name ? -1 : 1));
}

async function readForgetRecord(
  repository: ReaderRepository | WriterRepository,
  object: ObjectId,
  { name, size, modifiedMs }: ListedObject,
  signal: AbortSignal,
): Promise<StoredForgetRecord> {
  const { store, id, cache } = repository;
  const root = 'identity' in repository ? repository.identity.root.publicKey : repository.root;
  // Under the key that it was verified with: another repository may call itself by the same id.
  const row = `${name} ${size} ${toHex(root)}`;
  const known = cachedRecord(cache, row, id, object, name);
  if (known) return { ...known, name, storedMs: modifiedMs };
  const bytes = await readObject(store, name, FORGET_RECORD_BYTES_MAX, signal);
  const record = openForgetRecord(bytes, name, id, root);
  cache.setObject(row, bytes);
  return { ...record, name, storedMs: modifiedMs };
}

/** What this machine verified before; written by nobody but us. */
function cachedRecord(
  cache: RepositoryCache,
  row: string,
  repository: string,
  object: ObjectId,
  name: string,
): ForgetRecord | undefined {
  const bytes = cache.object(row);
  if (!bytes) return undefined;
  try {
    return recordOf(decodeForgetRecord(bytes, fromHex(repository), object, name));
  } catch (error) {
    // A damaged row: the record itself is read again.
    if (!isObjectFault(error)) throw error;
    return undefined;
  }
}

/** @throws object-damaged, object-foreign when it is not what the root key signed for this name */
export function openForgetRecord(
  bytes: Uint8Array,
  name: string,
  repository: string,
  root: Uint8Array,
): ForgetRecord {
  const object = parseId<ObjectId>(name.slice(PREFIX.length));
  if (!object) throw new FerryError('object-damaged', `${name} is no name of ours`);
  const decoded = decodeForgetRecord(bytes, fromHex(repository), object, name);
  if (verify('forget record', decoded.signed, decoded.signature, root)) return recordOf(decoded);
  throw new FerryError('object-foreign', `${name} is not signed by this repository's root key`, {
    hint: 'Somebody who may write to the bucket put it there: check who may.',
    details: { object: name },
  });
}

/**
 * From here on these snapshots count as deleted on purpose. Read back: nothing else explains what is deleted next.
 * @throws object-missing where the store took it and does not have it
 */
export async function writeForgetRecord(
  { store, id, identity }: Pick<ReaderRepository, 'store' | 'id' | 'identity'>,
  record: ForgetRecord,
  random: Random,
  signal: AbortSignal,
): Promise<string> {
  const object = idFromBytes<ObjectId>(random(16));
  const name = sharedObjectName('forgets', object);
  const unsigned = encodeForgetRecord(fromHex(id), object, record);
  const signature = sign('forget record', unsigned, identity.root.secretKey);
  const bytes = concatBytes(unsigned, signature);
  await writeFresh(store, name, bytes, signal);
  const stored = await store.get(name, undefined, signal);
  if (stored && Buffer.compare(stored.bytes, bytes) === 0) return name;
  throw new FerryError('object-missing', `${name} was stored and does not read back`, {
    hint: 'Nothing was deleted. Check the store (stateferry probe), and run the same again.',
    details: { object: name },
  });
}

const recordOf = ({ writer, snapshots }: ForgetRecord): ForgetRecord => ({ writer, snapshots });
