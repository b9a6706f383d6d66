/**
 * Which chunks of which packs live: the trees of all snapshots, down to every chunk; pages that snapshots have in
 * common are read once. What cannot be found for sure keeps its packs out of this.
 */
import { FerryError, isObjectFault, throwIfAborted } from '../../base/errors.ts';
import { CHUNK_ID_BYTES, TAG_BYTES } from '../../crypto/sizes.ts';
import { SEALED_HEADER_BYTES } from '../../format/header.ts';
import type { IndexedPack } from '../../format/index-object.ts';
import type { WriterId } from '../../format/names.ts';
import type { ListedPack } from '../../format/pack-list.ts';
import { visitDirectory } from '../../format/pack.ts';
import { readIndexes } from '../../repository/indexes.ts';
import { lookUp } from '../../repository/needed-packs.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { readListOf } from '../../repository/pack-lists.ts';
import { packName, readOwnDirectories } from '../../repository/pack-reader.ts';
import type { Replacements } from '../../repository/replacements.ts';
import { openSnapshot, shelfOf, type Shelf } from '../../repository/snapshot-reader.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { visitChunks } from './visit-chunks.ts';

/** A pack that snapshots need, and who. */
export type NeededPack = {
  readonly pack: ListedPack;
  /** Digests of the snapshots that need it. */
  readonly snapshots: Set<string>;
  readonly writers: Set<WriterId>;
  /** What is known of its directory: by indexes of whichever machine, or by itself. */
  readonly directories: Uint8Array[];
  /** Of the snapshots that need it. */
  readonly chunkIdKeys: Map<string, Uint8Array>;
  /** A snapshot that needs it is not whole, so nobody can say what of it lives. */
  isDoubtful: boolean;
};

export type LivingChunks = {
  readonly needed: ReadonlyMap<string, NeededPack>;
  /** Whether any snapshot needs the chunk, wherever it lies. */
  has(id: Buffer): boolean;
};

/** @param snapshots all of them: what none of these needs is taken for dead */
export async function findLiving(
  repository: ReaderRepository,
  snapshots: readonly OpenedCover[],
  replacements: Replacements,
  signal: AbortSignal,
): Promise<LivingChunks> {
  const needed = new Map<string, NeededPack>();
  const marks: Marks[] = [];
  for (const [writer, own] of Map.groupBy(snapshots, (one) => one.writer)) {
    const lists = await listsOf(repository, own, replacements, signal);
    const shelf = await shelfFor(repository, writer, lists, signal);
    const mark = new Marks(shelf);
    marks.push(mark);
    await markAll(repository, lists, mark, needed, signal);
    for (const pack of shelf.packs) needed.get(packName(pack))?.directories.push(pack.directory);
  }
  return { needed, has: (id) => marks.some((one) => one.has(id)) };
}

type NeedsOf = ReadonlyMap<OpenedCover, readonly ListedPack[]>;

async function listsOf(
  repository: ReaderRepository,
  snapshots: readonly OpenedCover[],
  replacements: Replacements,
  signal: AbortSignal,
): Promise<NeedsOf> {
  const lists = new Map<string, Promise<ListedPack[]>>();
  const needs = new Map<OpenedCover, readonly ListedPack[]>();
  for (const snapshot of snapshots) {
    const { packList } = snapshot.cover;
    const listed = lists.get(packList) ?? readListOf(repository, snapshot, signal);
    lists.set(packList, listed);
    needs.set(snapshot, replacements.leanOf([snapshot.digest], await listed));
  }
  return needs;
}

