/** prune, from the announcement to the last tombstone, on a store with a clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import type { FerryEvent } from '../../../../src/base/events.ts';
import { ed25519KeyPair, systemRandom } from '../../../../src/crypto/sodium.ts';
import { GRACE } from '../../../../src/maintenance/prune/prune-plan.ts';
import type { ObjectStore } from '../../../../src/store/object-store.ts';
import { writeTombstone } from '../../../../src/repository/tombstones.ts';
import { listOf } from '../../../../src/maintenance/check/check-lists.ts';
import { packName } from '../../../../src/repository/pack-reader.ts';
import { readListOf } from '../../../../src/repository/pack-lists.ts';
import {
  allObjects,
  joinEngine,
  listAll,
  NO_ABORT,
  openReader,
  refusalOf,
} from '../../../support/engine.ts';
import { faultStore } from '../../../support/fault-store.ts';
import {
  assertAllRestore,
  dropSnapshot,
  later,
  namesBelow,
  pruneWorld,
  pushVersion,
  runPrune,
  type PruneWorld,
} from '../../../support/prune-world.ts';

/** Three snapshots, of which the middle one is dropped; everything is old enough to be announced. */
async function withGarbage(world: PruneWorld): Promise<void> {
  for (const version of [1, 2, 3]) {
    const made = await pushVersion(world, version);
    later(world, 1);
    if (version === 2) await dropSnapshot(world, made);
  }
  later(world, 14);
}

test('one run announces, a later one deletes, a third takes the announcement away', async (context) => {
  const world = await pruneWorld(context);
  await withGarbage(world);
  const before = await allObjects(world.store);

  const first = await runPrune(world);
  assert.equal(first.plan.announce.length, 2, 'a pack and its list');
  assert.deepEqual(first.deleted, []);
  assert.equal((await namesBelow(world.store, 'tombstones/')).length, 1);
  assert.equal((await allObjects(world.store)).size, before.size + 1, 'and nothing else');

  later(world, 13);
  const early = await runPrune(world);
  assert.equal(early.plan.waiting.length, 2);
  assert.equal((await allObjects(world.store)).size, before.size + 1);

  later(world, 1);
  const second = await runPrune(world);
  const gone = first.plan.announce.map(({ name }) => name);
  const [, , index] = second.deleted;
  // Side by side; only what follows waits for both.
  const deleted = second.deleted.slice(0, 2).map(({ name }) => name);
  assert.deepEqual(new Set(deleted), new Set(gone));
  assert.ok(index?.name.startsWith('indexes/'), 'its index had no other pack');
  assert.equal((await namesBelow(world.store, 'tombstones/')).length, 1, 'it outlives them');
  await assertAllRestore(world, 2);

  later(world, 34);
  await runPrune(world);
  assert.deepEqual(await namesBelow(world.store, 'tombstones/'), []);
  assert.equal((await allObjects(world.store)).size, before.size - 3);
  await assertAllRestore(world, 2);
});

test('nothing is announced where everything is needed, and no request changes anything', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  later(world, 400);
  const watched = faultStore(world.store);
  const pruned = await runPrune({ ...world, store: watched });
  assert.deepEqual(pruned.plan.announce, []);
  const kinds = new Set(watched.operations.map(({ kind }) => kind));
  assert.deepEqual(kinds, new Set(['date', 'list', 'get']));
});

test('a dry run answers the plan and changes nothing', async (context) => {
  const world = await pruneWorld(context);
  await withGarbage(world);
  const before = await allObjects(world.store);
  const dry = { graceMs: GRACE.defaultMs, dryRun: {} };
  assert.equal((await runPrune(world, [], dry)).plan.announce.length, 2);
  assert.deepEqual(await allObjects(world.store), before);
});

test('a dry run can tell what would come after snapshots were forgotten', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  const doomed = await pushVersion(world, 2);
  await pushVersion(world, 3);
  later(world, 14);
  const before = await allObjects(world.store);
  const plan = async (forgotten?: ReadonlySet<string>) => {
    const dryRun = forgotten ? { forgotten } : {};
    return (await runPrune(world, [], { graceMs: GRACE.defaultMs, seen: {}, dryRun })).plan;
  };
  assert.equal((await plan()).announce.length, 0);
  const told = await plan(new Set([doomed.digest]));
  assert.deepEqual(await allObjects(world.store), before);
  await dropSnapshot(world, doomed);
  const real = await plan();
  assert.equal(real.announce.length, 2, 'a pack and its list');
  assert.deepEqual(told, real);
});

