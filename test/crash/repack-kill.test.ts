/**
 * The world stops at every single store operation of a repack, before its effect and after it: nothing is ever gone,
 * the next run does what is left, and what the stopped one stored for nothing is swept.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultStore, WorldStopped } from '../support/fault-store.ts';
import {
  assertAllRestore,
  cloneWorld,
  later,
  namesBelow,
  pruneWorld,
  runPrune,
} from '../support/prune-world.ts';
import { nights, runRepack } from '../support/repack-world.ts';

test('a repack that stops anywhere loses nothing, and the next one goes on', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 4);
  const before = await namesBelow(world.store, '');
  const recorded = faultStore((await cloneWorld(world)).store);
  const { emptied } = await runRepack({ ...world, store: recorded });
  assert.ok(emptied >= 2);
  const stored = recorded.operations.filter(({ kind }) => kind === 'put');
  assert.deepEqual(
    stored.map(({ name }) => name.split('/')[0]),
    ['packs', 'indexes', 'repacks'],
  );
  let crashes = 0;
  for (const { number, kind } of recorded.operations) {
    for (const stop of ['before', 'after'] as const) {
      const crashed = await cloneWorld(world);
      const store = faultStore(crashed.store, { stopAt: number, stop });
      const what = `stopped ${stop} operation ${number}`;
      await assert.rejects(runRepack({ ...crashed, store }), WorldStopped, what);
      crashes += 1;
      const there = new Set(await namesBelow(crashed.store, ''));
      assert.deepEqual(
        before.filter((name) => !there.has(name)),
        [],
        what,
      );
      if (kind !== 'put') continue;
      await runRepack(crashed);
      for (const _ of [1, 2, 3]) {
        await runPrune(crashed);
        later(crashed, 15);
      }
      await assertAllRestore(crashed, 2, what);
      assert.ok(
        (await namesBelow(crashed.store, 'packs/')).length <= before.length - emptied,
        what,
      );
    }
  }
  assert.ok(crashes >= 40, `${crashes} crashes`);
});

test('two repacks at once, and a prune beside them, lose nothing', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 4);
  const [one, other] = await Promise.all([runRepack(world), runRepack(world), runPrune(world)]);
  assert.ok(one.emptied >= 2 && other.emptied >= 2);
  for (const _ of [1, 2, 3, 4]) {
    await runPrune(world);
    later(world, 15);
    await assertAllRestore(world, 2);
  }
  const { plan } = await runRepack(world);
  assert.equal(plan.chosen.length, 0);
});
