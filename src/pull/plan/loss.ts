/**
 * What of a snapshot is gone, by the presence and the sizes of its packs alone: known before anything is placed. What
 * is damaged inside a pack shows itself only when it is read.
 */
import { asBytePath, joinBytes, showPath } from '../../base/byte-path.ts';
import { assert, isObjectFault } from '../../base/errors.ts';
import { inLanes } from '../../base/lanes.ts';
import { CHUNK_ID_BYTES } from '../../crypto/sizes.ts';
import type { FileEntry } from '../../format/entry.ts';
import type { ListedPack } from '../../format/pack-list.ts';
import type { SnapshotRoot } from '../../format/snapshot.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { readPackList } from '../../repository/pack-lists.ts';
import { packName } from '../../repository/pack-reader.ts';
import { readRepackRecords } from '../../repository/repack-records.ts';
import { Replacements } from '../../repository/replacements.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import type { ObjectStore } from '../../store/object-store.ts';

export type Loss = {
  /** Packs that are not there, or not as long as they were stored. */
  readonly packs: readonly string[];
  /** Nothing but missing ones. */
  readonly isMissing: boolean;
  /** Files that cannot be had whole: the first of them by root and path, and how many there are. */
  readonly files: readonly string[];
  readonly filesLost: number;
  readonly bytesLost: number;
  /** Roots whose list of files is gone, or ends early, and how many files it does not name. */
  readonly unlisted: readonly { readonly root: string; readonly files: number }[];
};

type LackingPack = { readonly name: string; readonly isMissing: boolean };

/** Named one by one at most. */
const FILES_NAMED_MAX = 12;

/** Asks a store once which packs it has, for as many snapshots as are looked at. */
export class PackPresence {
  readonly #store: ObjectStore;
  readonly #listed = new Map<string, Promise<ReadonlyMap<string, number>>>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Those that are not there with the size that they were stored with. */
  async lacking(packs: readonly ListedPack[], signal: AbortSignal): Promise<LackingPack[]> {
    const doubtful: ListedPack[] = [];
    for (const pack of packs) {
      const sizes = await this.#sizesOf(pack.writer, signal);
      if (sizes.get(packName(pack)) !== pack.size) doubtful.push(pack);
    }
    // A listing may lag behind the objects themselves.
    const lacking: LackingPack[] = [];
    await inLanes(doubtful, STATS_AT_ONCE, signal, async (pack) => {
      const name = packName(pack);
      const there = await this.#store.stat(name, signal);
      if (there?.size !== pack.size) lacking.push({ name, isMissing: there === undefined });
    });
    return lacking;
  }

  #sizesOf(writer: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const known = this.#listed.get(writer) ?? this.#list(writer, signal);
    this.#listed.set(writer, known);
    return known;
  }

  async #list(writer: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for await (const { name, size } of this.#store.list(`packs/${writer}/`, signal)) {
      sizes.set(name, size);
    }
    return sizes;
  }
}

const STATS_AT_ONCE = 8;

/** undefined: everything that it needs is there, as far as that can be seen from outside. */
export async function findLoss(
  repository: ReaderRepository,
  presence: PackPresence,
  snapshot: SnapshotReader,
  signal: AbortSignal,
): Promise<Loss | undefined> {
  // Without a usable list nobody knows beforehand; what is missing then shows itself in the reading.
  const { lacking } = (await lookFor(repository, presence, snapshot.cover, signal)) ?? NOTHING;
  if (lacking.length === 0) return undefined;
  const names = new Set(lacking.map(({ name }) => name));
  const found = new LostFiles(snapshot, names);
  for (const root of snapshot.body.roots) await found.look(root);
  return {
    packs: [...names].toSorted(),
    isMissing: lacking.every(({ isMissing }) => isMissing),
    ...found.summary(),
  };
}

/**
 * The first of these snapshots of which every pack is there, and none of those that are known to be damaged.
 * @param newestFirst of one install
 */
