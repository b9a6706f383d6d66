/**
 * repair: indexes that are missing or bad are made anew from the packs themselves; a pack or pack list that is damaged
 * is announced by a tombstone, so that the next push of its machine stores again what that machine still has. No
 * snapshot and no pack is taken away, and what cannot be got back is named. Interrupted, the next run does the rest.
 */
import type { Emit } from '../base/events.ts';
import { publicHalves } from '../crypto/identity.ts';
import type { Random } from '../crypto/sodium.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { parseWriterObjectName } from '../format/names.ts';
import type { ListedPack } from '../format/pack-list.ts';
import { visitIndexes, writeIndex, type IndexKeys } from '../repository/indexes.ts';
import type { ReaderRepository } from '../repository/open.ts';
import { packName, readOwnDirectories } from '../repository/pack-reader.ts';
import { readTombstones, writeTombstone } from '../repository/tombstones.ts';
import type { KnownWriter } from '../repository/writers.ts';
import { examine, type Examined } from './check/check.ts';
import type { CheckProblem } from './check/faults.ts';
import type { StoredObject } from './prune/prune-plan.ts';
import { sweep, type RefusedDelete } from './prune/sweep.ts';

export type RepairRequest = {
  /** Packs that are read whole to find the damaged ones; 0: only what can be seen from outside. */
  readonly readPercent: number;
  /** The store's time. */
  readonly nowMs: number;
  /** Nothing is stored or deleted. */
  readonly dryRun?: boolean;
};

export type RepairDeps = {
  readonly repository: ReaderRepository;
  readonly random: Random;
  readonly emit: Emit;
  /** Asked once the plan stands, before anything is changed; throws when it is not to be. */
  readonly approve?: (plan: RepairPlan) => Promise<void>;
};

export type RepairPlan = {
  readonly indexes: readonly IndexRepair[];
  /** Damaged packs and pack lists that no tombstone names yet. */
  readonly condemn: readonly string[];
  /** What stays lost until it is pushed again, if it still is somewhere. */
  readonly problems: readonly CheckProblem[];
  readonly snapshots: number;
  readonly packs: number;
  readonly read: Examined['read'];
};

export type IndexRepair = {
  readonly writer: KnownWriter;
  /** Packs that no good index names, as they describe themselves. */
  readonly packs: readonly IndexedPack[];
  /** Indexes that cannot be read, or that say something else than the packs; the new ones take their place. */
  readonly bad: readonly StoredObject[];
};

export type Repaired = {
  readonly plan: RepairPlan;
  /** How many indexes were made. */
  readonly made: number;
  readonly replaced: number;
  readonly refused: readonly RefusedDelete[];
};

export async function repair(
  request: RepairRequest,
  deps: RepairDeps,
  signal: AbortSignal,
): Promise<Repaired> {
  const { repository, random, emit } = deps;
  const plan = await planRepair(request, deps, signal);
  const nothing: Repaired = { plan, made: 0, replaced: 0, refused: [] };
  const isNeeded = plan.condemn.length + plan.indexes.length > 0;
  if (request.dryRun === true || !isNeeded) return nothing;
  await deps.approve?.(plan);
  emit({ type: 'stage', stage: 'repair' });
  if (plan.condemn.length > 0) await writeTombstone(repository, plan.condemn, random, signal);
  let made = 0;
  for (const { writer, packs } of plan.indexes) {
    for (const group of groups(packs)) {
      await writeIndex(repository.store, keysOf(repository, writer), group, random, signal);
      made += 1;
    }
  }
  // Only when what takes their place is stored.
  const bad = plan.indexes.flatMap((one) => one.bad);
  const swept = await sweep(repository.store, bad, request.nowMs, signal);
  return { plan, made, replaced: swept.deleted.length, refused: swept.refused };
}

async function planRepair(
  request: RepairRequest,
  deps: RepairDeps,
  signal: AbortSignal,
): Promise<RepairPlan> {
  const { repository, emit } = deps;
  const { store, id, identity } = repository;
  const found = await examine(repository, request, { emit }, signal);
  const { root } = publicHalves(identity);
  const tombstones = await readTombstones({ store, id, root }, emit, signal);
  const announced = new Set(tombstones.flatMap(({ condemned }) => condemned));
  const problems = found.faults.problems();
  const damaged = problems.filter(isDamagedPart).map(({ object }) => object);
  const spoilt = new Set([...damaged, ...announced]);
  const indexes: IndexRepair[] = [];
  for (const writer of repository.writers.values()) {
    const one = await indexRepair(request, deps, writer, spoilt, signal);
    if (one.packs.length + one.bad.length > 0) indexes.push(one);
  }
  const mended = new Set(indexes.flatMap(({ bad }) => bad.map(({ name }) => name)));
  return {
    indexes,
    condemn: damaged.filter((name) => !announced.has(name)),
    problems: problems.filter(({ object }) => !mended.has(object)),
    snapshots: found.snapshots.length,
    packs: found.needed.packs.size,
    read: found.read,
  };
}

