/** Several pushes at once: no locks between machines, and nobody loses anything. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FerryEvent } from '../../src/base/events.ts';
import {
  engineFolder,
  joinEngine,
  listAll,
  machineIn,
  makeEngine,
  openReader,
  pushTree,
  restoreTo,
  type Engine,
} from '../support/engine.ts';
import { makeTree, treeDifferences } from '../support/tree.ts';

/** Restores every snapshot by its label into a folder and compares with the tree of that label. */
async function assertEach(
  { store, folder }: Engine,
  expected: readonly (readonly [label: string, tree: string])[],
): Promise<FerryEvent[]> {
  const reader = await openReader(store);
  const events: FerryEvent[] = [];
  const snapshots = await listAll(reader, events);
  assert.equal(snapshots.length, expected.length);
  for (const [label, tree] of expected) {
    const snapshot = snapshots.find(({ cover }) => cover.label === label);
    assert.ok(snapshot, label);
    const out = join(folder, `out-${label}`);
    const restored = await restoreTo(reader, snapshot, out);
    assert.deepEqual(restored.problems, []);
    assert.deepEqual(treeDifferences(tree, out), [], label);
  }
  return events;
}

test('two machines push at once, while a third joins', async (context) => {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const second = await joinEngine(engine, 'island');
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  // Half of it is the same on both: nobody counts on the other's packs.
  makeTree(join(one, 'same'), 1, { bulkBytes: 1_200_000 });
  makeTree(join(two, 'same'), 1, { bulkBytes: 1_200_000 });
  makeTree(join(one, 'own'), 2, { bulkBytes: 900_000 });
  makeTree(join(two, 'own'), 3, { bulkBytes: 900_000 });
  const [, , third] = await Promise.all([
    pushTree(engine.store, engine.machine, one, { label: 'harbour' }),
    pushTree(engine.store, second, two, { label: 'island' }),
    joinEngine(engine, 'lighthouse'),
  ]);
  await pushTree(engine.store, third, one, { label: 'lighthouse' });
  const events = await assertEach(engine, [
    ['harbour', one],
    ['island', two],
    ['lighthouse', one],
  ]);
  assert.deepEqual(events, []);
});

test('the same settings used twice at once: both pushes are whole, and the fork is reported', async (context) => {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  makeTree(one, 4, { bulkBytes: 1_200_000 });
  makeTree(two, 5, { bulkBytes: 1_200_000 });
  const copied = machineIn(folder, structuredClone(engine.machine.state), 'copied');
  await Promise.all([
    pushTree(engine.store, engine.machine, one, { label: 'original' }),
    pushTree(engine.store, copied, two, { label: 'copy' }),
  ]);
  const events = await assertEach(engine, [
    ['original', one],
    ['copy', two],
  ]);
  assert.deepEqual(
    events.map((event) => event.type === 'notice' && event.code),
    ['history-forked'],
  );
  // Both go on all the same.
  await pushTree(engine.store, engine.machine, two, { label: 'later' });
  await assertEach(engine, [
    ['original', one],
    ['copy', two],
    ['later', two],
  ]);
});

test('several installs of one machine share no chunks and restore each by itself', async (context) => {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 6, { bulkBytes: 700_000 });
  const first = await pushTree(engine.store, engine.machine, tree, { label: 'a' });
  const second = await pushTree(engine.store, engine.machine, tree, {
    label: 'b',
    install: 'openclaw:second',
  });
  assert.ok(second.bytesStored > 0.9 * first.bytesStored, 'deduplication stays within an install');
  await assertEach(engine, [
    ['a', tree],
    ['b', tree],
  ]);
});
