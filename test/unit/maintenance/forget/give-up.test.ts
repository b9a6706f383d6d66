/** What the owner gives up: holes that stay, and snapshots that no longer tell what they need. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { FerryEvent } from '../../../../src/base/events.ts';
import { systemRandom } from '../../../../src/crypto/sodium.ts';
import { listOf } from '../../../../src/maintenance/check/check-lists.ts';
import {
  giveUp,
  type GivenUp,
  type GiveUpRequest,
} from '../../../../src/maintenance/forget/give-up.ts';
import { findHoles, findRollbacks, readHistory } from '../../../../src/repository/history.ts';
import { findLost } from '../../../../src/repository/lost.ts';
import type { MachineState } from '../../../../src/repository/machine.ts';
import type { StoredSnapshot } from '../../../../src/repository/snapshot-list.ts';
import { NO_ABORT } from '../../../support/engine.ts';
import {
  forgetWorld,
  numbersOf,
  pushDay,
  putGrant,
  runForget,
  shownBy,
  type ForgetWorld,
} from '../../../support/forget-world.ts';
import { namesBelow, runPrune } from '../../../support/prune-world.ts';

const failOn = (event: FerryEvent): void => assert.fail(JSON.stringify(event));

type Scene = { readonly world: ForgetWorld; readonly all: readonly StoredSnapshot[] };

async function sceneOf(context: TestContext, pushes = 5): Promise<Scene> {
  const world = await forgetWorld(context);
  for (let push = 0; push < pushes; push++) await pushDay(world);
  const { snapshots } = await shownBy(world);
  return { world, all: snapshots };
}

const numbered = ({ all }: Scene, number: number): StoredSnapshot =>
  all.find(({ cover }) => cover.sequence === number) ?? assert.fail(`number ${number}`);

async function run(
  { reader, store }: ForgetWorld,
  request: Partial<GiveUpRequest>,
): Promise<GivenUp> {
  const repository = { ...reader, store };
  const quiet = (): void => undefined;
  const history = await readHistory(repository, quiet, NO_ABORT);
  return await giveUp(
    { history, marks: {}, missing: false, named: [], ...request },
    { repository, random: systemRandom, emit: quiet },
    NO_ABORT,
  );
}

const marksOf = ({ world }: Scene): MachineState['highWater'] => world.machine.state.highWater;

const rangesOf = ({ plan }: GivenUp): [number, number][] =>
  plan.lost.map(({ first, last }) => [first, last]);

async function drop({ world }: Scene, ...gone: readonly StoredSnapshot[]): Promise<void> {
  for (const { name } of gone) await world.store.delete(name, NO_ABORT);
}

async function spoil({ store }: ForgetWorld, name: string): Promise<void> {
  const { bytes } = (await store.get(name, undefined, NO_ABORT)) ?? assert.fail(name);
  const spoilt = Uint8Array.from(bytes);
  spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1;
  await store.put(name, spoilt, {}, NO_ABORT);
}

test('holes and a lost newest are accepted once, and nobody asks again', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  await drop(scene, numbered(scene, 2), numbered(scene, 3), numbered(scene, 5));
  const marks = marksOf(scene);
  const request = { graceMs: 14 * 86_400_000, seen: marks };
  await assert.rejects(runPrune(world, [], request), { code: 'history-rolled-back' });
  const given = await run(world, { missing: true, marks });
  assert.deepEqual(rangesOf(given), [
    [2, 3],
    [5, 5],
  ]);
  assert.deepEqual([given.records.length, given.deleted], [1, []]);
  const history = await readHistory(world.reader, failOn, NO_ABORT);
  assert.deepEqual([findHoles(history), findRollbacks(history, marks)], [[], []]);
  assert.deepEqual(
    findLost(history).map(({ first, last }) => [first, last]),
    [
      [2, 3],
      [5, 5],
    ],
  );
  await runPrune(world, [], request);
  await pushDay(world);
  const { snapshots, wrong } = await shownBy(world);
  assert.deepEqual([wrong, numbersOf(snapshots, world.machine.state.writer.id)], [[], [1, 4, 6]]);
  const again = await run(world, { missing: true, marks: marksOf(scene) });
  assert.deepEqual([again.records, again.plan.lost], [[], []]);
});

test('a witness to more than what was accepted is believed', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  const fourth = numbered(scene, 4);
  await drop(scene, fourth, numbered(scene, 5));
  const { writer, digest, id, cover } = fourth;
  const marks = { [writer]: { sequence: 4, digest, snapshot: id, time: cover.time } };
  assert.deepEqual(rangesOf(await run(world, { missing: true, marks })), [[4, 4]]);
  const history = await readHistory(world.reader, failOn, NO_ABORT);
  assert.deepEqual(findRollbacks(history, marks), []);
  assert.equal(findRollbacks(history, marksOf(scene)).length, 1);
});

test('one that turns up again counts again: no rule takes it for a fork or for forgotten', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  const third = numbered(scene, 3);
  const { bytes } = (await world.store.get(third.name, undefined, NO_ABORT)) ?? assert.fail();
  await drop(scene, third);
  await run(world, { missing: true });
  await world.store.put(third.name, bytes, {}, NO_ABORT);
  const { plan } = await runForget(world, { rules: { last: 9 } });
  const kept = plan.kept.find(({ snapshot }) => snapshot.id === third.id);
  assert.deepEqual(kept?.reasons, [{ rule: 'last' }]);
  assert.deepEqual(plan.doomed, []);
});

test('a damaged snapshot is given up by its id, with the number that it must have had', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  const { name } = numbered(scene, 3);
  await spoil(world, name);
  await assert.rejects(runPrune(world), { code: 'object-damaged' });
  const given = await run(world, { named: [{ name, why: 'damaged' }] });
  assert.deepEqual([rangesOf(given), given.deleted], [[[3, 3]], [name]]);
  assert.deepEqual((await shownBy(world)).wrong, []);
  await runPrune(world);
});

test('which number it had is not guessed where another one is missing too', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  const { name } = numbered(scene, 3);
  await spoil(world, name);
  await drop(scene, numbered(scene, 2));
  const given = await run(world, { named: [{ name, why: 'damaged' }] });
  assert.deepEqual([given.plan.lost, given.records, given.deleted], [[], [], [name]]);
  const history = await readHistory(world.reader, failOn, NO_ABORT);
  assert.deepEqual(
    findHoles(history).map(({ first, last }) => [first, last]),
    [[2, 3]],
  );
});

test('one whose list of packs is gone is given up too, though it is the newest', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  const newest = numbered(scene, 5);
  await world.store.delete(listOf(newest), NO_ABORT);
  const named = [{ name: newest.name, why: 'its list is missing', snapshot: newest }];
  const given = await run(world, { named });
  assert.deepEqual([rangesOf(given), given.deleted], [[[5, 5]], [newest.name]]);
  const history = await readHistory(world.reader, failOn, NO_ABORT);
  assert.deepEqual(findRollbacks(history, marksOf(scene)), []);
  await pushDay(world);
  assert.deepEqual((await shownBy(world)).wrong, []);
});

test('one that is whole is forgotten as ever: by its digest, and never the newest', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  const second = numbered(scene, 2);
  const given = await run(world, { named: [{ name: second.name, snapshot: second }] });
  assert.deepEqual([given.plan.lost, given.deleted], [[], [second.name]]);
  const { records } = await readHistory(world.reader, failOn, NO_ABORT);
  assert.deepEqual(
    records.flatMap(({ snapshots }) => snapshots),
    [{ sequence: 2, digest: second.digest }],
  );
  const newest = numbered(scene, 5);
  const named = [{ name: newest.name, snapshot: newest }];
  await assert.rejects(run(world, { named }), { code: 'usage' });
  assert.equal((await namesBelow(world.store, 'snapshots/')).length, 4);
});

test('what a ticket may still fetch is not given up, damaged or not', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  const third = numbered(scene, 3);
  const { store, reader, clock } = world;
  await putGrant(store, reader.id, 'd0'.repeat(16), third, clock.nowMs + 3_600_000);
  for (const one of [{ why: 'damaged' }, { snapshot: third }]) {
    const named = [{ name: third.name, ...one }];
    await assert.rejects(run(world, { named }), { code: 'usage' });
  }
  assert.deepEqual(await namesBelow(store, 'forgets/'), []);
});

test('numbers that a machine has made up are not written down one by one', async (context) => {
  const scene = await sceneOf(context, 1);
  const { writer, id, cover } = numbered(scene, 1);
  const mark = { sequence: 2 ** 40, digest: '5e'.repeat(32), snapshot: id, time: cover.time };
  const request = { missing: true, marks: { [writer]: mark } };
  await assert.rejects(run(scene.world, request), { code: 'history-rolled-back' });
});
