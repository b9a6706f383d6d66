/**
 * The packs of a snapshot with their directories: from the indexes, which are hints, and from the packs themselves
 * where no index knows better or where one turned out to be wrong.
 */
import { allEnded } from '../base/all-ended.ts';
import { isObjectFault, type FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { inLanes } from '../base/lanes.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { parseWriterObjectName } from '../format/names.ts';
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import { PACK_LIMITS, visitDirectory } from '../format/pack.ts';
import { bothVouched, isVouched } from '../format/vouched-directory.ts';
import type { ListedPack } from '../format/pack-list.ts';
import type { ChunkTable } from '../workers/chunk-table.ts';
import type { IdOffsets } from './id-offsets.ts';
import { addToTable, announceBad, readIndexes } from './indexes.ts';
import type { PackSource, ReaderRepository } from './open.ts';
import {
  DIRECTORIES_AT_ONCE,
  packName,
  readOwnDirectories,
  readOwnDirectory,
} from './pack-reader.ts';
import { readPackList } from './pack-lists.ts';
import { readRepackRecords } from './repack-records.ts';
import { replacementsNow } from './replacements.ts';
import type { OpenedCover } from './snapshots.ts';
import type { KnownWriter } from './writers.ts';

export type NeededPacks = {
  readonly packs: IndexedPack[];
  /** Positions in `packs` whose directory only an index vouches for. */
  readonly hinted: ReadonlySet<number>;
  /** By position, chunks that an index says are in a pack and that the pack itself knows nothing of. */
  readonly absent: Map<number, ReadonlySet<string>>;
};

/** Which pack holds which chunk, by position in the packs, and where in its directory the id stands. */
export type KnownChunks = { readonly table: ChunkTable; readonly offsets: IdOffsets };

/** With everything that repack records lead to, as far as it is there. */
export async function neededPacks(
  repository: ReaderRepository,
  writer: KnownWriter,
  { digest, cover }: OpenedCover,
  emit: Emit,
  signal: AbortSignal,
): Promise<NeededPacks> {
  const keys = { repository: repository.id, writer: writer.id, key: writer.subkeys.index };
  const [indexed, list, { records }] = await allEnded([
    readIndexes(repository.store, keys, announceBad(emit), signal),
    usableList(repository, writer, cover.packList, emit, signal),
    readRepackRecords(repository, emit, signal),
  ]);
  const own = list ?? (await everyPack(repository, writer, indexed, signal));
  const replacements = await replacementsNow(repository, records, own, signal);
  const listed = replacements.readableOf(digest, own);
  const { known, others } = lookUp(listed, indexed);
  const asked = await readOwnDirectories(repository, others, announceUnreadable(emit), signal);
  return { packs: [...known, ...asked], hinted: new Set(known.keys()), absent: new Map() };
}

/** Which of these packs the indexes know, as they lie in the store. */
export function lookUp(
  listed: readonly ListedPack[],
  indexed: readonly IndexedPack[],
): { readonly known: readonly IndexedPack[]; readonly others: readonly ListedPack[] } {
  const byName = new Map(indexed.map((pack) => [packName(pack), pack]));
  const known: IndexedPack[] = [];
  const others: ListedPack[] = [];
  for (const pack of listed) {
    const found = byName.get(packName(pack));
    if (found?.size === pack.size) known.push(found);
    else others.push(pack);
  }
  return { known, others };
}

export const announceUnreadable =
  (emit: Emit) =>
  ({ pack }: ListedPack, { code, message }: FerryError): void =>
    emit({ type: 'problem', path: pack, code, message });

async function usableList(
  repository: ReaderRepository,
  writer: KnownWriter,
  packList: string,
  emit: Emit,
  signal: AbortSignal,
): Promise<ListedPack[] | undefined> {
  const keys = { repository: repository.id, writer: writer.id, key: writer.subkeys.packList };
  try {
    return await readPackList(repository.store, keys, packList, signal);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    emit({
      type: 'notice',
      code: 'pack-list-unusable',
      message: `${error.message}; looking through every pack of ${writer.machine} instead`,
      hint: 'The next push from that machine writes a new list.',
    });
    return undefined;
  }
}

/** Instead of a list: every pack of that machine, and those that it adopted; the snapshot needs some of them. */
async function everyPack(
  repository: ReaderRepository,
  writer: KnownWriter,
  indexed: readonly IndexedPack[],
  signal: AbortSignal,
): Promise<ListedPack[]> {
  const packs: ListedPack[] = indexed.filter((pack) => pack.writer !== writer.id);
  for await (const { name, size } of repository.store.list(`packs/${writer.id}/`, signal)) {
    const parsed = parseWriterObjectName(name);
    if (parsed && size <= PACK_LIMITS.packBytesMax) {
      packs.push({ writer: parsed.writer, pack: parsed.id, size });
    }
  }
  return packs;
}

/**
 * Reads the directories that only an index vouched for from the packs themselves, and puts right what differs: the
 * key of an index lies on the machine that wrote it, so whoever takes that machine can write lies into one. Of a pack
 * that it adopted, an index says less than the pack itself, and that is no lie.
 * @returns whether more is known now
 */
export async function putRight(
  repository: PackSource,
  needed: NeededPacks,
  known: KnownChunks,
  emit: Emit,
  signal: AbortSignal,
): Promise<boolean> {
  let wrong = 0;
  let changed = 0;
  const check = async (ordinal: number): Promise<void> => {
    const pack = needed.packs[ordinal];
    const own = pack && (await ownDirectory(repository, pack, signal));
    if (!own || !correct(needed, ordinal, own.directory, known)) return;
    changed += 1;
    if (!bothVouched(own.directory, pack.directory)) wrong += 1;
  };
  await inLanes(needed.hinted, DIRECTORIES_AT_ONCE, signal, check);
  if (wrong === 0) return changed > 0;
  emit({
    type: 'notice',
    code: 'index-unusable',
    message: `the indexes are wrong about ${wrong} packs; their own directories are used instead`,
    hint: 'Somebody who had the keys of that machine wrote them: do not trust it any more.',
  });
  return true;
}

/**
 * Takes the pack's own word for what is in it. The table goes on naming it for what an index said of it: those
 * chunks are `absent`.
 * @returns whether anything was believed that is not so, or was not known
 */
export function correct(
  needed: NeededPacks,
  ordinal: number,
  directory: Uint8Array,
  { table, offsets }: KnownChunks,
): boolean {
  const believed = needed.packs[ordinal];
  if (!believed || Buffer.compare(believed.directory, directory) === 0) return false;
  const own = { ...believed, directory };
  const absent = vouchedIds(believed).difference(vouchedIds(own));
  if (absent.size > 0) {
    needed.absent.set(ordinal, absent.union(needed.absent.get(ordinal) ?? new Set()));
  }
  needed.packs[ordinal] = own;
  addToTable(table, own, ordinal, offsets);
  return true;
}

/** As latin1; of a damaged directory those before the damage, which is what a table learned from it. */
function vouchedIds({ directory }: IndexedPack): Set<string> {
  const ids = new Set<string>();
  try {
    visitDirectory(directory, SEALED_HEADER_BYTES, 'a directory', {
      chunk: (id) => void (isVouched(id) && ids.add(id.toString('latin1'))),
    });
  } catch (error) {
    if (!isObjectFault(error)) throw error;
  }
  return ids;
}

/** undefined: that pack cannot tell, and whoever needs its chunks will say so. */
async function ownDirectory(
  repository: PackSource,
  pack: ListedPack,
  signal: AbortSignal,
): Promise<IndexedPack | undefined> {
  try {
    return await readOwnDirectory(repository, pack, signal);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return undefined;
  }
}
