/** Index objects: loading them into a chunk table, and storing new ones. */
import { FerryError, isObjectFault } from '../base/errors.ts';
import type { Emit, FerryEvent } from '../base/events.ts';
import type { Random } from '../crypto/sodium.ts';
import { SEALED_HEADER_BYTES, type Header } from '../format/header.ts';
import {
  decodeIndex,
  encodeIndex,
  INDEX_LIMITS,
  type IndexedPack,
} from '../format/index-object.ts';
import {
  idFromBytes,
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterId,
} from '../format/names.ts';
import { visitDirectory } from '../format/pack.ts';
import { bothVouched, isVouched } from '../format/vouched-directory.ts';
import type { ListedObject, ObjectStore } from '../store/object-store.ts';
import type { ChunkTable } from '../workers/chunk-table.ts';
import { adoptVerified } from './adoption.ts';
import { openBoxed, sealBoxed } from './boxed.ts';
import type { RepositoryCache } from './cache.ts';
import type { IdOffsets } from './id-offsets.ts';
import { readObject, writeFresh } from './objects.ts';
import { packName } from './pack-reader.ts';
import { visitEach } from './read-each.ts';
import { fromHex, fromUtf8, release, utf8, view } from '../base/bytes.ts';
import { countText } from '../base/quantity-text.ts';

export type IndexKeys = {
  readonly repository: string;
  readonly writer: WriterId;
  readonly key: Uint8Array;
};

/**
 * Every pack that a writer's indexes name, each once. A bad index is told of and left out: it is a hint, and what it
 * named is found in the packs themselves or pushed again.
 * @param seen names of indexes that are passed over; those that are read are added
 */
export async function readIndexes(
  store: ObjectStore,
  keys: IndexKeys,
  bad: IndexVisitor['bad'],
  signal: AbortSignal,
  seen: Set<string> = new Set(),
): Promise<IndexedPack[]> {
  const packs = new Map<string, IndexedPack>();
  const good = (name: string, named: readonly IndexedPack[]): void => {
    seen.add(name);
    for (const pack of named) {
      const known = packs.get(packName(pack));
      packs.set(packName(pack), known ? inBoth(known, pack) : pack);
    }
  };
  await visitIndexes(store, keys, { good, bad, isSeen: (name) => seen.has(name) }, signal);
  return [...packs.values()];
}

export type IndexVisitor = {
  good(name: string, packs: readonly IndexedPack[]): void;
  bad(name: string, error: FerryError): void;
  isSeen?(name: string): boolean;
};

/** For who goes on without a bad index. */
export const announceBad =
  (emit: Emit): IndexVisitor['bad'] =>
  (_name, { message }) =>
    emit({
      type: 'notice',
      code: 'index-unusable',
      message: `${message}; going on without this index`,
      hint: 'Indexes are hints: nothing is lost.',
    });

/** Every index of a writer, one after the other; those that follow are fetched meanwhile. */
export async function visitIndexes(
  store: ObjectStore,
  keys: IndexKeys,
  visitor: IndexVisitor,
  signal: AbortSignal,
): Promise<void> {
  await visitEach(
    unseen(store.list(`indexes/${keys.writer}/`, signal), visitor),
    ({ name }) => readIndex(store, keys, name, signal),
    {
      good: ({ name }, packs) => visitor.good(name, packs),
      fault: ({ name }, error) => visitor.bad(name, error),
    },
    signal,
  );
}

async function* unseen(
  listing: AsyncIterable<ListedObject>,
  { isSeen }: IndexVisitor,
): AsyncGenerator<ListedObject> {
  for await (const listed of listing) if (isSeen?.(listed.name) !== true) yield listed;
}

export async function readIndex(
  store: ObjectStore,
  keys: IndexKeys,
  name: string,
  signal: AbortSignal,
): Promise<IndexedPack[]> {
  const bytes = await readObject(store, name, INDEX_LIMITS.indexBytesMax, signal);
  const object = parseWriterObjectName(name)?.id;
  if (!object) throw new FerryError('object-damaged', `${name} is no name of an index`);
  return decodeIndex(openBoxed(keys.key, headerOf(keys, object), bytes, name), name);
}

export async function writeIndex(
  store: ObjectStore,
  keys: IndexKeys,
  packs: readonly IndexedPack[],
  random: Random,
  signal: AbortSignal,
): Promise<{ name: string; bytes: number }> {
  const object = idFromBytes<ObjectId>(random(16));
  const name = writerObjectName('indexes', keys.writer, object);
  const encoded = encodeIndex(packs);
  const bytes = sealBoxed(keys.key, headerOf(keys, object), encoded, random);
  release(view(encoded));
  const { length } = bytes;
  await writeFresh(store, name, bytes, signal);
  release(view(bytes));
  return { name, bytes: length };
}

