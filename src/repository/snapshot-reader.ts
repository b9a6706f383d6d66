/** One snapshot, opened for reading: its body, its trees, its files. */
import { allEnded } from '../base/all-ended.ts';
import type { BytePath } from '../base/byte-path.ts';
import { fromHex, toHex, view } from '../base/bytes.ts';
import { assert, FerryError, isObjectFault } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { CHUNK_KINDS, type ChunkKind } from '../crypto/chunk-id.ts';
import { installSubkeys } from '../crypto/identity.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { LIST_IDS, type Entry, type FileEntry } from '../format/entry.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { comparePaths, decodePage, type Page } from '../format/page.ts';
import { SNAPSHOT_LIMITS, type SnapshotBody, type SnapshotRoot } from '../format/snapshot.ts';
import { checkEntryPath } from '../fs/safe-path.ts';
import { CHUNK_TABLE_LIMITS } from '../workers/chunk-table.ts';
import { ChunkMap } from './chunk-map.ts';
import { ChunkSource } from './chunk-source.ts';
import { correct, neededPacks, putRight, type NeededPacks } from './needed-packs.ts';
import { damaged, readObject } from './objects.ts';
import { authorOf, type PackSource, type ReaderRepository } from './open.ts';
import { openCover, openSnapshotBody, type OpenedCover } from './snapshots.ts';
import type { KnownWriter } from './writers.ts';

export type SnapshotReader = {
  readonly cover: OpenedCover;
  readonly body: SnapshotBody;
  /** The packs that the snapshot needs, with their directories, in no order. */
  readonly packs: readonly IndexedPack[];
  /** Which of them holds which chunk. */
  readonly chunks: ChunkMap;
  readonly chunkIdKey: Uint8Array;
  /**
   * The entries of a root in path order; with `from` only that entry and what is below it. Every path is safe
   * to join to a directory.
   * @throws object-missing, object-damaged, target-unsafe (a hostile path)
   */
  entries(root: SnapshotRoot, from?: BytePath, visit?: PageVisit): AsyncGenerator<Entry>;
  /** The verified content of a file, piece by piece in order. */
  file(entry: FileEntry): AsyncGenerator<Buffer>;
  /** One verified chunk of a file: its `number`th, which has this id. */
  chunk(entry: FileEntry, number: number, id: Buffer): Promise<Buffer>;
  /**
   * The ids of all chunks of a file, 32 bytes each.
   * @param lists hears the ids of the lists that they stand in, where they do not fit the entry
   */
  chunkIds(entry: FileEntry, lists?: (ids: Buffer) => void): Promise<Buffer>;
  /**
   * For who misses a chunk: has what the indexes say compared with the packs themselves, once. True when they were
   * wrong; then `packs` and `chunks` are right now.
   */
  rebuild(): Promise<boolean>;
  /** For who has found most of what is to be read: gives back memory that only finding needs, until it is needed. */
  letGo(): void;
};

/** For who looks at the trees of many snapshots, which have most of their pages in common. */
export type PageVisit = {
  /** Pages that need not be looked at again, with all below them. */
  isKnown?(page: string): boolean;
  /** Called when all below a page was seen. */
  seen?(page: string): void;
  /** Instead of an end: what is below this page cannot be read. Its first path, unless it is the top. */
  unreadable?(firstPath: BytePath | undefined, error: FerryError): void;
};

/** Packs from which any snapshot that needs no others can be read. */
export type Shelf = Pick<SnapshotReader, 'packs' | 'chunks' | 'rebuild'> & {
  /** Takes a pack's own word for what is in it. */
  correct(ordinal: number, directory: Uint8Array): void;
  /** For chunks whose ids are under this key; the same one for every snapshot. */
  source(chunkIdKey: Uint8Array): ChunkSource;
  /** By position, chunks (as latin1) that the table says are in a pack and that the pack itself knows nothing of. */
  readonly absent: ReadonlyMap<number, ReadonlySet<string>>;
};

