/** A copy that dies at any operation of the target: the next one completes it, and nothing is there twice. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { copySnapshots, type Copied } from '../../src/transfer/copy.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { faultStore, WorldStopped } from '../support/fault-store.ts';
import {
  asWriter,
  cloneStore,
  engineFolder,
  listAll,
  machineIn,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  restoreTo,
} from '../support/engine.ts';
import { makeTree, treeDifferences } from '../support/tree.ts';

test('before every operation', async (context) => {
  const folder = engineFolder(context);
  const from = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 1, { bulkBytes: 600_000 });
  await pushTree(from.store, from.machine, tree, { label: 'one' });
  makeTree(join(tree, 'more'), 2);
  await pushTree(from.store, from.machine, tree, { label: 'two' });
  const source = await openReader(from.store);
  const snapshots = await listAll(source);
  const target = await makeEngine(folder);

  const copyTo = (store: ObjectStore, machine: typeof target.machine): Promise<Copied> =>
    asWriter(store, machine, NO_ABORT, (deps) =>
      copySnapshots({ source, snapshots, isDryRun: false }, deps, NO_ABORT),
    );

  async function killedAt(stopAt: number): Promise<boolean> {
    const store = await cloneStore(target.store);
    const name = `operation ${stopAt}`;
    const machine = machineIn(folder, structuredClone(target.machine.state), name);
    try {
      await copyTo(faultStore(store, { stopAt }), machine);
      return false;
    } catch (error) {
      assert.ok(error instanceof WorldStopped, String(error));
    }
    const again = await copyTo(store, machine);
    assert.deepEqual(again.problems, [], name);
    const reader = await openReader(store);
    const copies = await listAll(reader);
    assert.deepEqual(
      copies.map(({ cover }) => cover.label),
      ['one', 'two'],
      name,
    );
    const newest = copies.at(-1);
    assert.ok(newest);
    const out = join(folder, `out-${name}`);
    assert.deepEqual((await restoreTo(reader, newest, out)).problems, []);
    assert.deepEqual(treeDifferences(tree, out), [], name);
    return true;
  }

  let killed = 0;
  while (await killedAt(killed + 1)) killed += 1;
  assert.ok(killed > 10, `${killed} operations`);
});
