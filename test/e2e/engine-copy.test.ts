/** copy: snapshots of one repository in another, under other keys, byte for byte. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { toBase64 } from '../../src/base/bytes.ts';
import { installSubkeys } from '../../src/crypto/identity.ts';
import { writerOf } from '../../src/repository/machine.ts';
import { copySnapshots, type Copied } from '../../src/transfer/copy.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import {
  allObjects,
  asWriter,
  engineFolder,
  joinEngine,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  refusalOf,
  restoreTo,
  type Engine,
} from '../support/engine.ts';
import { makeTree, treeDifferences } from '../support/tree.ts';

type World = { readonly from: Engine; readonly to: Engine; readonly tree: string };

/** Two snapshots of one machine, with little between them, and one of another machine's install of the same name. */
async function makeWorld(context: TestContext): Promise<World> {
  const folder = engineFolder(context);
  const from = await makeEngine(folder);
  const to = await makeEngine(folder, openMemoryStore());
  const tree = join(folder, 'tree');
  makeTree(tree, 1, { bulkBytes: 2_500_000, databases: true });
  await pushTree(from.store, from.machine, tree, { label: 'first' });
  appendFileSync(join(tree, 'agents/main/sessions/s3.jsonl'), '{"more":true}\n');
  await pushTree(from.store, from.machine, tree, { label: 'second' });
  const other = join(folder, 'other');
  makeTree(other, 2);
  await pushTree(from.store, await joinEngine(from, 'island'), other, { label: 'third' });
  return { from, to, tree };
}

async function copyAll({ from, to }: World): Promise<Copied> {
  const source = await openReader(from.store);
  const snapshots = await listAll(source);
  return asWriter(to.store, to.machine, NO_ABORT, (deps) =>
    copySnapshots({ source, snapshots, isDryRun: false }, deps, NO_ABORT),
  );
}

test('copies restore byte for byte, keep time and label, and say what they are of', async (context) => {
  const world = await makeWorld(context);
  const { from, to, tree } = world;
  const copied = await copyAll(world);
  assert.deepEqual(copied.problems, []);
  assert.equal(copied.copied.length, 3);
  const [first, second] = copied.copied.map(({ pushed }) => pushed);
  assert.ok(first && second && first.bytesNew > 2_500_000);
  assert.ok(second.bytesNew < 10_000, `${second.bytesNew} bytes of the second are new`);

  const originals = await listAll(await openReader(from.store));
  const reader = await openReader(to.store);
  const copies = await listAll(reader);
  assert.deepEqual(
    copies.map(({ cover, machine }) => [cover.label, cover.time, machine]),
    originals.map(({ cover, machine }) => [cover.label, cover.time, `${machine}~harbour`]),
  );
  assert.deepEqual(
    copies.map(({ cover }) => cover.origin?.digest),
    originals.map(({ digest }) => digest),
  );
  const newest = copies.find(({ cover }) => cover.label === 'second');
  assert.ok(newest);
  const out = join(to.folder, 'out');
  const restored = await restoreTo(reader, newest, out);
  assert.deepEqual(restored.problems, []);
  assert.deepEqual(treeDifferences(tree, out), []);
});

test('nothing of the source is to be found in the copy, and what is there is not copied again', async (context) => {
  const world = await makeWorld(context);
  await copyAll(world);
  const before = await allObjects(world.to.store);
  const names = [...before.keys()].map((name) => name.slice(name.lastIndexOf('/') + 1));
  for (const name of (await allObjects(world.from.store, 'packs/')).keys()) {
    assert.ok(!names.includes(name.slice(name.lastIndexOf('/') + 1)));
  }
  const again = await copyAll(world);
  assert.equal(again.copied.length, 0);
  assert.equal(again.present, 3);
  assert.deepEqual([...(await allObjects(world.to.store)).keys()], [...before.keys()]);
});

test('a damaged snapshot is a problem of its own: the others are copied', async (context) => {
  const world = await makeWorld(context);
  const source = await openReader(world.from.store);
  const third = (await listAll(source)).find(({ cover }) => cover.label === 'third');
  assert.ok(third);
  const packs = await allObjects(world.from.store, `packs/${third.writer}/`);
  assert.ok(packs.size > 0);
  for (const name of packs.keys()) await world.from.store.delete(name, NO_ABORT);
  const copied = await copyAll(world);
  assert.equal(copied.copied.length, 2);
  assert.deepEqual(
    copied.problems.map(({ object, code }) => [object, code]),
    [[third.name, 'object-missing']],
  );
  const reader = await openReader(world.to.store);
  assert.equal((await listAll(reader)).length, 2);
});

test('an install that landed under another name, with the key of its chunk ids, restores too', async (context) => {
  const folder = engineFolder(context);
  const from = await makeEngine(folder);
  const to = await makeEngine(folder, openMemoryStore());
  const tree = join(folder, 'tree');
  makeTree(tree, 1);
  await pushTree(from.store, from.machine, tree, { label: 'first' });
  const island = await joinEngine(from, 'island');
  const key = installSubkeys(writerOf(from.machine.state).key, 'openclaw').chunkId;
  island.state = { ...island.state, chunkIdKeys: { 'openclaw:work': toBase64(key) } };
  await pushTree(from.store, island, tree, { label: 'landed', install: 'openclaw:work' });
  const copied = await copyAll({ from, to, tree });
  assert.equal(copied.copied.length, 2);
  const reader = await openReader(to.store);
  for (const copy of await listAll(reader)) {
    const out = join(folder, `out-${copy.cover.label}`);
    assert.deepEqual((await restoreTo(reader, copy, out)).problems, []);
    assert.deepEqual(treeDifferences(tree, out), []);
  }
});

test('a machine cannot pass a snapshot off as another machine’s own', async (context) => {
  const world = await makeWorld(context);
  await copyAll(world);
  const machines = (await listAll(await openReader(world.to.store))).map(({ machine }) => machine);
  assert.deepEqual([...new Set(machines)].toSorted(), ['harbour~harbour', 'island~harbour']);
});

test('a name that was made too long is cut, and ends no copy', async (context) => {
  const { from, to } = await makeWorld(context);
  const source = await openReader(from.store);
  const [first = assert.fail('a snapshot')] = await listAll(source);
  const long = { ...first, machine: `${'m'.repeat(300)}~harbour` };
  const copied = await asWriter(to.store, to.machine, NO_ABORT, (deps) =>
    copySnapshots({ source, snapshots: [long], isDryRun: false }, deps, NO_ABORT),
  );
  assert.equal(copied.copied.length, 1);
  const [copy] = await listAll(await openReader(to.store));
  assert.equal(copy?.cover.origin?.machine.length, 200);
  assert.match(copy.machine, /m~harbour~harbour$/);
});

test('the same repository is no target', async (context) => {
  const { from } = await makeWorld(context);
  const error = await refusalOf(copyAll({ from, to: from, tree: '' }));
  assert.equal(error.code, 'usage');
  assert.match(error.hint ?? '', /stateferry mirror/);
});
