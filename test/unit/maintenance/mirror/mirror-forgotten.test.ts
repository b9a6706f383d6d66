/** What a mirror deletes: only what was forgotten, by its digest, and never a machine's newest that it has. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemRandom } from '../../../../src/crypto/sodium.ts';
import { LOST_DIGEST } from '../../../../src/format/forget-record.ts';
import {
  mirror,
  type Mirrored,
  type MirrorRequest,
} from '../../../../src/maintenance/mirror/mirror.ts';
import { writeForgetRecord } from '../../../../src/repository/forget-records.ts';
import { pinnedHalves } from '../../../../src/repository/machine.ts';
import type { StoredSnapshot } from '../../../../src/repository/snapshot-list.ts';
import { openMemoryStore } from '../../../../src/store/memory-store.ts';
import type { ObjectStore } from '../../../../src/store/object-store.ts';
import { NO_ABORT } from '../../../support/engine.ts';
import { faultStore, WorldStopped } from '../../../support/fault-store.ts';
import {
  forgetWorld,
  pushDay,
  runForget,
  shownBy,
  type ForgetWorld,
} from '../../../support/forget-world.ts';
import {
  assertAllRestore,
  cloneWorld,
  dropSnapshot,
  later,
  namesBelow,
  runPrune,
} from '../../../support/prune-world.ts';

type Scene = { readonly world: ForgetWorld; readonly to: ObjectStore };

/** Four snapshots that are mirrored; then two more in the source, of which two of all are kept. */
async function sceneOf(context: TestContext): Promise<Scene> {
  const world = await forgetWorld(context);
  const to = openMemoryStore({ nowMs: () => world.clock.nowMs });
  for (let push = 0; push < 4; push++) await pushDay(world);
  await mirrorTo({ world, to });
  for (let push = 0; push < 2; push++) await pushDay(world);
  await runForget(world, { rules: { last: 2 } });
  return { world, to };
}

function mirrorTo({ world, to }: Scene, wish: Partial<MirrorRequest> = {}): Promise<Mirrored> {
  const { root } = pinnedHalves(world.machine.state);
  const marks = world.machine.state.highWater;
  const from = world.store;
  const request = { from, to, root, marks, compareAll: false, keepForgotten: false, ...wish };
  return mirror(request, { emit: () => undefined }, NO_ABORT);
}

const countIn = async (store: ObjectStore): Promise<number> =>
  (await namesBelow(store, 'snapshots/')).length;

const counted = ({ forgotten }: Mirrored): number[] => [forgotten.deleted, forgotten.held];

test('what was forgotten goes, what stays restores, and a prune of the mirror frees the rest', async (context) => {
  const scene = await sceneOf(context);
  const { world, to } = scene;
  const answer = await mirrorTo(scene);
  assert.deepEqual([answer.problems, answer.forgotten.refused], [[], []]);
  assert.deepEqual([counted(answer), answer.snapshots], [[4, 0], { before: 4, after: 2 }]);
  assert.deepEqual(await namesBelow(to, 'snapshots/'), await namesBelow(world.store, 'snapshots/'));
  const there = { ...world, store: to };
  assert.deepEqual((await shownBy(there)).wrong, []);
  await assertAllRestore(there, 2);
  const again = await mirrorTo(scene);
  assert.deepEqual([counted(again), again.objects.copied], [[0, 0], 0]);
  later(world, 15);
  await runPrune(there);
  later(world, 15);
  assert.ok((await runPrune(there)).deleted.length > 0);
  await assertAllRestore(there, 2);
});

test('without a pinned key, or when told to keep them, all stay', async (context) => {
  const scene = await sceneOf(context);
  for (const wish of [{ root: undefined }, { keepForgotten: true }]) {
    const answer = await mirrorTo(scene, wish);
    assert.deepEqual([counted(answer), answer.snapshots.after], [[0, 0], 6]);
  }
});

test('a source that shows the record and hides what came after it gets nothing deleted', async (context) => {
  const { world, to } = await sceneOf(context);
  const newer = (await shownBy(world)).snapshots;
  assert.equal(newer.length, 2);
  for (const { name } of newer) await world.store.delete(name, NO_ABORT);
  // Also where this machine remembers nothing of it.
  for (const marks of [world.machine.state.highWater, {}]) {
    assert.deepEqual(counted(await mirrorTo({ world, to }, { marks })), [0, 4]);
    assert.equal(await countIn(to), 4);
  }
});

test('what nobody signed, or is not the newest that was seen, stands in for no newer one', async (context) => {
  const { world, to } = await sceneOf(context);
  const kept = await cloneWorld(world);
  const [fifth, sixth] = (await shownBy(world)).snapshots;
  assert.ok(fifth && sixth);
  for (const { name } of [fifth, sixth]) await world.store.delete(name, NO_ABORT);
  // Something under the name of a snapshot, younger than all others.
  await to.put(fifth.name, new Uint8Array(3000), {}, NO_ABORT);
  assert.deepEqual(counted(await mirrorTo({ world, to }, { marks: {} })), [0, 4]);
  await to.delete(fifth.name, NO_ABORT);
  // The fifth is there, and this machine has seen the sixth.
  const { bytes } = (await kept.store.get(fifth.name, undefined, NO_ABORT)) ?? assert.fail();
  await world.store.put(fifth.name, bytes, {}, NO_ABORT);
  assert.deepEqual(counted(await mirrorTo({ world, to })), [0, 4]);
  assert.deepEqual(counted(await mirrorTo({ world, to }, { marks: {} })), [4, 0]);
});