export function shelfOf(
  repository: PackSource,
  needed: NeededPacks,
  emit: Emit,
  signal: AbortSignal,
): Shelf {
  const { packs } = needed;
  const chunks = new ChunkMap(packs, emit);
  let rebuilt: Promise<boolean> | undefined;
  const rebuild = (): Promise<boolean> =>
    (rebuilt ??= putRight(repository, needed, chunks, emit, signal));
  const sources = new Map<string, ChunkSource>();
  const source = (chunkIdKey: Uint8Array): ChunkSource => {
    const known = sources.get(toHex(chunkIdKey));
    const one = known ?? new ChunkSource(repository, packs, chunks, chunkIdKey, rebuild);
    sources.set(toHex(chunkIdKey), one);
    return one;
  };
  return {
    packs,
    chunks,
    rebuild,
    source,
    correct: (ordinal, directory) => void correct(needed, ordinal, directory, chunks),
    absent: needed.absent,
  };
}

/** @param shelf instead of one of its own */
export async function openSnapshot(
  repository: ReaderRepository,
  chosen: OpenedCover,
  emit: Emit,
  signal: AbortSignal,
  shelf?: Shelf,
): Promise<SnapshotReader> {
  const { store } = repository;
  const writer = repository.writers.get(chosen.writer);
  assert(writer, 'a listed snapshot has a known writer');
  const [bytes, from] = await allEnded([
    readObject(store, chosen.name, SNAPSHOT_LIMITS.snapshotBytesMax, signal),
    shelf ? Promise.resolve(shelf) : ownShelf(repository, writer, chosen, emit, signal),
  ]);
  const opened = openCover(bytes, chosen.name, repository.id, authorOf(writer));
  if (opened.digest !== chosen.digest) {
    throw new FerryError('object-foreign', `${chosen.name} is not what it was when it was listed`);
  }
  const body = openSnapshotBody(bytes, chosen.name, repository);
  const chunkIdKey =
    body.chunkIdKey === undefined
      ? installSubkeys(writer.key, body.install.install).chunkId
      : fromHex(body.chunkIdKey);
  return readerOf({ cover: opened, body, shelf: from, chunkIdKey }, signal);
}

async function ownShelf(
  repository: ReaderRepository,
  writer: KnownWriter,
  chosen: OpenedCover,
  emit: Emit,
  signal: AbortSignal,
): Promise<Shelf> {
  const needed = await neededPacks(repository, writer, chosen, emit, signal);
  return shelfOf(repository, needed, emit, signal);
}

type Opened = Pick<SnapshotReader, 'cover' | 'body' | 'chunkIdKey'> & { readonly shelf: Shelf };

/** Over what was opened already, whoever's keys did it. */
export function readerOf(
  { cover, body, shelf: { packs, chunks, rebuild, source: sourceFor }, chunkIdKey }: Opened,
  signal: AbortSignal,
): SnapshotReader {
  const source = sourceFor(chunkIdKey);
  const get = (kind: ChunkKind, id: Buffer): Promise<Buffer> => source.get(kind, id, signal);
  return {
    cover,
    body,
    packs,
    chunks,
    chunkIdKey,
    entries: (root, from, visit) => walkTree(get, root, from, visit),
    file: (entry) => readFile(get, entry),
    chunk: (entry, number, id) => readChunk(get, entry, number, id),
    chunkIds: (entry, lists) => allIds(get, entry, lists),
    rebuild,
    letGo: () => {
      chunks.letGo();
      source.letGo();
    },
  };
}

type Get = (kind: ChunkKind, id: Buffer) => Promise<Buffer>;

type Walk = {
  readonly get: Get;
  readonly from: BytePath | undefined;
  readonly visit: PageVisit;
  readonly what: string;
  last: BytePath | undefined;
};

const walkTree = (
  get: Get,
  root: SnapshotRoot,
  from: BytePath | undefined,
  visit: PageVisit = {},
): AsyncGenerator<Entry> =>
  walkPages(
    { get, from, visit, what: `a tree page of ${root.name}`, last: undefined },
    fromHex(root.page),
    undefined,
    undefined,
  );

/**
 * Every path of a tree is greater than the one before it, over all pages, and no page is empty: so nothing comes
 * twice, and a few pages that name each other cannot pretend to be a tree without end.
 */
