/**
 * The trees of all snapshots of one machine, down to the place of every chunk. Pages that snapshots have in common are
 * looked at once; only where something is missing are the snapshots gone through one by one, to name the files.
 */
import { setImmediate } from 'node:timers/promises';
import { asBytePath, type BytePath } from '../../base/byte-path.ts';
import { FerryError, isObjectFault, throwIfAborted } from '../../base/errors.ts';
import { CHUNK_ID_BYTES } from '../../crypto/sizes.ts';
import type { FileEntry } from '../../format/entry.ts';
import type { ListedPack } from '../../format/pack-list.ts';
import type { SnapshotRoot } from '../../format/snapshot.ts';
import { readIndexes } from '../../repository/indexes.ts';
import { lookUp } from '../../repository/needed-packs.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { packName, readOwnDirectories } from '../../repository/pack-reader.ts';
import {
  openSnapshot,
  shelfOf,
  type PageVisit,
  type Shelf,
  type SnapshotReader,
} from '../../repository/snapshot-reader.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import type { KnownWriter } from '../../repository/writers.ts';
import type { Faults } from './faults.ts';

/** What is known of the packs: where a chunk can be had, and where it cannot. */
export type PackStates = {
  /** Not there, or of another size. */
  isBad(pack: string): boolean;
  /** Content that was read and is not what its id says. */
  isDamaged(pack: string, chunkId: Buffer): boolean;
  /** Whether a snapshot's own list names a pack: a pull looks into no other. */
  isListed(cover: OpenedCover, pack: ListedPack): boolean;
};

export type WriterTrees = {
  readonly writer: KnownWriter;
  readonly covers: readonly OpenedCover[];
  readonly shelf: Shelf;
  /** Packs whose directory nobody knows: what was in them is in no pack at all. */
  readonly unknown: readonly string[];
  /** Positions in the shelf by the names of packs. */
  readonly ordinals: ReadonlyMap<string, number>;
};

/** Reads the indexes of a machine and the directories that they do not know. What is wrong with them is noted. */
export async function openTrees(
  repository: ReaderRepository,
  writer: KnownWriter,
  covers: readonly OpenedCover[],
  needed: readonly ListedPack[],
  faults: Faults,
  signal: AbortSignal,
): Promise<WriterTrees> {
  const keys = { repository: repository.id, writer: writer.id, key: writer.subkeys.index };
  const bad = (name: string, { code, message }: FerryError): void =>
    faults.add(name, code, `${message}; nothing is lost: repair makes it anew`);
  const indexed = await readIndexes(repository.store, keys, bad, signal);
  const { known, others } = lookUp(needed, indexed);
  const whole = others.filter((pack) => !faults.has(packName(pack)));
  const unreadable = (pack: ListedPack, { code, message }: FerryError): void =>
    faults.add(packName(pack), code, message);
  const own = await readOwnDirectories(repository, whole, unreadable, signal);
  const unknown = others.map(packName).filter((name) => faults.has(name));
  const packs = { packs: [...known, ...own], hinted: new Set(known.keys()), absent: new Map() };
  const shelf = shelfOf(repository, packs, () => undefined, signal);
  const ordinals = new Map(packs.packs.map((pack, ordinal) => [packName(pack), ordinal]));
  return { writer, covers, shelf, unknown, ordinals };
}

/**
 * Holds what was believed of a pack against its own directory. An index proves nothing: whoever took a machine may have
 * put another pack of the same size in the place of one that it named, and all that is in that one is well.
 */
export function correct({ shelf, ordinals }: WriterTrees, name: string, own: Uint8Array): void {
  const ordinal = ordinals.get(name);
  if (ordinal !== undefined) shelf.correct(ordinal, own);
}

/** Then whoever waits for this thread has a turn: the packs that are read meanwhile come through it too. */
const FILES_IN_A_ROW = 64;

/** The pages and chunks of every snapshot that no snapshot before it had. True: something is missing somewhere. */
export async function lookThrough(
  repository: ReaderRepository,
  trees: WriterTrees,
  states: PackStates,
  opened: (chunkIdKey: Uint8Array, cover: OpenedCover) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const known = new KnownPages();
  let isMissing = trees.unknown.length > 0;
  for (const cover of trees.covers) {
    throwIfAborted(signal);
    const places = placesFor(trees, cover, states);
    const visit = known.visitFor(places);
    let isWhole = true;
    try {
      const snapshot = await open(repository, cover, trees.shelf, signal);
      opened(snapshot.chunkIdKey, cover);
      let files = 0;
      for await (const ids of chunksOf(snapshot, visit)) {
        for (const id of eachId(ids)) isWhole &&= visit.uses(places.of(id));
        files += 1;
        if (files % FILES_IN_A_ROW === 0) await setImmediate();
      }
    } catch (error) {
      if (!isSpoilt(error)) throw error;
      isWhole = false;
    }
    // What another snapshot has in common with a broken one is looked at again: its files are named too.
    if (!isWhole || !visit.keep()) isMissing = true;
  }
  return isMissing;
}