test('one that came to the mirror before them does not stand in for what is hidden', async (context) => {
  const world = await forgetWorld(context);
  const to = openMemoryStore({ nowMs: () => world.clock.nowMs });
  await pushDay(world);
  await mirrorTo({ world, to });
  await pushDay(world);
  await pushDay(world);
  await mirrorTo({ world, to });
  await pushDay(world);
  const [, second, third, fourth] = (await shownBy(world)).snapshots;
  assert.ok(second && third && fourth);
  await dropSnapshot(world, second);
  await dropSnapshot(world, third);
  const { bytes } = (await world.store.get(fourth.name, undefined, NO_ABORT)) ?? assert.fail();
  await world.store.delete(fourth.name, NO_ABORT);
  assert.deepEqual(counted(await mirrorTo({ world, to }, { marks: {} })), [0, 2]);
  await world.store.put(fourth.name, bytes, {}, NO_ABORT);
  assert.deepEqual(counted(await mirrorTo({ world, to }, { marks: {} })), [2, 0]);
});

/** Gone in the source: one that has other bytes in the mirror, one that is lost, and one that was forgotten. */
async function meddledWith(context: TestContext): Promise<Scene & { readonly third: string }> {
  const world = await forgetWorld(context);
  const to = openMemoryStore({ nowMs: () => world.clock.nowMs });
  for (let push = 0; push < 4; push++) await pushDay(world);
  await mirrorTo({ world, to });
  const [first, second, third] = (await shownBy(world)).snapshots;
  assert.ok(first && second && third);
  await dropSnapshot(world, first);
  const { bytes } = (await to.get(first.name, undefined, NO_ABORT)) ?? assert.fail();
  await to.put(first.name, bytes.slice(1), {}, NO_ABORT);
  await world.store.delete(second.name, NO_ABORT);
  await recordOf(world, { ...second, digest: LOST_DIGEST });
  await dropSnapshot(world, third);
  return { world, to, third: third.name };
}

test('other bytes under the name, and what is only lost, stay', async (context) => {
  const { third, ...scene } = await meddledWith(context);
  assert.deepEqual(counted(await mirrorTo(scene)), [1, 0]);
  const left = await namesBelow(scene.to, 'snapshots/');
  assert.deepEqual([left.length, left.includes(third)], [3, false]);
});

test('by records that the root key did not sign nothing goes', async (context) => {
  const scene = await meddledWith(context);
  for (const name of await namesBelow(scene.world.store, 'forgets/')) {
    await forge(scene.world.store, name);
  }
  const answer = await mirrorTo(scene);
  assert.equal(answer.problems.length, 3);
  assert.deepEqual([counted(answer), await countIn(scene.to)], [[0, 0], 4]);
});

const recordOf = (
  { reader, store }: ForgetWorld,
  { writer, digest, cover }: StoredSnapshot,
): Promise<string> => {
  const snapshots = [{ sequence: cover.sequence, digest }];
  return writeForgetRecord({ ...reader, store }, { writer, snapshots }, systemRandom, NO_ABORT);
};

async function forge(store: ObjectStore, name: string): Promise<void> {
  const { bytes } = (await store.get(name, undefined, NO_ABORT)) ?? assert.fail(name);
  const forged = Uint8Array.from(bytes);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  await store.put(name, forged, {}, NO_ABORT);
}

test('stopped at any operation, the mirror holds what restores, and the next run ends it', async (context) => {
  const { world, to } = await sceneOf(context);
  const before = { ...world, store: to };
  const whole = await cloneWorld(before);
  const recorded = faultStore(whole.store);
  await mirrorTo({ world, to: recorded });
  assert.equal(recorded.operations.filter(({ kind }) => kind === 'delete').length, 4);
  const expected = await namesBelow(whole.store, 'snapshots/');
  let crashes = 0;
  for (const { number } of recorded.operations) {
    for (const stop of ['before', 'after'] as const) {
      const there = await cloneWorld(before);
      const faulty = faultStore(there.store, { stopAt: number, stop });
      await assert.rejects(mirrorTo({ world, to: faulty }), WorldStopped);
      crashes += 1;
      const left = await namesBelow(there.store, 'snapshots/');
      const isFull = expected.every((name) => left.includes(name));
      assert.ok(
        isFull || left.length >= 4,
        `stopped ${stop} ${number}: nothing goes before the newer ones came`,
      );
      await mirrorTo({ world, to: there.store });
      assert.deepEqual(await namesBelow(there.store, 'snapshots/'), expected);
      assert.deepEqual((await shownBy(there)).wrong, []);
    }
  }
  assert.ok(crashes > 40, `${crashes} crashes`);
});
