/** repack: what lives in packs that are mostly dead moves, and everything that is kept still restores. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import { ed25519KeyPair, systemRandom } from '../../../../src/crypto/sodium.ts';
import type { ObjectId, WriterId } from '../../../../src/format/names.ts';
import { writeRepackRecord } from '../../../../src/repository/repack-records.ts';
import { readListOf } from '../../../../src/repository/pack-lists.ts';
import { packName } from '../../../../src/repository/pack-reader.ts';
import { writeTombstone } from '../../../../src/repository/tombstones.ts';
import type { ObjectStore } from '../../../../src/store/object-store.ts';
import { allObjects, listAll, machineIn, NO_ABORT, pushTree } from '../../../support/engine.ts';
import {
  assertAllRestore,
  cloneWorld,
  later,
  namesBelow,
  pruneWorld,
  runPrune,
  type PruneWorld,
} from '../../../support/prune-world.ts';
import { nights, runRepack } from '../../../support/repack-world.ts';
import { noise } from '../../../support/tree.ts';

const storedBytes = async ({ store }: PruneWorld, prefix: string): Promise<number> =>
  [...(await allObjects(store, prefix)).values()].reduce((sum, { length }) => sum + length, 0);

test('what is mostly dead is emptied, swept a grace period later, and everything restores', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 6);
  await runPrune(world);
  later(world, 15);
  await runPrune(world);
  const before = await storedBytes(world, 'packs/');
  const { plan, emptied, made } = await runRepack(world);
  assert.ok(plan.deadBytes > plan.storedBytes * 0.5, `${plan.deadBytes} of ${plan.storedBytes}`);
  assert.ok(emptied >= 4 && made === 1, `${emptied} into ${made}`);
  await assertAllRestore(world, 2);
  const announced = await runPrune(world);
  assert.equal(announced.plan.announce.length, emptied);
  await assertAllRestore(world, 2);
  later(world, 15);
  const swept = await runPrune(world);
  assert.ok(swept.deleted.length >= emptied);
  await assertAllRestore(world, 2);
  const after = await storedBytes(world, 'packs/');
  assert.ok(after < before * 0.6, `${after} of ${before}`);
  const again = await runRepack(world);
  assert.deepEqual([again.emptied, again.made], [0, 0]);
});

test('the next push of the same machine uploads nothing of what moved', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 6);
  const { emptied } = await runRepack(world);
  assert.ok(emptied >= 4);
  await runPrune(world);
  const packs = await namesBelow(world.store, 'packs/');
  const pushed = await pushTree(world.store, world.machine, world.tree);
  assert.ok(pushed.bytesStored < 20_000, `${pushed.bytesStored} bytes`);
  assert.deepEqual(await namesBelow(world.store, 'packs/'), packs);
  later(world, 15);
  await runPrune(world);
  await assertAllRestore(world, 3);
});

test('a snapshot that was pushed meanwhile and names the old packs keeps them', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 6);
  // It looks at the packs before the record, and its snapshot comes after the announcement.
  const held = holdingSnapshots(world.store);
  writeFileSync(join(world.tree, 'changes-1'), noise(11, 100_000));
  const pushing = pushTree(held.store, world.machine, world.tree);
  await held.reached;
  const { emptied } = await runRepack(world);
  assert.ok(emptied >= 4);
  await runPrune(world);
  held.go();
  await pushing;
  later(world, 15);
  await runPrune(world);
  await assertAllRestore(world, 3);
  later(world, 15);
  await runPrune(world);
  await assertAllRestore(world, 3);
});

/** A store on which a snapshot waits to be stored. */
function holdingSnapshots(store: ObjectStore) {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const held: ObjectStore = {
    ...store,
    async put(name, body, options, signal) {
      if (name.startsWith('snapshots/')) {
        reached.resolve();
        await gate.promise;
      }
      return await store.put(name, body, options, signal);
    },
  };
  return { store: held, reached: reached.promise, go: gate.resolve };
}