/** Pages that were seen whole, each with the packs that all below it lies in. */
class KnownPages {
  readonly #packs = new Map<string, ReadonlySet<number>>();

  visitFor(places: Places): PageVisit & { uses(pack: number): boolean; keep(): boolean } {
    const seen = new Map<string, ReadonlySet<number>>();
    /** Of the pages that are being looked at, the top first. */
    const open: Set<number>[] = [];
    return {
      isKnown: (page) => {
        const packs = this.#packs.get(page);
        const isKnown = packs !== undefined && [...packs].every((pack) => places.isListed(pack));
        if (isKnown) for (const pack of packs) open.at(-1)?.add(pack);
        else open.push(new Set([places.of(fromPage(page))]));
        return isKnown;
      },
      seen: (page) => {
        const packs = open.pop() ?? new Set();
        seen.set(page, packs);
        for (const pack of packs) open.at(-1)?.add(pack);
      },
      uses: (pack) => {
        open.at(-1)?.add(pack);
        return pack !== NOWHERE;
      },
      keep: () => {
        for (const [page, packs] of seen) this.#packs.set(page, packs);
        return [...seen.values()].every((packs) => !packs.has(NOWHERE));
      },
    };
  }
}

/** The ids of the chunks of every file, file by file. */
async function* chunksOf(snapshot: SnapshotReader, visit: PageVisit): AsyncGenerator<Buffer> {
  for (const root of snapshot.body.roots) {
    for await (const entry of snapshot.entries(root, undefined, visit)) {
      if (entry.type === 'file') yield await snapshot.chunkIds(entry);
    }
  }
}

/** Goes through every snapshot to its end, and notes each file that cannot be had with the packs that are to blame. */
export async function nameLosses(
  repository: ReaderRepository,
  trees: WriterTrees,
  states: PackStates,
  faults: Faults,
  signal: AbortSignal,
): Promise<void> {
  for (const cover of trees.covers) {
    throwIfAborted(signal);
    try {
      const snapshot = await open(repository, cover, trees.shelf, signal);
      const places = placesFor(trees, cover, states);
      const blame = blameFor(trees, cover, places.lacking(), faults);
      for (const root of snapshot.body.roots) {
        await nameIn(snapshot, root, places, blame, signal);
      }
    } catch (error) {
      if (!isSpoilt(error)) throw error;
      faults.add(cover.name, error.code, error.message);
      faults.costsSnapshot(cover.name, cover);
    }
  }
}

type Blame = {
  file(root: SnapshotRoot, path: BytePath, packs: readonly string[]): void;
  unreadable(what: 'file' | 'part', root: SnapshotRoot, path: BytePath, error: FerryError): void;
};

/** Without a pack to blame it is one of those that nobody can look into, or else the snapshot itself. */
function blameFor(
  { unknown }: WriterTrees,
  cover: OpenedCover,
  lacking: readonly string[],
  faults: Faults,
): Blame {
  const orElse = (packs: readonly string[], code: string, why: string): readonly string[] => {
    const known = packs.length > 0 ? packs : unknown;
    if (known.length > 0) return known;
    if (!faults.has(cover.name)) faults.add(cover.name, code, why);
    return [cover.name];
  };
  return {
    file: (root, path, packs) => {
      const why = 'it needs a chunk that is in no pack';
      for (const one of orElse(packs, 'object-missing', why)) {
        if (!faults.has(one)) faults.add(one, 'object-damaged', REPLACED);
        faults.costsFile(one, cover, root.name, path);
      }
    },
    unreadable: (what, root, path, error) => {
      const { code, message } = error;
      const object = String(error.details['object'] ?? '');
      const packs = object.startsWith('packs/') ? [object] : [];
      for (const one of packs) if (!faults.has(one)) faults.add(one, code, message);
      for (const one of orElse(packs, code, message)) {
        if (what === 'file') faults.costsFile(one, cover, root.name, path);
        else faults.costsPart(one, cover, root.name, path);
      }
      // Nobody can tell which of them held what is below that page.
      for (const one of what === 'part' ? lacking : []) {
        if (!faults.has(one)) faults.add(one, 'object-damaged', REPLACED);
        faults.costsPart(one, cover, root.name, path);
      }
    },
  };
}