test('what is announced does not count for the next push: its content is stored once more', async (context) => {
  const world = await pruneWorld(context);
  await withGarbage(world);
  await runPrune(world);
  await pushVersion(world, 2);
  later(world, 14);
  const swept = await runPrune(world);
  assert.ok(swept.deleted.length >= 2);
  await assertAllRestore(world, 3);
});

/** A byte of the object that makes it unreadable, and what the run says then. */
const UNREADABLE = [
  { what: 'damaged snapshot', kind: 'snapshot', at: -1, code: 'object-damaged' },
  { what: 'pack list of a newer version', kind: 'list', at: 7, code: 'format-too-new' },
  { what: 'snapshot of a newer version', kind: 'snapshot', at: 7, code: 'format-too-new' },
] as const;

for (const { what, kind, at, code } of UNREADABLE) {
  test(`with a ${what} nothing is announced or deleted`, async (context) => {
    const world = await pruneWorld(context);
    await withGarbage(world);
    await runPrune(world);
    later(world, 14);
    const kept = await namesBelow(world.store, 'snapshots/');
    const [name = ''] =
      kind === 'snapshot' ? kept : await listsOf(world, new Set(await announced(world)));
    const { bytes } = (await world.store.get(name, undefined, NO_ABORT)) ?? assert.fail(name);
    const stored = Buffer.from(bytes);
    stored.writeUInt8((stored.at(at) ?? 0) ^ 3, at < 0 ? stored.length + at : at);
    await world.store.put(name, stored, {}, NO_ABORT);
    const before = await allObjects(world.store);
    const events: FerryEvent[] = [];
    const refusal = await refusalOf(runPrune(world, events));
    assert.equal(refusal.code, code);
    assert.ok(events.some(({ type }) => type === 'problem'));
    assert.deepEqual(await allObjects(world.store), before);
  });
}

for (const how of ['damaged', 'missing'] as const) {
  test(`with a pack list ${how} its tree tells, and every pack of that machine stays`, async (context) => {
    const world = await pruneWorld(context);
    await withGarbage(world);
    await runPrune(world);
    later(world, 14);
    const garbage = await announced(world);
    const [name = ''] = await listsOf(world, new Set(garbage));
    if (how === 'missing') await world.store.delete(name, NO_ABORT);
    else await world.store.put(name, new Uint8Array(900), {}, NO_ABORT);
    const packs = await namesBelow(world.store, 'packs/');
    const events: FerryEvent[] = [];
    const pruned = await runPrune(world, events);
    assert.ok(events.some((one) => one.type === 'notice' && one.code === 'pack-list-unusable'));
    assert.deepEqual(
      pruned.deleted.filter((one) => one.name.startsWith('packs/')),
      [],
    );
    assert.deepEqual(await namesBelow(world.store, 'packs/'), packs);
    const listed = await listAll({ ...world.reader, store: world.store });
    await assertAllRestore(world, listed.length);
    // Forgotten, it keeps nothing any more.
    const broken = listed.find((one) => listOf(one) === name) ?? assert.fail(name);
    await pushVersion(world, 7);
    await dropSnapshot(world, broken);
    later(world, 14);
    await runPrune(world);
    later(world, 14);
    await runPrune(world);
    const left = new Set(await namesBelow(world.store, 'packs/'));
    assert.ok(
      garbage.some((one) => one.startsWith('packs/')) && !garbage.some((one) => left.has(one)),
    );
    await assertAllRestore(world, listed.length);
  });
}

test('a pack list that is gone, and a pack with it: nothing is announced or deleted', async (context) => {
  const world = await pruneWorld(context);
  await withGarbage(world);
  await runPrune(world);
  later(world, 14);
  const [name = ''] = await listsOf(world, new Set(await announced(world)));
  const [snapshot] = (await listAll(world.reader)).filter((one) => listOf(one) === name);
  assert.ok(snapshot);
  const [lost] = await readListOf(world.reader, snapshot, NO_ABORT);
  assert.ok(lost);
  await world.store.delete(name, NO_ABORT);
  await world.store.delete(packName(lost), NO_ABORT);
  const before = await allObjects(world.store);
  assert.equal((await refusalOf(runPrune(world))).code, 'object-missing');
  assert.deepEqual(await allObjects(world.store), before);
});

const announced = async (world: PruneWorld): Promise<string[]> =>
  (await runPrune(world, [], { graceMs: 1e12, dryRun: {} })).plan.waiting.map(({ name }) => name);

const listsOf = async (world: PruneWorld, but: ReadonlySet<string>): Promise<string[]> =>
  (await namesBelow(world.store, 'lists/')).filter((name) => !but.has(name));

