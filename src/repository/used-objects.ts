/**
 * Which packs and pack lists the snapshots need. Whoever decides by it what may be deleted must be sure, so nothing is
 * guessed: a snapshot that does not tell is answered as unreadable. Where only its list is damaged, its tree tells. A
 * list that was read once comes from the cache while the store still shows it with the same size.
 */
import { toHex } from '../base/bytes.ts';
import { isObjectFault, type FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { inLanes } from '../base/lanes.ts';
import {
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterFolder,
} from '../format/names.ts';
import type { ListedPack } from '../format/pack-list.ts';
import { readHistory, type History } from './history.ts';
import type { ReaderRepository } from './open.ts';
import { PackSets } from './pack-sets.ts';
import { readListOf } from './pack-lists.ts';
import { packName } from './pack-reader.ts';
import { readRepackRecords } from './repack-records.ts';
import { Replacements, standingOf } from './replacements.ts';
import type { OpenedCover } from './snapshots.ts';
import { unlistedPacks } from './unlisted-packs.ts';

const READS_AT_ONCE = 8;

/** A snapshot that does not tell what it needs. */
export type UnreadableSnapshot = {
  readonly object: string;
  readonly code: string;
  readonly message: string;
};

export type StoreView = {
  readonly sizes: ReadonlyMap<string, number>;
  readonly announced: ReadonlySet<string>;
};

export type UsedObjects = Pick<History, 'snapshots'> & {
  readonly history: History;
  /** Names of packs and pack lists. */
  readonly used: ReadonlySet<string>;
  readonly unreadable: readonly UnreadableSnapshot[];
};

/**
 * Lists the snapshots and reads every pack list that they name.
 * @param sizes of the packs and pack lists that the store showed, by name
 * @param announced what tombstones name, read before the listing
 * @param without digests of snapshots that count as if they were not there
 */
export async function readUsedObjects(
  repository: ReaderRepository,
  { sizes, announced }: StoreView,
  emit: Emit,
  signal: AbortSignal,
  without: ReadonlySet<string> = new Set(),
): Promise<UsedObjects> {
  const unreadable: UnreadableSnapshot[] = [];
  const hear: Emit = (event) => {
    if (event.type !== 'problem' || !parseWriterObjectName(event.path)) return emit(event);
    const { path: object, code, message } = event;
    unreadable.push({ object, code, message });
  };
  const history = await readHistory(repository, hear, signal);
  const snapshots = history.snapshots.filter(({ digest }) => !without.has(digest));
  const byList = Map.groupBy(snapshots, ({ writer, cover }) =>
    writerObjectName('lists', writer, cover.packList as ObjectId),
  );
  const read = (snapshot: OpenedCover): Promise<readonly ListedPack[]> =>
    packsOf(repository, snapshot, emit, signal);
  const { sets, faults } = await readLists(repository, byList, sizes, read, signal);
  for (const [{ name: object }, { code, message }] of faults) {
    unreadable.push({ object, code, message });
  }
  const found = await readRepackRecords(repository, emit, signal);
  const packs = usedPacks(
    sets,
    byList,
    new Replacements(found.records, standingOf(sizes, announced)),
  );
  const isAnyGone = [...packs].some((name) => !sizes.has(name));
  for (const object of isAnyGone ? found.unreadable : []) {
    const message = 'it cannot be read, and a pack is missing that it may be about';
    unreadable.push({ object, code: 'object-damaged', message });
  }
  return { snapshots, history, used: new Set([...packs, ...byList.keys()]), unreadable };
}

export type ReadLists = {
  /** By the name of the list. */
  readonly sets: PackSets;
  /** Lists that cannot be read, by the first snapshot that names them. */
  readonly faults: ReadonlyMap<OpenedCover, FerryError>;
};

/**
 * What pack lists name. One that was read once comes from the cache while the store still shows it with the same size.
 * @param byList snapshots by the name of their list
 */
export async function readLists(
  repository: ReaderRepository,
  byList: ReadonlyMap<string, readonly OpenedCover[]>,
  sizes: ReadonlyMap<string, number>,
  read: (snapshot: OpenedCover) => Promise<readonly ListedPack[]>,
  signal: AbortSignal,
): Promise<ReadLists> {
  const sets = cachedSets(repository, 'lists');
  sets.keep((name, size) => byList.has(name) && sizes.get(name) === size);
  const unread = [...byList].filter(([name]) => !sets.has(name));
  const faults = new Map<OpenedCover, FerryError>();
  await inLanes(unread, READS_AT_ONCE, signal, async ([name, [snapshot]]) => {
    if (!snapshot) return;
    try {
      // What no listing has shown yet is not found in the cache, whatever its size.
      sets.add(name, sizes.get(name) ?? 0, await read(snapshot));
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      faults.set(snapshot, error);
    }
  });
  if (unread.length > 0) rememberSets(repository, 'lists', sets);
  return { sets, faults };
}

/** A list that is damaged or gone is made up for, as far as the snapshot's tree is there. */
async function packsOf(
  repository: ReaderRepository,
  snapshot: OpenedCover,
  emit: Emit,
  signal: AbortSignal,
): Promise<readonly ListedPack[]> {
  try {
    return await readListOf(repository, snapshot, signal);
  } catch (error) {
    if (!isObjectFault(error) || error.code === 'format-too-new') throw error;
  }
  return await unlistedPacks(repository, snapshot, emit, signal);
}

/** What the lists name, but for what a repack record replaces for every snapshot that needs it. */
function usedPacks(
  sets: PackSets,
  byList: ReadonlyMap<string, readonly OpenedCover[]>,
  replacements: Replacements,
): Set<string> {
  const listed = sets.union();
  const used = new Set<string>(listed);
  const needed = new Set<string>();
  for (const name of replacements.emptied()) {
    const parsed = parseWriterObjectName(name);
    if (!parsed || !listed.has(name)) continue;
    used.delete(name);
    const pack = { writer: parsed.writer, pack: parsed.id, size: 0 };
    for (const [list, snapshots] of byList) {
      if (!sets.includes(list, pack)) continue;
      const digests = snapshots.map(({ digest }) => digest);
      for (const one of replacements.neededOf(digests, [pack])) needed.add(packName(one));
    }
  }
  return used.union(needed);
}

/** One row: it is whole or it is none, so no set is ever held against another table of names. */
export function cachedSets(repository: ReaderRepository, folder: WriterFolder): PackSets {
  const bytes = repository.cache.object(rowOf(repository, folder));
  try {
    return bytes ? PackSets.decode(bytes, folder) : new PackSets();
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return new PackSets();
  }
}

export function rememberSets(
  repository: ReaderRepository,
  folder: WriterFolder,
  sets: PackSets,
): void {
  const bytes = sets.encode();
  if (!bytes) return;
  repository.cache.setObject(rowOf(repository, folder), bytes);
  repository.cache.flush();
}

/** Another repository may call itself by the same id. */
const rowOf = ({ identity }: ReaderRepository, folder: WriterFolder): string =>
  `packs named in ${folder} under ${toHex(identity.root.publicKey)}`;
