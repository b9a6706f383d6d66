/**
 * The middle of a pull, mirror of push's: select → plan → download → unseal → assemble → stage. Places trees in
 * stage directories and touches nothing else. A stage that an interrupted run left is completed.
 */
import type { Clock } from '../../base/clock.ts';
import type { Emit } from '../../base/events.ts';
import type { Entry } from '../../format/entry.ts';
import type { SystemTools } from '../../fs/system-tools.ts';
import type { OnVerified } from '../../repository/adoption.ts';
import type { PackSource } from '../../repository/open.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { PIPELINE } from '../../workers/limits.ts';
import { PackPool } from '../../workers/pack-pool.ts';
import { PACKS_TO_SHRINK_FOR, shrinkHeap } from '../../workers/small-heaps.ts';
import { Tasks, workerCount } from '../../workers/tasks.ts';
import { fetchPacks } from './fetch-packs.ts';
import type { Owner } from './file-table.ts';
import { finishStages } from './finish-stages.ts';
import { planStages, type StagesPlan } from './plan-stages.ts';
import { RestoreProgress } from './progress.ts';
import type { RestoreTarget } from './restore-target.ts';
import { Staging, type RestoreProblem } from './staging.ts';

export type RestoreRequest = {
  readonly snapshot: SnapshotReader;
  readonly targets: readonly RestoreTarget[];
  /** Who a restored entry belongs to; undefined: whoever runs this. */
  ownerOf(entry: Entry): Owner;
  readonly setIdAllowed: boolean;
};

export type RestoreDeps = {
  readonly repository: PackSource;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly tools: SystemTools;
  /** Hears of every chunk that was fetched whole. */
  readonly onVerified?: OnVerified | undefined;
};

export type Restored = {
  /** Files that are in the stage, and what they hold. */
  readonly files: number;
  readonly bytes: number;
  readonly bytesFetched: number;
  /** Files that could not be restored whole; they are not in the stage. */
  readonly problems: readonly RestoreProblem[];
  /** Names of the packs that did not deliver. */
  readonly packsLost: readonly string[];
};

/** @throws object-missing, object-damaged (the tree itself), no-space, target-unsafe */
export async function restoreTrees(
  request: RestoreRequest,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<Restored> {
  const { targets, setIdAllowed } = request;
  // Parts of one root in several stages are no more than that root.
  const roots = [...new Set(targets.map(({ root }) => root))];
  const bytesMax = roots.reduce((sum, { bytes }) => sum + bytes, 0);
  const filesMax = roots.reduce((sum, { files }) => sum + files, 0);
  const staging = new Staging(targets, setIdAllowed, deps.emit);
  const progress = new RestoreProgress(deps.emit, deps.clock, bytesMax, filesMax);
  try {
    const { plan, packsLost } = await fill(request, { staging, progress, bytesMax }, deps, signal);
    await finishStages(staging, plan, deps, signal);
    const { bytesFetched } = progress;
    return { ...staging.files.arrivedInAll(), bytesFetched, problems: staging.problems, packsLost };
  } finally {
    progress.end();
    staging.close();
  }
}

type Filling = {
  readonly staging: Staging;
  readonly progress: RestoreProgress;
  readonly bytesMax: number;
};

/** All that is done by several threads: they are gone when the stages are finished, which takes memory too. */
async function fill(
  request: RestoreRequest,
  { staging, progress, bytesMax }: Filling,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<{ plan: StagesPlan; packsLost: readonly string[] }> {
  const { snapshot } = request;
  const { pool, tasks } = startLine(request, staging);
  try {
    const { emit } = deps;
    const ownerOf = (entry: Entry): Owner => request.ownerOf(entry);
    const planning = { snapshot, staging, tasks, progress, emit, ownerOf, bytesMax };
    const plan = await planStages(planning, signal);
    const line = { snapshot, staging, pool, tasks, progress };
    return { plan, packsLost: await download(plan, line, deps, signal) };
  } finally {
    pool.stop();
    await tasks.close();
  }
}

/** The threads, and the buffers that packs come down into. */
function startLine(
  { snapshot, targets, setIdAllowed }: RestoreRequest,
  { stages }: Staging,
): { pool: PackPool; tasks: Tasks } {
  const threads = workerCount();
  const largest = snapshot.packs.reduce((most, { size }) => Math.max(most, size), 64 * 1024);
  const buffers = threads + PIPELINE.spareBuffers;
  const pool = PackPool.create(buffers, largest);
  for (let buffer = 0; buffer < buffers; buffer++) pool.free(buffer);
  const tasks = new Tasks(threads, () => undefined);
  const setup = { pool: pool.shared, chunkIdKey: snapshot.chunkIdKey, stages, setIdAllowed };
  tasks.tellAll({ type: 'begin restore', setup });
  // Who wants a few files may never need them.
  if (targets.every(({ only }) => only === undefined)) tasks.startAll();
  return { pool, tasks };
}

type Line = {
  readonly snapshot: SnapshotReader;
  readonly staging: Staging;
  readonly pool: PackPool;
  readonly tasks: Tasks;
  readonly progress: RestoreProgress;
};

/** Names of the packs that did not deliver. */
async function download(
  { wanted, incomplete }: StagesPlan,
  { snapshot, staging, pool, tasks, progress }: Line,
  { emit, repository, onVerified }: RestoreDeps,
  signal: AbortSignal,
): Promise<string[]> {
  emit({ type: 'stage', stage: 'download' });
  snapshot.letGo();
  if (wanted.size >= PACKS_TO_SHRINK_FOR) shrinkHeap();
  const packsLost = new Set<string>();
  await fetchPacks(
    wanted,
    {
      repository,
      snapshot,
      pool,
      tasks,
      fileOf: (number) => staging.files.file(number),
      onBytes: (placed, fetched) => progress.add(placed, fetched),
      onPlaced: (file) => {
        if (staging.files.arrived(file)) progress.fileDone();
      },
      onVerified,
      onLost: (file, pack, why) => {
        packsLost.add(pack);
        staging.lose(file, `${why} (${pack})`);
      },
    },
    signal,
  );
  for (const number of incomplete) staging.lose(number, 'a chunk is in no pack');
  for (let thread = 0; thread < tasks.threadsStarted; thread++) {
    await tasks.run('done', { type: 'finish restore' }, thread);
  }
  return [...packsLost];
}