test('while a new pack is missing, torn or announced, no old one is swept', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 6);
  const before = await namesBelow(world.store, 'packs/');
  await runRepack(world);
  const [made = ''] = (await namesBelow(world.store, 'packs/')).filter(
    (name) => !before.includes(name),
  );
  await runPrune(world);
  later(world, 15);
  const damage: readonly ((copy: PruneWorld) => Promise<unknown>)[] = [
    ({ store }) => store.delete(made, NO_ABORT),
    ({ store }) => store.put(made, new Uint8Array(70_000), {}, NO_ABORT),
    ({ reader, store }) => writeTombstone({ ...reader, store }, [made], systemRandom, NO_ABORT),
  ];
  for (const spoil of damage) {
    const copy = await cloneWorld(world);
    await spoil(copy);
    const { deleted } = await runPrune(copy);
    const swept = new Set(deleted.map(({ name }) => name));
    const needed = (await namedPacks(copy)).filter((name) => swept.has(name));
    assert.deepEqual(needed, []);
  }
});

/** The packs that snapshots name themselves. */
async function namedPacks({ reader, store }: PruneWorld): Promise<string[]> {
  const names = new Set<string>();
  for (const snapshot of await listAll({ ...reader, store })) {
    const packs = await readListOf({ ...reader, store }, snapshot, NO_ABORT);
    for (const pack of packs) names.add(packName(pack));
  }
  return [...names];
}

test('a record that a writer made means nothing, and stops a prune only where a pack is missing', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 4);
  const snapshots = await listAll(world.reader);
  const named = await namedPacks(world);
  const [writer = '', pack = ''] = (named[0] ?? '').split('/').slice(1);
  const lie = {
    writer: writer as WriterId,
    snapshots: snapshots.map(({ digest }) => digest).toSorted(),
    packs: [],
    emptied: [{ pack: pack as ObjectId, into: [] }],
  };
  const thief = { ...world.reader.identity, root: ed25519KeyPair(systemRandom(32)) };
  await writeRepackRecord({ ...world.reader, identity: thief }, lie, systemRandom, NO_ABORT);
  const { plan } = await runPrune(world);
  assert.ok(plan.announce.every(({ name }) => !named.includes(name)));
  await assertAllRestore(world, 2);
  await world.store.delete(named[0] ?? '', NO_ABORT);
  await assert.rejects(runPrune(world), { code: 'object-damaged' });
});

test('after a lost cache the machine finds what moved, and uploads nothing of it', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 4);
  await runRepack(world);
  await runPrune(world);
  later(world, 15);
  await runPrune(world);
  const packs = await namesBelow(world.store, 'packs/');
  const forgetful = machineIn(world.folder, world.machine.state, 'no cache');
  await pushTree(world.store, forgetful, world.tree);
  assert.deepEqual(await namesBelow(world.store, 'packs/'), packs);
  await assertAllRestore(world, 3);
});

test('a reader whose listing does not show the new packs yet reads the old ones', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 4);
  const before = new Set(await namesBelow(world.store, 'packs/'));
  await runRepack(world);
  const lagging: ObjectStore = {
    ...world.store,
    async *list(prefix, signal) {
      for await (const object of world.store.list(prefix, signal)) {
        if (!object.name.startsWith('packs/') || before.has(object.name)) yield object;
      }
    },
  };
  await assertAllRestore({ ...world, store: lagging }, 2);
});

test('old packs that the store does not let go are told of every time, and never copied again', async (context) => {
  const world = await pruneWorld(context);
  await nights(world, 6);
  const { emptied } = await runRepack(world);
  assert.ok(emptied >= 4);
  const stored = await namesBelow(world.store, 'packs/');
  const denied = (): Promise<never> => Promise.reject(new FerryError('store-denied', 'locked'));
  const locked = { ...world, store: { ...world.store, delete: denied } };
  await runPrune(locked);
  let refusals = 0;
  for (let week = 0; week < 10; week++) {
    later(world, 7);
    const again = await runRepack(locked);
    assert.deepEqual([again.emptied, again.bytesRead, again.bytesStored], [0, 0, 0], `${week}`);
    // Now and then they are announced anew: what a tombstone covers ends with it.
    const { refused, plan } = await runPrune(locked);
    assert.ok(refused.length + plan.waiting.length >= emptied, `week ${week}`);
    refusals += refused.length;
  }
  assert.ok(refusals >= 4 * emptied, `${refusals}`);
  assert.deepEqual(await namesBelow(world.store, 'packs/'), stored);
  await assertAllRestore(world, 2);
});
