/**
 * The world stops at every single store operation of a push, before its effect and after it, and whatever is left
 * goes on: with the cache, without it, and on another machine that only reads.
 */
import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ReaderRepository } from '../../src/repository/open.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import type { OpenedCover } from '../../src/repository/snapshots.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import {
  allObjects,
  cloneStore,
  engineFolder,
  listAll,
  makeEngine,
  openReader,
  pushTree,
  restoreTo,
  type Engine,
  type Machine,
} from '../support/engine.ts';
import {
  copyMachine,
  crashPush,
  operationsOfPush,
  withoutCache,
  type Crash,
} from '../support/engine-crash.ts';
import { faultStore } from '../support/fault-store.ts';
import { makeTree, noise, treeDifferences } from '../support/tree.ts';

type Scene = {
  readonly engine: Engine;
  readonly reader: ReaderRepository;
  /** The tree to be pushed, and as it was for earlier snapshots. */
  readonly tree: string;
  readonly before: string | undefined;
};

test('a push that stops at any operation loses nothing: after an earlier push', async (context) => {
  const scene = await makeScene(context, true);
  await everyCrash(scene);
});

test('a push that stops at any operation loses nothing: the first push', async (context) => {
  const scene = await makeScene(context, false);
  await everyCrash(scene);
});

test('an init that stops at any operation can be done again', async (context) => {
  const folder = engineFolder(context);
  const recorded = faultStore(openMemoryStore());
  await makeEngine(folder, recorded);
  const tree = join(folder, 'tree');
  makeTree(tree, 2);
  assert.ok(recorded.operations.length >= 6);
  for (const { number } of recorded.operations) {
    for (const stop of ['before', 'after'] as const) {
      const what = `stopped ${stop} operation ${number}`;
      const inner = openMemoryStore();
      const crashed = makeEngine(folder, faultStore(inner, { stopAt: number, stop }));
      await assert.rejects(crashed, /the world stopped/, what);
      const isThere = (await allObjects(inner)).has('stateferry.json');
      assert.equal(isThere, number === recorded.operations.length && stop === 'after', what);
      if (isThere) continue;
      const { machine } = await makeEngine(folder, inner);
      await pushTree(inner, machine, tree);
      const reader = await openReader(inner);
      assert.equal((await listAll(reader)).length, 1, what);
    }
  }
});

async function makeScene(context: TestContext, pushedBefore: boolean): Promise<Scene> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 1, { bulkBytes: 900 * 1024 });
  const reader = await openReader(engine.store);
  if (!pushedBefore) return { engine, reader, tree, before: undefined };
  await pushTree(engine.store, engine.machine, tree);
  const before = join(folder, 'before');
  cpSync(tree, before, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  await restoreFirst(reader, before);
  writeFileSync(join(tree, 'agents/main/sessions/s0.jsonl'), '{"changed":true}\n');
  writeFileSync(join(tree, 'new-bulk'), noise(99, 1300 * 1024));
  rmSync(join(tree, 'bulk-000'));
  return { engine, reader, tree, before };
}

/** cp keeps neither nanoseconds nor hard links: the restored first snapshot is the better copy. */
async function restoreFirst(reader: ReaderRepository, before: string): Promise<void> {
  rmSync(before, { recursive: true });
  const [first] = await listAll(reader);
  assert.ok(first);
  const restored = await restoreTo(reader, first, before);
  assert.deepEqual(restored.problems, []);
}

async function everyCrash(scene: Scene): Promise<void> {
  const { engine, tree } = scene;
  const { store, machine, folder } = engine;
  const operations = await operationsOfPush(store, machine, tree, folder);
  let crashes = 0;
  for (const { number } of operations) {
    for (const stop of ['before', 'after'] as const) {
      const crash = await crashPush(store, machine, tree, { stopAt: number, stop }, folder);
      if (!crash) continue;
      crashes += 1;
      const { kind, name } = crash.operation;
      await goOn(scene, crash, `stopped ${stop} operation ${number} (${kind} ${name})`);
    }
  }
  // Packs are stored side by side, so a run may have one more or less of them.
  assert.ok(crashes >= 16 && crashes >= 2 * operations.length - 2, `${crashes} crashes`);
}

async function goOn(scene: Scene, crash: Crash, what: string): Promise<void> {
  const { folder } = scene.engine;
  const known = scene.before === undefined ? 0 : 1;
  const pulled = await readSnapshots(scene, crash.store, `${what}, then pulled`);
  await restoreEach(scene, crash.store, pulled.slice(known), `${what}, then pulled`);

  const again = copyMachine(crash.machine, join(folder, 'again'));
  const store = await cloneStore(crash.store);
  const all = await pushAgain(scene, store, again, `${what}, pushed again`);
  await restoreEach(scene, store, all, `${what}, pushed again`);

  const fresh = withoutCache(copyMachine(crash.machine, join(folder, 'fresh')));
  const more = await pushAgain(scene, crash.store, fresh, `${what}, pushed without cache`);
  await restoreEach(scene, crash.store, more.slice(-1), `${what}, pushed without cache`);
}

async function pushAgain(
  scene: Scene,
  store: ObjectStore,
  machine: Machine,
  what: string,
): Promise<readonly OpenedCover[]> {
  const pushed = await pushTree(store, machine, scene.tree);
  assert.equal(machine.state.pending, undefined, what);
  const snapshots = await readSnapshots(scene, store, what);
  assert.equal(snapshots.at(-1)?.id, pushed.id, `${what}: the newest snapshot is the new one`);
  return snapshots;
}

async function readSnapshots(
  scene: Scene,
  store: ObjectStore,
  what: string,
): Promise<readonly OpenedCover[]> {
  const events: FerryEvent[] = [];
  const snapshots = await listAll({ ...scene.reader, store }, events);
  assert.deepEqual(events, [], what);
  const sequences = snapshots.map(({ cover }) => cover.sequence);
  assert.deepEqual(sequences, [...new Set(sequences)], `${what}: no sequence twice`);
  if (scene.before !== undefined) assert.ok(snapshots.length > 0, `${what}: the old one is there`);
  return snapshots;
}

/** The first one is the tree of before, where there is one, and every other the tree of now. */
async function restoreEach(
  scene: Scene,
  store: ObjectStore,
  snapshots: readonly OpenedCover[],
  what: string,
): Promise<void> {
  const out = join(scene.engine.folder, 'out');
  for (const snapshot of snapshots) {
    rmSync(out, { recursive: true, force: true });
    const restored = await restoreTo({ ...scene.reader, store }, snapshot, out);
    assert.deepEqual(restored.problems, [], what);
    const isOld = scene.before !== undefined && snapshot.cover.sequence === 1;
    const expected = isOld ? (scene.before ?? '') : scene.tree;
    assert.deepEqual(treeDifferences(expected, out), [], what);
  }
}