async function* walkPages(
  walk: Walk,
  id: Uint8Array,
  level: number | undefined,
  firstPath: BytePath | undefined,
): AsyncGenerator<Entry> {
  const { from, visit, what } = walk;
  if (visit.isKnown?.(toHex(id)) === true) return;
  const page = await readPage(walk, id, level, firstPath);
  if (!page) return;
  if ('entries' in page) {
    for (const entry of page.entries) {
      const inOrder = walk.last === undefined || comparePaths(walk.last, entry.path) < 0;
      if (!inOrder) throw damaged(what, 'its entries are not in order');
      walk.last = entry.path;
      if (from === undefined || isWithin(entry.path, from)) yield checked(entry);
    }
  } else {
    for (const [index, child] of page.children.entries()) {
      const next = page.children[index + 1]?.firstPath;
      if (from !== undefined && !mayHold(child.firstPath, next, from)) continue;
      yield* walkPages(walk, child.id, page.level - 1, child.firstPath);
    }
  }
  visit.seen?.(toHex(id));
}

/** Undefined: it cannot be read, and somebody who can do without was told. */
async function readPage(
  { get, visit, what }: Walk,
  id: Uint8Array,
  level: number | undefined,
  firstPath: BytePath | undefined,
): Promise<Page | undefined> {
  try {
    const page = decodePage(await get(CHUNK_KINDS.page, view(id)), level, what);
    const first = 'entries' in page ? page.entries[0]?.path : page.children[0]?.firstPath;
    if (first === undefined || (firstPath !== undefined && first !== firstPath)) {
      throw damaged(what, 'it does not begin where its place says');
    }
    return page;
  } catch (error) {
    if (!visit.unreadable || !isObjectFault(error)) throw error;
    visit.unreadable(firstPath, error);
    return undefined;
  }
}

const isWithin = (path: BytePath, from: BytePath): boolean =>
  from === '' || path === from || path.startsWith(`${from}/`);

/** Whether a page whose paths run from `first` up to (not including) `next` may hold `from` or anything below it. */
function mayHold(first: BytePath, next: BytePath | undefined, from: BytePath): boolean {
  if (next !== undefined && comparePaths(next, from) <= 0) return false;
  return comparePaths(first, from) <= 0 || isWithin(first, from);
}

/** A snapshot is untrusted input, whoever sealed it. */
function checked(entry: Entry): Entry {
  const why =
    (entry.path === '' ? undefined : checkEntryPath(entry.path)) ??
    (entry.type === 'hardlink' ? checkEntryPath(entry.target) : undefined);
  if (why === undefined) return entry;
  throw new FerryError('target-unsafe', `the snapshot holds an unsafe path: ${why}`, {
    hint: 'Nothing was written. Whoever made this snapshot is not to be trusted.',
  });
}

async function* readFile(get: Get, entry: FileEntry): AsyncGenerator<Buffer> {
  const ids = await allIds(get, entry);
  for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) {
    const id = ids.subarray(at, at + CHUNK_ID_BYTES);
    yield await readChunk(get, entry, at / CHUNK_ID_BYTES, id);
  }
}

async function readChunk(get: Get, entry: FileEntry, number: number, id: Buffer): Promise<Buffer> {
  const chunk = await get(CHUNK_KINDS.data, id);
  if (chunk.length !== Math.min(entry.chunkBytes, entry.size - number * entry.chunkBytes)) {
    throw damaged('a file', 'a chunk has another length than its place in the file');
  }
  return chunk;
}

async function allIds(get: Get, entry: FileEntry, lists?: (ids: Buffer) => void): Promise<Buffer> {
  if (entry.size / entry.chunkBytes > CHUNK_TABLE_LIMITS.slotsMax) {
    throw damaged('a file', 'it is larger than any push can make it');
  }
  let ids = view(entry.ids);
  for (let level = entry.depth; level > 0; level--) {
    lists?.(ids);
    const pieces: Buffer[] = [];
    const perList = LIST_IDS * CHUNK_ID_BYTES;
    for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) {
      const piece = await get(CHUNK_KINDS.list, ids.subarray(at, at + CHUNK_ID_BYTES));
      if (piece.length > perList || piece.length % CHUNK_ID_BYTES !== 0) {
        throw damaged('a list of chunks', 'it has an impossible length');
      }
      pieces.push(piece);
    }
    ids = Buffer.concat(pieces);
  }
  if (ids.length !== Math.ceil(entry.size / entry.chunkBytes) * CHUNK_ID_BYTES) {
    throw damaged('a list of chunks', 'it has another number of chunks than the file');
  }
  return ids;
}
