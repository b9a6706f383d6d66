/**
 * Which snapshots cannot be restored whole, as far as that can be seen without reading any pack: the list of a snapshot
 * is damaged or gone, or a pack that it names is not in the listing. Lists that were read once come from the cache.
 */
import type { ListedPack } from '../../format/pack-list.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { readListOf } from '../../repository/pack-lists.ts';
import { readRepackRecords } from '../../repository/repack-records.ts';
import { Replacements, standingOf } from '../../repository/replacements.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { readLists } from '../../repository/used-objects.ts';
import { listOf } from '../check/check-lists.ts';
import { listed } from '../prune/store-look.ts';

/** Their ids. What a repack record leads elsewhere from counts as there. */
export async function findNotWhole(
  repository: ReaderRepository,
  snapshots: readonly OpenedCover[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { store } = repository;
  const packs = await listed(store, 'packs', signal);
  const lists = await listed(store, 'lists', signal);
  const byList = Map.groupBy(snapshots, listOf);
  const listSizes = new Map([...lists].map(([name, { size }]) => [name, size]));
  const read = (snapshot: OpenedCover): Promise<readonly ListedPack[]> =>
    readListOf(repository, snapshot, signal);
  const { sets, faults } = await readLists(repository, byList, listSizes, read, signal);
  const unusable = new Set([...faults.keys()].map(listOf));
  const { records } = await readRepackRecords(repository, () => undefined, signal);
  const sizes = new Map([...packs].map(([name, { size }]) => [name, size]));
  const moved = new Set(new Replacements(records, standingOf(sizes, new Set())).emptied());
  const missing = new Set([...sets.union()].filter((name) => !packs.has(name) && !moved.has(name)));
  const isTorn = (list: string): boolean =>
    unusable.has(list) || (missing.size > 0 && sets.meets(list, missing));
  const torn = [...byList].filter(([list]) => isTorn(list));
  return new Set(torn.flatMap(([, all]) => all.map(({ id }) => id)));
}