test('a tombstone that a writer forged deletes nothing', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  later(world, 30);
  const packs = await namesBelow(world.store, 'packs/');
  const root = ed25519KeyPair(systemRandom(32));
  const thief = { ...world.reader, identity: { ...world.reader.identity, root } };
  await writeTombstone(thief, packs, systemRandom, NO_ABORT);
  later(world, 30);
  const events: FerryEvent[] = [];
  const pruned = await runPrune(world, events);
  assert.deepEqual([pruned.plan.sweep, pruned.deleted], [[], []]);
  assert.ok(events.some((one) => one.type === 'notice' && one.code === 'tombstone-ignored'));
  await assertAllRestore(world, 1);
});

test('a pack that a snapshot still needs is not deleted, whoever announced it', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  const packs = await namesBelow(world.store, 'packs/');
  await writeTombstone(world.reader, packs, systemRandom, NO_ABORT);
  later(world, 60);
  const pruned = await runPrune(world);
  assert.deepEqual(pruned.plan.needed.length, packs.length);
  assert.deepEqual(pruned.deleted, []);
  assert.equal((await namesBelow(world.store, 'tombstones/')).length, 1, 'a push shall know');
  await assertAllRestore(world, 1);
});

test('a snapshot that the bucket hides stops a prune, and its packs stay', async (context) => {
  const world = await pruneWorld(context);
  const [, hidden, newest] = [
    await pushVersion(world, 1),
    await pushVersion(world, 2),
    await pushVersion(world, 3),
  ];
  later(world, 30);
  const hiding = (name: string): ObjectStore => ({
    ...world.store,
    async *list(prefix, signal) {
      for await (const one of world.store.list(prefix, signal)) if (one.name !== name) yield one;
    },
  });
  const { highWater: seen } = world.machine.state;
  for (const { name } of [hidden, newest]) {
    const store = hiding(name);
    const refusal = await refusalOf(
      runPrune({ ...world, store }, [], { graceMs: GRACE.defaultMs, seen }),
    );
    assert.equal(refusal.code, 'history-rolled-back');
    assert.deepEqual(await namesBelow(world.store, 'tombstones/'), []);
  }
  // Told to, it goes on: what it announces then is needed again once the snapshot is back.
  const told = await runPrune({ ...world, store: hiding(hidden.name) }, [], {
    graceMs: GRACE.defaultMs,
  });
  assert.ok(told.plan.announce.length > 0);
  later(world, 30);
  assert.equal((await runPrune(world)).plan.sweep.length, 0);
  await assertAllRestore(world, 3);
});

test('two prunes at once are one', async (context) => {
  const world = await pruneWorld(context);
  await withGarbage(world);
  await Promise.all([runPrune(world), runPrune(world)]);
  later(world, 14);
  const swept = await Promise.all([runPrune(world), runPrune(world)]);
  assert.ok(swept.every(({ left, refused }) => left.length + refused.length === 0));
  await assertAllRestore(world, 2);
  for (const _ of [1, 2, 3]) {
    later(world, 14);
    await runPrune(world);
  }
  assert.deepEqual(await namesBelow(world.store, 'tombstones/'), []);
  assert.equal((await namesBelow(world.store, 'packs/')).length, 2);
});

test('credentials that may not delete: what was refused is told, and stays announced', async (context) => {
  const world = await pruneWorld(context);
  await withGarbage(world);
  await runPrune(world);
  later(world, 14);
  const before = await allObjects(world.store);
  const denied = faultStore(world.store, {
    refuse: ({ kind }) =>
      kind === 'delete' ? new FerryError('store-denied', 'the store said no') : undefined,
  });
  const pruned = await runPrune({ ...world, store: denied });
  assert.deepEqual(pruned.deleted, []);
  assert.equal(pruned.refused.length, 2);
  assert.equal((await allObjects(world.store)).size, before.size);
  const allowed = await runPrune(world);
  assert.equal(allowed.deleted.length, 3, 'a pack, a list and an index');
});

test('every machine’s snapshots count', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  const other = await joinEngine(world, 'new');
  const both = { ...world, reader: await openReader(world.store) };
  await pushVersion(both, 2, other);
  later(world, 30);
  const pruned = await runPrune(both);
  assert.deepEqual(pruned.plan.announce, []);
  await assertAllRestore(both, 2);
  // One that does not know the other machine cannot know what its snapshots need.
  const refusal = await refusalOf(runPrune(world));
  assert.equal(refusal.code, 'object-damaged');
});