/** All packs that snapshots of one machine need. One whose directory nobody can tell is missing from it. */
async function shelfFor(
  repository: ReaderRepository,
  writer: WriterId,
  needs: NeedsOf,
  signal: AbortSignal,
): Promise<Shelf> {
  const packs = new Map([...needs.values()].flat().map((pack) => [packName(pack), pack]));
  const key = repository.writers.get(writer)?.subkeys.index;
  const quiet = (): void => undefined;
  const keys = key && { repository: repository.id, writer, key };
  const indexed = keys ? await readIndexes(repository.store, keys, quiet, signal) : [];
  const { known, others } = lookUp([...packs.values()], indexed);
  const own = await readOwnDirectories(repository, others, quiet, signal);
  const found = { packs: [...known, ...own], hinted: new Set(known.keys()), absent: new Map() };
  return shelfOf(repository, found, quiet, signal);
}

async function markAll(
  repository: ReaderRepository,
  needs: NeedsOf,
  marks: Marks,
  needed: Map<string, NeededPack>,
  signal: AbortSignal,
): Promise<void> {
  const pages = new Set<string>();
  for (const [snapshot, packs] of needs) {
    throwIfAborted(signal);
    const found = await markSnapshot(repository, snapshot, marks, pages, signal);
    for (const pack of packs) {
      const one = needed.get(packName(pack)) ?? newlyNeeded(pack);
      needed.set(packName(pack), one);
      one.snapshots.add(snapshot.digest);
      one.writers.add(snapshot.writer);
      if (found) one.chunkIdKeys.set(Buffer.from(found).toString('hex'), found);
      else one.isDoubtful = true;
    }
  }
}

/** The key of its chunk ids; undefined: something of it is not to be found. */
async function markSnapshot(
  repository: ReaderRepository,
  snapshot: OpenedCover,
  marks: Marks,
  pages: Set<string>,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const seen = new Set<string>();
  let isWhole = true;
  const use = (ids: Buffer): void => {
    for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) {
      if (!marks.mark(ids.subarray(at, at + CHUNK_ID_BYTES))) isWhole = false;
    }
  };
  try {
    const opened = await openSnapshot(repository, snapshot, () => undefined, signal, marks.shelf);
    await visitChunks(opened, { use, isKnown: (page) => pages.has(page), seen });
    if (!isWhole) return undefined;
    // Only what was seen with all that is below it need not be looked at again.
    for (const page of seen) pages.add(page);
    return opened.chunkIdKey;
  } catch (error) {
    // One that nobody made in good faith keeps its packs, and stops nobody.
    const isHostile = error instanceof FerryError && error.code === 'target-unsafe';
    if (!isHostile && !isObjectFault(error)) throw error;
    return undefined;
  }
}

/** Which chunks of a shelf somebody needs. */
class Marks {
  readonly shelf: Shelf;
  readonly #isMarked = new Set<number>();

  constructor(shelf: Shelf) {
    this.shelf = shelf;
  }

  /** False: it lies in none of these packs. */
  mark(id: Buffer): boolean {
    const slot = this.shelf.chunks.table.find(id);
    if (slot >= 0) this.#isMarked.add(slot);
    return slot >= 0;
  }

  /** Whatever slot of the same id is the first one since. */
  has(id: Buffer): boolean {
    const { table } = this.shelf.chunks;
    for (let slot = table.find(id); slot >= 0; slot = table.findNext(slot, id)) {
      if (this.#isMarked.has(slot)) return true;
    }
    return false;
  }
}

const newlyNeeded = (pack: ListedPack): NeededPack => ({
  pack,
  snapshots: new Set(),
  writers: new Set(),
  directories: [],
  chunkIdKeys: new Map(),
  isDoubtful: false,
});

/** Bytes of a pack in segments of which something lives, by what is known of its directory. */
export function livingBytesOf({ directory }: IndexedPack, isLiving: LivingChunks['has']): number {
  let bytes = 0;
  let stored = 0;
  let lives = false;
  const close = (): void => {
    if (lives) bytes += stored;
    lives = false;
  };
  visitDirectory(directory, SEALED_HEADER_BYTES, 'a directory', {
    segment: (_codec, _offset, storedLength) => {
      close();
      stored = storedLength + TAG_BYTES;
    },
    chunk: (id) => {
      lives ||= isLiving(id);
    },
  });
  close();
  return bytes;
}
