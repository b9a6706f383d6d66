/** What the pack lists of all snapshots say: which packs must be there, and who needs them. */
import { assert, isObjectFault } from '../../base/errors.ts';
import { inLanes } from '../../base/lanes.ts';
import {
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterId,
} from '../../format/names.ts';
import type { ListedPack } from '../../format/pack-list.ts';
import { absentPacks } from '../../repository/absent-packs.ts';
import { readIndexes } from '../../repository/indexes.ts';
import type { ReaderRepository, WriterRepository } from '../../repository/open.ts';
import { readPackList } from '../../repository/pack-lists.ts';
import { packName } from '../../repository/pack-reader.ts';
import { PackSets } from '../../repository/pack-sets.ts';
import { readRepackRecords } from '../../repository/repack-records.ts';
import { Replacements, standingOf } from '../../repository/replacements.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { Faults } from './faults.ts';

const LISTS_AT_ONCE = 8;

/** What the pack lists of all snapshots say. */
export type NeededPacks = {
  readonly packs: ReadonlyMap<string, Needed>;
  /** By the names of the lists. */
  readonly sets: PackSets;
};

export type Needed = {
  /** As its own machine says, where that says anything. */
  pack: ListedPack;
  /** The list that says so, and the snapshots that name it. */
  saidBy: Said;
  readonly writers: Set<WriterId>;
};

type Said = { readonly list: string; readonly by: readonly OpenedCover[] };

/** A snapshot whose list is unreadable may need any pack of its machine. */
export async function neededBy(
  repository: ReaderRepository | WriterRepository,
  snapshots: readonly OpenedCover[],
  faults: Faults,
  sizes: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<NeededPacks> {
  const packs = new Map<string, Needed>();
  const sets = new PackSets();
  const disputed: (Said & { readonly pack: ListedPack })[] = [];
  const replacements = await readMoves(repository, faults, sizes, signal);
  await inLanes(Map.groupBy(snapshots, listOf), LISTS_AT_ONCE, signal, async ([list, by]) => {
    const [first] = by;
    if (!first) return;
    const named = await listedPacks(repository, first, by, faults, sizes, signal);
    const digests = by.map(({ digest }) => digest);
    const listed = replacements.leanOf(digests, named);
    sets.add(list, 0, listed);
    for (const pack of listed) {
      const name = packName(pack);
      const saidBy = { list, by };
      const needed = packs.get(name) ?? { pack, saidBy, writers: new Set() };
      packs.set(name, needed);
      if (needed.pack.size !== pack.size) {
        const isOwn = first.writer === pack.writer;
        disputed.push(isOwn ? { ...needed.saidBy, pack: needed.pack } : { ...saidBy, pack });
        if (isOwn) [needed.pack, needed.saidBy] = [pack, saidBy];
      }
      needed.writers.add(first.writer);
    }
  });
  for (const { list, by, pack } of disputed) {
    const why = `it says that ${packName(pack)} has ${pack.size} bytes, and the machine that made it says otherwise`;
    faults.add(list, 'object-damaged', why);
    for (const one of by) faults.costsSnapshot(list, one);
  }
  return { packs, sets };
}

async function readMoves(
  repository: ReaderRepository | WriterRepository,
  faults: Faults,
  sizes: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<Replacements> {
  const { records, unreadable } = await readRepackRecords(repository, () => undefined, signal);
  for (const name of unreadable) {
    faults.add(name, 'object-damaged', 'it is damaged, or the root key did not sign it: ignored');
  }
  return new Replacements(records, standingOf(sizes, new Set()));
}

/** The name of the list that a snapshot names. */
export const listOf = ({ writer, cover }: OpenedCover): string =>
  writerObjectName('lists', writer, cover.packList as ObjectId);

/** Who needs a spoilt pack is named, also where it loses no file by it. */
export function noteNeeders(
  faults: Faults,
  { packs, sets }: NeededPacks,
  snapshots: readonly OpenedCover[],
): void {
  for (const [name, { pack }] of packs) {
    if (!faults.has(name)) continue;
    for (const one of snapshots) {
      if (sets.includes(listOf(one), pack)) faults.costsSnapshot(name, one);
    }
  }
}

async function listedPacks(
  repository: ReaderRepository | WriterRepository,
  first: OpenedCover,
  by: readonly OpenedCover[],
  faults: Faults,
  sizes: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<ListedPack[]> {
  const { writer, cover } = first;
  const { store, id } = repository;
  const subkeys =
    'identity' in repository ? repository.writers.get(writer)?.subkeys : repository.writer.subkeys;
  assert(subkeys, 'a listed snapshot has a known writer');
  try {
    const keys = { repository: id, writer, key: subkeys.packList };
    return await readPackList(store, keys, cover.packList, signal);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    const name = listOf(first);
    const cost =
      'pulls look through every pack of that machine instead, and prune keeps all of them';
    faults.add(name, error.code, `${error.message}; ${cost}`);
    for (const one of by) faults.costsSnapshot(name, one);
    const own = [...sizes].flatMap(([pack, size]) => {
      const parsed = parseWriterObjectName(pack);
      return parsed?.writer === writer ? [{ writer, pack: parsed.id, size }] : [];
    });
    // What is wrong with the indexes themselves is noted where they are looked at.
    const keys = { repository: id, writer, key: subkeys.index };
    const indexed = await readIndexes(store, keys, () => undefined, signal);
    return [...own, ...indexed.filter((pack) => pack.writer !== writer)];
  }
}

/**
 * What is missing or not as long as it was stored. Where a listing lags, the pack itself is asked.
 * @returns the sizes of all that are there
 */
export async function noteAbsent(
  store: ObjectStore,
  faults: Faults,
  { packs }: NeededPacks,
  listed: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const needed = new Map([...packs].map(([name, { pack }]) => [name, pack]));
  const unseen = [...needed].filter(([name, { size }]) => listed.get(name) !== size);
  const absent = await absentPacks(new Map(unseen), store, signal);
  const sizes = new Map(listed);
  for (const [name, pack] of unseen) {
    if (absent.has(name)) noteSize(faults, name, pack, listed.get(name));
    else sizes.set(name, pack.size);
  }
  return sizes;
}

function noteSize(
  faults: Faults,
  name: string,
  { size: stored }: ListedPack,
  size: number | undefined,
): void {
  if (size === undefined) faults.add(name, 'object-missing', 'it is missing');
  else faults.add(name, 'object-damaged', `it has ${size} bytes, ${stored} were stored`);
}
