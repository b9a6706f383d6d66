/**
 * repack: what lives in packs that are mostly dead is copied into new ones, and a record of the root key says so.
 * Nothing is deleted here and no snapshot is changed: from the record on the old packs are not needed, and an ordinary
 * prune announces and deletes them. Killed at any point it leaves at most new packs that nobody needs, which the same
 * prune takes away.
 */
import { assert, isObjectFault } from '../../base/errors.ts';
import { countText } from '../../base/quantity-text.ts';
import type { MachineState } from '../../repository/machine.ts';
import { readRepackRecords } from '../../repository/repack-records.ts';
import { Replacements, standingOf } from '../../repository/replacements.ts';
import { GRACE } from '../prune/prune-plan.ts';
import {
  lookAtStore,
  readUsed,
  refuseLacking,
  type DryRun,
  type StoreLook,
} from '../prune/store-look.ts';
import { agreedDirectory } from './emptied-pack.ts';
import { findLiving, livingBytesOf, type LivingChunks, type NeededPack } from './living-chunks.ts';
import { choosePacks, type PackLife, type RepackChoice, type RepackLimits } from './repack-plan.ts';
import { RepackRun, type RunDeps, type RunDone } from './repack-run.ts';

export const REPACK_LIMITS: RepackLimits = {
  movedBytesMax: 2 * 1024 ** 3,
  deadShareMax: 0.1,
};

export type RepackRequest = RepackLimits & {
  /** At least GRACE.leastMs: a pack is left alone for as long. */
  readonly graceMs: number;
  readonly dryRun?: DryRun | undefined;
  /** What this machine has seen of each writer, as for a prune. */
  readonly seen?: MachineState['highWater'];
};

export type RepackDeps = RunDeps & {
  /** Asked once the plan stands, before anything is stored; throws when it is not to be. */
  readonly approve?: (plan: RepackChoice) => Promise<void>;
};

export type Repacked = RunDone & { readonly plan: RepackChoice };

/** @throws object-damaged, object-missing when a snapshot does not tell what it needs */
export async function repack(
  request: RepackRequest,
  deps: RepackDeps,
  signal: AbortSignal,
): Promise<Repacked> {
  assert(request.graceMs >= GRACE.leastMs, 'a grace period that every push can rely on');
  const { plan, living } = await planRepack(request, deps, signal);
  const nothing = { plan, emptied: 0, made: 0, bytesRead: 0, bytesStored: 0 };
  if (request.dryRun || plan.chosen.length === 0) return nothing;
  await deps.approve?.(plan);
  deps.emit({ type: 'stage', stage: 'repack', detail: countText(plan.chosen.length, 'pack') });
  const run = new RepackRun(deps, living, plan);
  // What is under one key, in the folder of one machine, shares new packs.
  const groups = Map.groupBy(plan.chosen, ({ name }) => groupOf(living.needed.get(name)));
  for (const group of groups.values()) {
    for (const { name } of group) await run.empty(name, signal);
    await run.commit(signal);
  }
  return { plan, ...run.done };
}

function groupOf(needed: NeededPack | undefined): string {
  assert(needed, 'a pack that was chosen is needed');
  return [needed.pack.writer, ...[...needed.chunkIdKeys.keys()].toSorted()].join(' ');
}

async function planRepack(
  request: RepackRequest,
  deps: RepackDeps,
  signal: AbortSignal,
): Promise<{ readonly plan: RepackChoice; readonly living: LivingChunks }> {
  const { repository, emit } = deps;
  const look = await lookAtStore(deps, signal);
  const { snapshots, history } = await readUsed(deps, look.view, signal, request.dryRun);
  if (request.seen) refuseLacking(history, request.seen);
  const { records } = await readRepackRecords(repository, () => undefined, signal);
  const { sizes, announced } = look.view;
  const replacements = new Replacements(records, standingOf(sizes, announced));
  emit({ type: 'stage', stage: 'living', detail: countText(snapshots.length, 'snapshot') });
  const living = await findLiving(repository, snapshots, replacements, signal);
  const packs = [...living.needed].flatMap(([name, needed]) =>
    lifeOf(name, needed, living, look, request),
  );
  return { plan: choosePacks(packs, request), living };
}

/** None of one that is gone: there is nothing to be moved. */
function lifeOf(
  name: string,
  needed: NeededPack,
  living: LivingChunks,
  { nowMs, packs, view }: StoreLook,
  { graceMs }: RepackRequest,
): PackLife[] {
  const { pack, directories, isDoubtful } = needed;
  const stored = packs.get(name);
  if (stored?.size !== pack.size) return [];
  const directory = agreedDirectory(directories);
  const isKnown = directory !== undefined && !isDoubtful;
  return [
    {
      name,
      pack,
      livingBytes: isKnown ? livingBytes(needed, directory, living) : pack.size,
      mayGo: isKnown && nowMs - stored.modifiedMs >= graceMs && !view.announced.has(name),
    },
  ];
}

function livingBytes({ pack }: NeededPack, directory: Uint8Array, living: LivingChunks): number {
  try {
    return livingBytesOf({ ...pack, directory }, living.has);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return pack.size;
  }
}
