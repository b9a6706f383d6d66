/**
 * prune: takes away what no snapshot needs any more, in two steps that lie a grace period apart. One run announces by
 * a tombstone, which pushes heed from then on; a later one deletes what was announced and is still not needed. There is
 * no lock: two prunes at once, and pushes meanwhile, are safe. What was interrupted goes on with the next run.
 */
import { assert, isObjectFault } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { inLanes } from '../../base/lanes.ts';
import type { Random } from '../../crypto/sodium.ts';
import { parseWriterObjectName } from '../../format/names.ts';
import type { StoredDrill } from '../../repository/drill-records.ts';
import { readIndex } from '../../repository/indexes.ts';
import type { MachineState } from '../../repository/machine.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { writeTombstone } from '../../repository/tombstones.ts';
import { cachedSets, rememberSets, type StoreView } from '../../repository/used-objects.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { oldDrills } from './old-drills.ts';
import { GRACE, planPrune, type PrunePlan, type StoredObject } from './prune-plan.ts';
import { listed, lookAtStore, readUsed, refuseLacking, type DryRun } from './store-look.ts';
import { sweep, type RefusedDelete } from './sweep.ts';

export type PruneRequest = {
  /** At least GRACE.leastMs. */
  readonly graceMs: number;
  readonly dryRun?: DryRun | undefined;
  /**
   * What this machine has seen of each writer. With it, a repository that shows less than it should is not pruned:
   * packs of a snapshot that is only hidden would go.
   */
  readonly seen?: MachineState['highWater'];
};

export type PruneDeps = {
  readonly repository: ReaderRepository;
  readonly random: Random;
  readonly emit: Emit;
  /** Asked once the plan stands, before anything is changed; throws when it is not to be. */
  readonly approve?: (plan: PlannedPrune) => Promise<void>;
};

export type PlannedPrune = PrunePlan & {
  /** P3: indexes of which no pack is left afterwards. */
  readonly indexes: readonly StoredObject[];
  /** Drill records of which newer ones tell as much. */
  readonly drills: readonly StoredObject[];
  readonly snapshots: number;
  /** The store's time. */
  readonly nowMs: number;
  /** All packs and pack lists. */
  readonly stored: readonly StoredObject[];
};

export type Pruned = {
  readonly plan: PlannedPrune;
  readonly deleted: readonly StoredObject[];
  readonly refused: readonly RefusedDelete[];
  /** Planned and not deleted: a snapshot needs it now, or the run was cut short. The next run looks again. */
  readonly left: readonly StoredObject[];
};

/** @throws object-damaged, object-missing when a snapshot does not tell what it needs: nothing is deleted then */
export async function prune(
  request: PruneRequest,
  deps: PruneDeps,
  signal: AbortSignal,
): Promise<Pruned> {
  assert(request.graceMs >= GRACE.leastMs, 'a grace period that every push can rely on');
  const { repository, random, approve, emit } = deps;
  const { plan, view } = await look(request, deps, signal);
  const pruned = { plan, deleted: [], refused: [], left: [] };
  const changes = plan.condemn.length + plan.sweep.length + plan.spent.length + plan.drills.length;
  if (request.dryRun || changes === 0) return pruned;
  await approve?.(plan);
  emit({ type: 'stage', stage: 'prune' });
  // P1. What P2 deletes is in it too, unless a tombstone names it that will stay for long enough.
  if (plan.condemn.length > 0) await writeTombstone(repository, plan.condemn, random, signal);
  // P2. Hours may have passed at the question. What was worth a notice has been said.
  const quiet = { ...deps, emit: onlyProblems(emit) };
  const used = plan.sweep.length > 0 && (await readUsed(quiet, view, signal)).used;
  const [spared, doomed] = split(plan.sweep, ({ name }) => used !== false && used.has(name));
  // P3 comes when P2 went as planned; else the next run does it. The tombstones go last.
  const steps = spared.length > 0 ? [doomed] : [doomed, plan.indexes, plan.spent, plan.drills];
  return perform(steps, { ...pruned, left: spared }, repository.store, signal);
}

async function perform(
  steps: readonly (readonly StoredObject[])[],
  so: Pruned,
  store: ObjectStore,
  signal: AbortSignal,
): Promise<Pruned> {
  let pruned = so;
  for (const objects of steps) {
    const { deleted, refused, left } = await sweep(store, objects, so.plan.nowMs, signal);
    pruned = {
      plan: so.plan,
      deleted: [...pruned.deleted, ...deleted],
      refused: [...pruned.refused, ...refused],
      left: [...pruned.left, ...left],
    };
    if (refused.length + left.length > 0) break;
  }
  return pruned;
}

/** Snapshots after packs and lists. */
async function look(
  { graceMs, seen, dryRun }: PruneRequest,
  deps: PruneDeps,
  signal: AbortSignal,
): Promise<{ readonly plan: PlannedPrune; readonly view: StoreView }> {
  const { nowMs, tombstones, packs, stored, view } = await lookAtStore(deps, signal);
  const { used, snapshots, history } = await readUsed(deps, view, signal, dryRun);
  if (seen) refuseLacking(history, seen);
  const planned = planPrune({ graceMs, nowMs, tombstones, stored, used });
  const going = new Set(planned.sweep.map(({ name }) => name));
  const living = new Set([...packs.keys()].filter((name) => !going.has(name)));
  const isP3 = planned.sweep.length + planned.spent.length > 0;
  const drills = oldDrills(history.drills, nowMs - graceMs).map(objectOf);
  const indexes = isP3 ? await deadIndexes(deps, nowMs - graceMs, living, signal) : [];
  const plan = {
    ...planned,
    indexes,
    drills,
    snapshots: snapshots.length,
    nowMs,
    stored: [...stored.values()],
  };
  return { plan, view };
}

const objectOf = ({ name, size, storedMs }: StoredDrill): StoredObject => ({
  name,
  size,
  modifiedMs: storedMs,
});

const onlyProblems =
  (emit: Emit): Emit =>
  (event) =>
    event.type === 'problem' && emit(event);

/** Old ones that name no living pack. One that cannot be read is left where it is: `repair` is for that. */
async function deadIndexes(
  { repository, emit }: PruneDeps,
  olderThanMs: number,
  living: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<StoredObject[]> {
  const { store, id, writers } = repository;
  const indexes = await listed(store, 'indexes', signal);
  const sets = cachedSets(repository, 'indexes');
  sets.keep((name, size) => indexes.get(name)?.size === size);
  const unread = [...indexes.values()].filter(({ name }) => !sets.has(name));
  await inLanes(unread, READS_AT_ONCE, signal, async ({ name, size }) => {
    const writer = parseWriterObjectName(name)?.writer;
    const key = writer && writers.get(writer)?.subkeys.index;
    if (!key) return;
    try {
      sets.add(name, size, await readIndex(store, { repository: id, writer, key }, name, signal));
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      emit({ type: 'notice', code: 'index-unusable', message: `${error.message}; left alone` });
    }
  });
  if (unread.length > 0) rememberSets(repository, 'indexes', sets);
  const isDead = ({ name, modifiedMs }: StoredObject): boolean =>
    modifiedMs <= olderThanMs && sets.has(name) && !sets.meets(name, living);
  return [...indexes.values()].filter(isDead);
}

const READS_AT_ONCE = 4;

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}
