/** A mirror on a disk that comes back every week does not grow for ever: it is pruned where it is, like its source. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { check } from '../../../../src/maintenance/check/check.ts';
import { mirror, type Mirrored } from '../../../../src/maintenance/mirror/mirror.ts';
import { pinnedHalves } from '../../../../src/repository/machine.ts';
import { openMemoryStore } from '../../../../src/store/memory-store.ts';
import type { ObjectStore } from '../../../../src/store/object-store.ts';
import { allObjects, NO_ABORT } from '../../../support/engine.ts';
import {
  forgetWorld,
  pushDay,
  runForget,
  type ForgetWorld,
} from '../../../support/forget-world.ts';
import { assertAllRestore, later, runPrune } from '../../../support/prune-world.ts';

type Scene = { readonly world: ForgetWorld; readonly there: ForgetWorld };

async function sceneOf(context: TestContext): Promise<Scene> {
  const world = await forgetWorld(context);
  const store = openMemoryStore({ nowMs: () => world.clock.nowMs });
  return { world, there: { ...world, store } };
}

async function mirrorOnce({ world, there }: Scene): Promise<Mirrored> {
  const { root } = pinnedHalves(world.machine.state);
  const marks = world.machine.state.highWater;
  const places = { from: world.store, to: there.store };
  const request = { ...places, root, marks, compareAll: false, keepForgotten: false };
  const answer = await mirror(request, { emit: () => undefined }, NO_ABORT);
  assert.deepEqual([answer.problems, answer.forgotten.refused], [[], []]);
  return answer;
}

/** What holds content, and what says where it is. */
async function contentIn(store: ObjectStore): Promise<string[]> {
  const names: string[] = [];
  for (const folder of ['packs/', 'lists/', 'indexes/', 'snapshots/']) {
    names.push(...(await allObjects(store, folder)).keys());
  }
  return names.toSorted();
}

async function problemsIn({ reader, store }: ForgetWorld): Promise<readonly unknown[]> {
  const nowMs = await store.dateMs(NO_ABORT);
  const request = { readPercent: 100, nowMs };
  const repository = { ...reader, store };
  return (await check(repository, request, { emit: () => undefined }, NO_ABORT)).problems;
}

test('pruned after its source it holds the same, is whole, and gets nothing back', async (context) => {
  const scene = await sceneOf(context);
  const { world, there } = scene;
  for (let push = 0; push < 4; push++) await pushDay(world);
  await mirrorOnce(scene);
  for (let push = 0; push < 2; push++) await pushDay(world);
  await runForget(world, { rules: { last: 2 } });
  for (const days of [15, 15]) {
    later(world, days);
    await runPrune(world);
  }
  assert.equal((await mirrorOnce(scene)).forgotten.deleted, 4);
  const before = await contentIn(there.store);
  const rest = await contentIn(world.store);
  assert.ok(rest.length < before.length, 'the source has freed what the mirror still holds');
  await runPrune(there);
  later(world, 15);
  const { refused, left } = await runPrune(there);
  assert.deepEqual([refused, left], [[], []]);
  assert.deepEqual(await contentIn(there.store), rest);
  const again = await mirrorOnce(scene);
  assert.equal(again.objects.copied, 0);
  assert.deepEqual(await problemsIn(there), []);
  await assertAllRestore(there, 2);
});

test('over half a year of weeks it stays as small as its source', async (context) => {
  const scene = await sceneOf(context);
  const { world, there } = scene;
  const held: number[] = [];
  for (let week = 0; week < 26; week++) {
    await pushDay(world);
    later(world, 6);
    await runForget(world, { rules: { last: 2 } });
    await runPrune(world);
    await mirrorOnce(scene);
    await runPrune(there);
    held.push((await contentIn(there.store)).length);
    const atSource = (await contentIn(world.store)).length;
    assert.ok((held.at(-1) ?? 0) <= atSource * 2, `${held.at(-1)} there, ${atSource} here`);
  }
  assert.ok(Math.max(...held.slice(-8)) <= Math.max(...held.slice(8, 16)), held.join(' '));
  assert.deepEqual(await problemsIn(there), []);
  await assertAllRestore(there, 2);
});
