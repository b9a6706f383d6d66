/** What was stored or fetched before a kill is not stored or fetched again. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ObjectStore } from '../../src/store/object-store.ts';
import {
  allObjects,
  cloneStore,
  engineFolder,
  listAll,
  makeEngine,
  openReader,
  PACK_BYTES,
  pushTree,
  restoreTo,
} from '../support/engine.ts';
import { bytesBelow, copyMachine, crashPush, withoutCache } from '../support/engine-crash.ts';
import { faultStore } from '../support/fault-store.ts';
import { makeTree, treeDifferences } from '../support/tree.ts';

const BULK_BYTES = 24 * PACK_BYTES;

test('a push killed at 60 % and started again uploads only the rest', async (context) => {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 3, { bulkBytes: BULK_BYTES });
  const whole = faultStore(await cloneStore(engine.store));
  await pushTree(whole, copyMachine(engine.machine, join(folder, 'whole')), tree);
  const stopAt = Math.floor(whole.operations.length * 0.6);
  const total = await bytesBelow(whole, 'packs/');

  const killAt = { stopAt, stop: 'after' } as const;
  const crash = await crashPush(engine.store, engine.machine, tree, killAt, folder);
  assert.ok(crash);
  const before = await bytesBelow(crash.store, 'packs/');
  assert.ok(before > 0.4 * total && before < 0.7 * total, `${before} of ${total} bytes`);

  const store = await cloneStore(crash.store);
  await pushTree(store, crash.machine, tree);
  const added = (await bytesBelow(store, 'packs/')) - before;
  // What was on the wire at the kill does not count: at most a pack for each buffer of the pool.
  assert.ok(added <= total - before + 6 * PACK_BYTES, `${added} bytes were added`);

  const fresh = await cloneStore(crash.store);
  await pushTree(fresh, withoutCache(crash.machine), tree);
  const addedFresh = (await bytesBelow(fresh, 'packs/')) - before;
  // Without a cache at most what no index names yet: here the packs after the sixteenth.
  const indexed = (16 * before) / (await countBelow(crash.store, 'packs/'));
  assert.ok(addedFresh <= total - indexed + PACK_BYTES, `${addedFresh} bytes were added`);

  for (const [number, pushed] of [store, fresh].entries()) {
    const reader = await openReader(pushed);
    const newest = (await listAll(reader)).at(-1);
    assert.ok(newest);
    const out = join(folder, `out-${number}`);
    await restoreTo(reader, newest, out);
    assert.deepEqual(treeDifferences(tree, out), []);
  }
});

async function countBelow(store: ObjectStore, prefix: string): Promise<number> {
  return (await allObjects(store, prefix)).size;
}

test('a pull killed at 60 % goes on from its stage', async (context) => {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 4, { bulkBytes: BULK_BYTES });
  await pushTree(engine.store, engine.machine, tree);
  const reader = await openReader(engine.store);
  const [newest] = await listAll(reader);
  assert.ok(newest);

  const whole = faultStore(engine.store);
  const full = await restoreTo({ ...reader, store: whole }, newest, join(folder, 'full'));
  assert.ok(full.bytesFetched >= BULK_BYTES);

  const stopAt = Math.floor(whole.operations.length * 0.6);
  const stage = join(folder, 'stage');
  const killed = faultStore(engine.store, { stopAt, stop: 'after' });
  await assert.rejects(restoreTo({ ...reader, store: killed }, newest, stage), /the world stopped/);

  const rest = await restoreTo(reader, newest, stage);
  assert.deepEqual(treeDifferences(tree, stage), []);
  const share = rest.bytesFetched / full.bytesFetched;
  assert.ok(share > 0.1 && share < 0.65, `fetched ${share} of everything again`);
});