/** A push sees for itself what is missing; what is there and damaged looks whole to it. */
const isDamagedPart = ({ object, code }: CheckProblem): boolean => {
  const folder = parseWriterObjectName(object)?.folder;
  return (folder === 'packs' || folder === 'lists') && code !== 'object-missing';
};

/** What an index says of packs of other machines was learned by a pull, and cannot be learned from here. */
async function indexRepair(
  { readPercent }: RepairRequest,
  { repository }: RepairDeps,
  writer: KnownWriter,
  spoilt: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<IndexRepair> {
  const { store } = repository;
  const named = new Map<string, { readonly index: string; readonly pack: IndexedPack }[]>();
  const bad = new Set<string>();
  const visitor = {
    good: (index: string, packs: readonly IndexedPack[]) => {
      for (const pack of packs) {
        named.set(packName(pack), [...(named.get(packName(pack)) ?? []), { index, pack }]);
      }
    },
    bad: (index: string, { code }: { readonly code: string }) => {
      if (code === 'object-damaged' || code === 'object-foreign') bad.add(index);
    },
  };
  await visitIndexes(store, keysOf(repository, writer), visitor, signal);
  const stored = await storedPacks(repository, writer, spoilt, signal);
  // Where every pack is read anyway, what the indexes say of them is looked at too.
  const asked = stored.filter((pack) => readPercent > 0 || !named.has(packName(pack)));
  const own = await ownDirectories(repository, asked, signal);
  for (const [name, { directory }] of own) {
    for (const { index, pack } of named.get(name) ?? []) {
      if (Buffer.compare(pack.directory, directory) !== 0) bad.add(index);
    }
  }
  const isGood = (name: string): boolean =>
    (named.get(name) ?? []).some((one) => !bad.has(one.index));
  const lacking = stored.filter((pack) => !isGood(packName(pack)));
  const more = await ownDirectories(
    repository,
    lacking.filter((pack) => !own.has(packName(pack))),
    signal,
  );
  const packs = lacking.flatMap(
    (pack) => own.get(packName(pack)) ?? more.get(packName(pack)) ?? [],
  );
  return { writer, packs, bad: await sizesOf(repository, writer, bad, signal) };
}

async function storedPacks(
  { store }: ReaderRepository,
  { id }: KnownWriter,
  spoilt: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ListedPack[]> {
  const packs: ListedPack[] = [];
  for await (const { name, size } of store.list(`packs/${id}/`, signal)) {
    const parsed = parseWriterObjectName(name);
    if (parsed && !spoilt.has(name)) packs.push({ writer: id, pack: parsed.id, size });
  }
  return packs;
}

/** One that cannot be opened has nothing to say; where a snapshot needs it, it stands among the problems. */
async function ownDirectories(
  repository: ReaderRepository,
  packs: readonly ListedPack[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, IndexedPack>> {
  const own = await readOwnDirectories(repository, packs, () => undefined, signal);
  return new Map(own.map((pack) => [packName(pack), pack]));
}

async function sizesOf(
  { store }: ReaderRepository,
  { id }: KnownWriter,
  names: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  if (names.size === 0) return objects;
  for await (const { name, size, modifiedMs } of store.list(`indexes/${id}/`, signal)) {
    if (names.has(name)) objects.push({ name, size, modifiedMs });
  }
  return objects;
}

const keysOf = ({ id }: ReaderRepository, { id: writer, subkeys }: KnownWriter): IndexKeys => ({
  repository: id,
  writer,
  key: subkeys.index,
});

const GROUP_BYTES_MAX = 16 * 1024 * 1024;
const GROUP_PACKS_MAX = 1024;

/** As many packs as one index may well hold. */
function* groups(packs: readonly IndexedPack[]): Generator<IndexedPack[]> {
  let group: IndexedPack[] = [];
  let bytes = 0;
  for (const pack of packs) {
    const isFull =
      group.length >= GROUP_PACKS_MAX || bytes + pack.directory.length > GROUP_BYTES_MAX;
    if (isFull && group.length > 0) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(pack);
    bytes += pack.directory.length;
  }
  if (group.length > 0) yield group;
}