/** Of a pack that somebody else made, a later index may say more than the one before. */
function inBoth(known: IndexedPack, pack: IndexedPack): IndexedPack {
  const directory = bothVouched(known.directory, pack.directory);
  return directory ? { ...pack, directory } : pack;
}

export type Known = {
  readonly cache: RepositoryCache;
  /**
   * Packs that are not what they were, as `writer + pack`. Where there are any, somebody may have moved what they
   * held: indexes that this machine has not seen yet are read.
   */
  readonly gone: ReadonlySet<string>;
};

/**
 * A writer's own packs: from the cache when it is complete, else from the store into the cache. With them what it
 * adopts of chunks under this key.
 */
export async function ownPacks(
  store: ObjectStore,
  keys: IndexKeys,
  chunkIdKey: Uint8Array,
  { cache, gone }: Known,
  emit: Emit,
  signal: AbortSignal,
): Promise<{ packs: IndexedPack[]; unindexed: IndexedPack[] }> {
  const complete = `packs of ${keys.writer} complete`;
  const isComplete = cache.fact(complete) === 'yes';
  if (!isComplete || gone.size > 0) {
    const known = new Set(cache.packs(keys.writer).map(({ pack }) => packName(pack)));
    const seen = isComplete ? seenIndexes(cache, keys.writer) : new Set<string>();
    const fromStore = await readIndexes(store, keys, announceBad(emit), signal, seen);
    for (const pack of fromStore) {
      if (known.has(packName(pack)) || gone.has(pack.writer + pack.pack)) continue;
      cache.addPack(keys.writer, pack, true);
    }
    rememberIndexes(cache, keys.writer, seen);
    cache.setFact(complete, 'yes');
    cache.flush();
    // Without a working cache the answer must still be whole.
    if (cache.fact(complete) !== 'yes') {
      return { packs: fromStore, unindexed: [] };
    }
  }
  const adopted = adoptVerified(cache, keys.writer, chunkIdKey);
  if (adopted > 0) emit(adoptedNotice(adopted));
  const cached = cache.packs(keys.writer);
  return {
    packs: cached.map(({ pack }) => pack),
    unindexed: cached.filter(({ indexed }) => !indexed).map(({ pack }) => pack),
  };
}

/** Those whose packs are in the cache, or were found to be gone. */
function seenIndexes(cache: RepositoryCache, writer: WriterId): Set<string> {
  const bytes = cache.object(seenRow(writer));
  return new Set(bytes ? fromUtf8(bytes).split('\n') : []);
}

export function rememberIndexes(
  cache: RepositoryCache,
  writer: WriterId,
  names: Iterable<string>,
): void {
  const seen = seenIndexes(cache, writer).union(new Set(names));
  cache.setObject(seenRow(writer), utf8([...seen].join('\n')));
}

const seenRow = (writer: WriterId): string => `indexes of ${writer} seen`;

const adoptedNotice = (packs: number): FerryEvent => ({
  type: 'notice',
  code: 'adopted',
  message: `good for this machine too: ${countText(packs, 'pack')} of the one that this install came from`,
  hint: 'What the pull has verified in them is not uploaded again.',
});

/** How many chunks a directory names, from its length alone: an upper bound good enough to size a table. */
export const chunksAtMost = (packs: readonly IndexedPack[]): number =>
  packs.reduce((sum, pack) => sum + Math.ceil(pack.directory.length / 36), 0);

/**
 * Adds a pack's chunks to the table under the number `ordinal`, but for those that nobody vouches for. All or none.
 * @param offsets hears where in the directory the ids stand
 * @throws object-damaged
 */
export function addToTable(
  table: ChunkTable,
  pack: IndexedPack,
  ordinal: number,
  offsets?: IdOffsets,
): void {
  const ids: Buffer[] = [];
  visitDirectory(pack.directory, SEALED_HEADER_BYTES, `the index of pack ${pack.pack}`, {
    chunk: (id) => {
      if (isVouched(id)) ids.push(id);
    },
  });
  for (const id of ids) {
    const slot = table.add(id, ordinal);
    offsets?.set(slot, id.byteOffset - pack.directory.byteOffset);
  }
}

/**
 * The same for a push. A damaged row of the cache, or an index that lies, must not stop it: what it named is pushed
 * again, which false says.
 */
export function addIfReadable(
  table: ChunkTable,
  pack: IndexedPack,
  ordinal: number,
  emit: Emit,
): boolean {
  try {
    addToTable(table, pack, ordinal);
    return true;
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    emit({ type: 'notice', code: 'index-unusable', message: `${error.message}; going on without` });
    return false;
  }
}

const headerOf = (keys: IndexKeys, object: ObjectId): Header => ({
  kind: 'index',
  repository: fromHex(keys.repository),
  writer: keys.writer,
  object,
});
