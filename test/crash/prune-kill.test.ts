/**
 * The world stops at every single store operation of a prune, before its effect and after it: nothing that a snapshot
 * needs is ever gone, and the next run goes on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultStore, WorldStopped } from '../support/fault-store.ts';
import {
  assertAllRestore,
  cloneWorld,
  dropSnapshot,
  later,
  namesBelow,
  pruneWorld,
  pushVersion,
  runPrune,
  type PruneWorld,
} from '../support/prune-world.ts';

/** A prune every two weeks: announced, deleted, and the announcement gone after seven. */
const RUNS_TO_REST = 6;

type Scene = {
  readonly world: PruneWorld;
  /** What no prune may delete. */
  readonly needed: readonly string[];
  /** How many objects are left when all is done. */
  readonly left: number;
};

test('a prune that stops while it announces deletes nothing, and the next one announces', async (context) => {
  const scene = await sceneOf(await garbage(await pruneWorld(context)));
  const crashes = await everyCrash(scene, async (crashed, what) => {
    const all = await namesBelow(crashed.store, '');
    const before = await namesBelow(scene.world.store, '');
    assert.deepEqual(
      before.filter((name) => !all.includes(name)),
      [],
      what,
    );
  });
  assert.ok(crashes >= 20, `${crashes} crashes`);
});

test('a prune that stops while it deletes goes on with the next run', async (context) => {
  const world = await garbage(await pruneWorld(context));
  await runPrune(world);
  later(world, 14);
  const scene = await sceneOf(world);
  const crashes = await everyCrash(scene, async (crashed, what) => {
    await runPrune(crashed);
    const packs = await namesBelow(crashed.store, 'packs/');
    const kept = scene.needed.filter((name) => name.startsWith('packs/'));
    assert.deepEqual(packs, kept, `${what}: the run after it has deleted the rest`);
  });
  assert.ok(crashes >= 40, `${crashes} crashes`);
});

/** Of five snapshots two are gone. */
async function garbage(world: PruneWorld): Promise<PruneWorld> {
  for (const version of [1, 2, 3, 4, 5]) {
    const made = await pushVersion(world, version);
    if (version % 2 === 0) await dropSnapshot(world, made);
  }
  later(world, 15);
  return world;
}

async function sceneOf(world: PruneWorld): Promise<Scene> {
  const done = await cloneWorld(world);
  for (let run = 1; run <= RUNS_TO_REST; run++) {
    await runPrune(done);
    later(done, 14);
  }
  const needed = await namesBelow(done.store, '');
  assert.ok(needed.length < (await namesBelow(world.store, '')).length, 'there is garbage');
  await assertAllRestore(done, 3);
  return { world, needed, left: needed.length };
}

async function everyCrash(
  scene: Scene,
  goOn: (crashed: PruneWorld, what: string) => Promise<void>,
): Promise<number> {
  const recorded = faultStore((await cloneWorld(scene.world)).store);
  await runPrune({ ...scene.world, store: recorded });
  let crashes = 0;
  for (const { number } of recorded.operations) {
    for (const stop of ['before', 'after'] as const) {
      const crashed = await cloneWorld(scene.world);
      const store = faultStore(crashed.store, { stopAt: number, stop });
      const operation = await stopOf(runPrune({ ...crashed, store }));
      if (!operation) continue;
      crashes += 1;
      const what = `stopped ${stop} operation ${number} (${operation})`;
      await assertNeeded(scene, crashed, what);
      await goOn(crashed, what);
      await converge(scene, crashed, what);
    }
  }
  await assertAllRestore(scene.world, 3);
  return crashes;
}

/** Undefined: it went to its end, since several deletes are under way at once. */
async function stopOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!(error instanceof WorldStopped)) throw error;
    return `${error.operation.kind} ${error.operation.name}`;
  }
}

async function converge(scene: Scene, crashed: PruneWorld, what: string): Promise<void> {
  for (let run = 1; run <= RUNS_TO_REST; run++) {
    later(crashed, 14);
    await runPrune(crashed);
    await assertNeeded(scene, crashed, what);
  }
  assert.equal((await namesBelow(crashed.store, '')).length, scene.left, what);
}

async function assertNeeded(scene: Scene, { store }: PruneWorld, what: string): Promise<void> {
  const there = new Set(await namesBelow(store, ''));
  assert.deepEqual(
    scene.needed.filter((name) => !there.has(name)),
    [],
    what,
  );
}