export async function firstWhole(
  repository: ReaderRepository,
  presence: PackPresence,
  newestFirst: readonly OpenedCover[],
  damaged: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<OpenedCover | undefined> {
  for (const cover of newestFirst) {
    const found = await lookFor(repository, presence, cover, signal);
    if (!found || found.needed.some((pack) => damaged.has(packName(pack)))) continue;
    if (found.lacking.length === 0) return cover;
  }
  return undefined;
}

type Look = { readonly needed: readonly ListedPack[]; readonly lacking: readonly LackingPack[] };
const NOTHING: Look = { needed: [], lacking: [] };

/** A pack that is gone is not missed where a repack record leads to others that are all there. */
async function lookFor(
  repository: ReaderRepository,
  presence: PackPresence,
  cover: OpenedCover,
  signal: AbortSignal,
): Promise<Look | undefined> {
  const listed = await listedPacks(repository, cover, signal);
  if (!listed) return undefined;
  const lacking = await presence.lacking(listed, signal);
  if (lacking.length === 0) return { needed: listed, lacking };
  const { digest } = cover;
  const { records } = await readRepackRecords(repository, () => undefined, signal);
  const anywhere = new Replacements(records, { isThere: () => true, isAnnounced: () => false });
  const any = listed.flatMap((pack) => anywhere.anyOf(digest, pack));
  const lost = await presence.lacking(any, signal);
  const absent = new Set(lost.map(({ name }) => name));
  const isThere = (pack: ListedPack): boolean => !absent.has(packName(pack));
  const replacements = new Replacements(records, { isThere, isAnnounced: () => false });
  const needed = replacements.leanOf([digest], listed);
  const isNeeded = new Set(needed.map(packName));
  return { needed, lacking: lost.filter(({ name }) => isNeeded.has(name)) };
}

/** undefined: its list of packs is damaged or gone. */
async function listedPacks(
  { store, id, writers }: ReaderRepository,
  { writer, cover }: OpenedCover,
  signal: AbortSignal,
): Promise<ListedPack[] | undefined> {
  const known = writers.get(writer);
  assert(known, 'a listed snapshot has a known writer');
  try {
    const keys = { repository: id, writer, key: known.subkeys.packList };
    return await readPackList(store, keys, cover.packList, signal);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return undefined;
  }
}

/** Walks the trees as far as they are there. */
class LostFiles {
  readonly #snapshot: SnapshotReader;
  readonly #isLost: readonly boolean[];
  readonly #files: string[] = [];
  readonly #unlisted: { readonly root: string; readonly files: number }[] = [];
  #count = 0;
  #bytes = 0;

  constructor(snapshot: SnapshotReader, lostPacks: ReadonlySet<string>) {
    this.#snapshot = snapshot;
    this.#isLost = snapshot.packs.map((pack) => lostPacks.has(packName(pack)));
  }

  async look(root: SnapshotRoot): Promise<void> {
    let listed = 0;
    try {
      for await (const entry of this.#snapshot.entries(root)) {
        if (entry.type !== 'file') continue;
        listed += 1;
        if (!(await this.#hasAll(entry))) this.#add(root, entry);
      }
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      this.#unlisted.push({ root: root.name, files: Math.max(0, root.files - listed) });
    }
  }

  summary(): Omit<Loss, 'packs' | 'isMissing'> {
    return {
      files: this.#files,
      filesLost: this.#count,
      bytesLost: this.#bytes,
      unlisted: this.#unlisted,
    };
  }

  async #hasAll(entry: FileEntry): Promise<boolean> {
    let ids: Buffer;
    try {
      ids = await this.#snapshot.chunkIds(entry);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      return false;
    }
    for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) {
      if (!this.#isThere(ids.subarray(at, at + CHUNK_ID_BYTES))) return false;
    }
    return true;
  }

  /** In any pack that is left. */
  #isThere(id: Buffer): boolean {
    const { table } = this.#snapshot.chunks;
    for (let slot = table.find(id); slot >= 0; slot = table.findNext(slot, id)) {
      if (this.#isLost[table.packOf(slot)] === false) return true;
    }
    return false;
  }

  #add(root: SnapshotRoot, entry: FileEntry): void {
    this.#count += 1;
    this.#bytes += entry.size;
    if (this.#files.length >= FILES_NAMED_MAX) return;
    this.#files.push(showPath(joinBytes(asBytePath(root.name), entry.path)));
  }
}
