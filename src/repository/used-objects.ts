/**
 * Which packs and pack lists the snapshots need. Whoever decides by it what may be deleted must be sure, so nothing is
 * guessed: a snapshot or list that does not tell is answered as unreadable. A list that was read once comes from the
 * cache while the store still shows it with the same size.
 */
import { toHex } from '../base/bytes.ts';
import { isObjectFault } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { inLanes } from '../base/lanes.ts';
import {
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterFolder,
} from '../format/names.ts';
import { readHistory, type History } from './history.ts';
import type { ReaderRepository } from './open.ts';
import { PackSets } from './pack-sets.ts';
import { readListOf } from './pack-lists.ts';

const READS_AT_ONCE = 8;

/** A snapshot that does not tell what it needs. */
export type UnreadableSnapshot = {
  readonly object: string;
  readonly code: string;
  readonly message: string;
};

export type UsedObjects = Pick<History, 'snapshots'> & {
  readonly history: History;
  /** Names of packs and pack lists. */
  readonly used: ReadonlySet<string>;
  readonly unreadable: readonly UnreadableSnapshot[];
};

/**
 * Lists the snapshots and reads every pack list that they name.
 * @param sizes of the pack lists that the store showed, by name
 */
export async function readUsedObjects(
  repository: ReaderRepository,
  sizes: ReadonlyMap<string, number>,
  emit: Emit,
  signal: AbortSignal,
): Promise<UsedObjects> {
  const unreadable: UnreadableSnapshot[] = [];
  const hear: Emit = (event) => {
    if (event.type !== 'problem' || !parseWriterObjectName(event.path)) return emit(event);
    const { path: object, code, message } = event;
    unreadable.push({ object, code, message });
  };
  const history = await readHistory(repository, hear, signal);
  const { snapshots } = history;
  const byList = Map.groupBy(snapshots, ({ writer, cover }) =>
    writerObjectName('lists', writer, cover.packList as ObjectId),
  );
  const sets = cachedSets(repository, 'lists');
  sets.keep((name, size) => byList.has(name) && sizes.get(name) === size);
  const unread = [...byList].filter(([name]) => !sets.has(name));
  await inLanes(unread, READS_AT_ONCE, signal, async ([name, [snapshot]]) => {
    if (!snapshot) return;
    try {
      const packs = await readListOf(repository, snapshot, signal);
      // What no listing has shown yet is not found in the cache, whatever its size.
      sets.add(name, sizes.get(name) ?? 0, packs);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      unreadable.push({ object: snapshot.name, code: error.code, message: error.message });
    }
  });
  if (unread.length > 0) rememberSets(repository, 'lists', sets);
  return { snapshots, history, used: new Set([...sets.union(), ...byList.keys()]), unreadable };
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