/** Nothing else was found wrong with that pack. */
const REPLACED =
  'it does not hold what its machine says is in it: somebody put another in its place';
const NO_PLACE = new FerryError('object-missing', 'a page of its tree is in none of its packs');

async function nameIn(
  snapshot: SnapshotReader,
  root: SnapshotRoot,
  places: Places,
  blame: Blame,
  signal: AbortSignal,
): Promise<void> {
  const unreadable = (path: BytePath | undefined, error: FerryError): void =>
    blame.unreadable('part', root, path ?? asBytePath(''), error);
  // A page may be read all the same from a pack that a pull does not look into.
  const isKnown = (page: string): boolean => {
    if (!places.isNamed(fromPage(page))) unreadable(undefined, NO_PLACE);
    return false;
  };
  for await (const entry of snapshot.entries(root, undefined, { unreadable, isKnown })) {
    throwIfAborted(signal);
    if (entry.type !== 'file') continue;
    const ids = await idsOf(snapshot, entry);
    if (ids instanceof FerryError) blame.unreadable('file', root, entry.path, ids);
    else {
      const missing = [...eachId(ids)].filter((id) => places.of(id) === NOWHERE);
      const packs = new Set(missing.flatMap((id) => places.lost(id)));
      if (missing.length > 0) blame.file(root, entry.path, [...packs]);
    }
  }
}

async function idsOf(snapshot: SnapshotReader, entry: FileEntry): Promise<Buffer | FerryError> {
  try {
    return await snapshot.chunkIds(entry);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return error;
  }
}

const NOWHERE = -1;
const fromPage = (page: string): Buffer => Buffer.from(page, 'hex');

/** Where chunks can be had for one snapshot. */
type Places = {
  /** A pack by position in the shelf; NOWHERE: the chunk is whole in no pack that the snapshot's list names. */
  of(id: Buffer): number;
  /** Whether any pack of its list has the chunk, whole or not. */
  isNamed(id: Buffer): boolean;
  /** Packs of its list in which the chunk was. */
  lost(id: Buffer): readonly string[];
  isListed(pack: number): boolean;
  /** Packs of its list that know nothing of something that an index says is in them. */
  lacking(): readonly string[];
};

function placesFor({ shelf }: WriterTrees, cover: OpenedCover, states: PackStates): Places {
  const { packs, absent } = shelf;
  const { table } = shelf.chunks;
  const isListed = (at: number): boolean => {
    const pack = packs[at];
    return pack !== undefined && states.isListed(cover, pack);
  };
  const all = (id: Buffer): number[] => {
    const found: number[] = [];
    for (let slot = table.find(id); slot >= 0; slot = table.findNext(slot, id)) {
      const at = table.packOf(slot);
      if (isListed(at)) found.push(at);
    }
    return found;
  };
  const nameOf = (at: number): string => {
    const pack = packs[at];
    return pack ? packName(pack) : '';
  };
  const isAbsent = (at: number, id: Buffer): boolean =>
    absent.get(at)?.has(id.toString('latin1')) === true;
  const isWhole = (at: number, id: Buffer): boolean =>
    !states.isBad(nameOf(at)) && !states.isDamaged(nameOf(at), id) && !isAbsent(at, id);
  return {
    of: (id) => all(id).find((at) => isWhole(at, id)) ?? NOWHERE,
    isNamed: (id) => all(id).length > 0,
    lost: (id) => all(id).map(nameOf),
    isListed,
    lacking: () => [...absent.keys()].filter(isListed).map(nameOf),
  };
}

function* eachId(ids: Buffer): Generator<Buffer> {
  for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) {
    yield ids.subarray(at, at + CHUNK_ID_BYTES);
  }
}

const open = (
  repository: ReaderRepository,
  cover: OpenedCover,
  shelf: Shelf,
  signal: AbortSignal,
): Promise<SnapshotReader> => openSnapshot(repository, cover, () => undefined, signal, shelf);

/** An object that is not what it was, or a snapshot that nobody made in good faith. */
const isSpoilt = (error: unknown): error is FerryError =>
  isObjectFault(error) || (error instanceof FerryError && error.code === 'target-unsafe');
