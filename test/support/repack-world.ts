/** Nights of which each leaves a pack that is mostly dead some nights later. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FerryEvent } from '../../src/base/events.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { GRACE } from '../../src/maintenance/prune/prune-plan.ts';
import { repack, type Repacked } from '../../src/maintenance/repack/repack.ts';
import { listAll, NO_ABORT, pushTree } from './engine.ts';
import { dropSnapshot, later, type PruneWorld } from './prune-world.ts';
import { noise } from './tree.ts';

const LIMITS = { movedBytesMax: 1024 ** 3, deadShareMax: 0.1, graceMs: GRACE.defaultMs };

export async function runRepack(
  { reader, store }: Pick<PruneWorld, 'reader' | 'store'>,
  events: FerryEvent[] = [],
): Promise<Repacked> {
  const emit = (event: FerryEvent): void => void events.push(event);
  const deps = { repository: { ...reader, store }, random: systemRandom, emit };
  return await repack(LIMITS, deps, NO_ABORT);
}

/** Each night changes some files and adds a small one; all but the last two nights are forgotten. */
export async function nights(world: PruneWorld, count: number): Promise<void> {
  for (let night = 1; night <= count; night++) {
    for (const at of [1, 2, 3, 4, 5, 6]) {
      writeFileSync(join(world.tree, `changes-${at}`), noise(night * 10 + at, 100_000));
    }
    writeFileSync(join(world.tree, `changes-stays-${night}`), noise(1000 + night, 50_000));
    await pushTree(world.store, world.machine, world.tree);
    later(world, 1);
  }
  for (const snapshot of (await listAll(world.reader)).slice(0, -2)) {
    await dropSnapshot(world, snapshot);
  }
  later(world, 15);
}
