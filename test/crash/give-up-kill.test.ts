/**
 * The world stops at every single store operation while the owner gives something up: nothing goes before it is
 * explained, and the same command ends it.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { giveUp, type GivenUp } from '../../src/maintenance/forget/give-up.ts';
import { findGaps, findRollbacks, readHistory } from '../../src/repository/history.ts';
import type { StoredSnapshot } from '../../src/repository/snapshot-list.ts';
import { NO_ABORT } from '../support/engine.ts';
import { faultStore, WorldStopped } from '../support/fault-store.ts';
import { forgetWorld, pushDay, shownBy, type ForgetWorld } from '../support/forget-world.ts';
import { assertAllRestore, cloneWorld, runPrune } from '../support/prune-world.ts';

type Scene = { readonly world: ForgetWorld; readonly named: readonly StoredSnapshot[] };

/** Of six, the third is gone, the fourth cannot be read; the second is whole and shall go. */
async function sceneOf(context: TestContext): Promise<Scene> {
  const world = await forgetWorld(context);
  for (let push = 0; push < 6; push++) await pushDay(world);
  const { snapshots } = await shownBy(world);
  const [, second, third, fourth] = snapshots;
  assert.ok(second && third && fourth);
  await world.store.delete(third.name, NO_ABORT);
  const { bytes } = (await world.store.get(fourth.name, undefined, NO_ABORT)) ?? assert.fail();
  await world.store.put(fourth.name, bytes.slice(0, -1), {}, NO_ABORT);
  return { world, named: [second, fourth] };
}

async function run(
  { reader }: ForgetWorld,
  named: readonly StoredSnapshot[],
  store: ForgetWorld['store'],
): Promise<GivenUp> {
  const repository = { ...reader, store };
  const emit = (): void => undefined;
  const history = await readHistory(repository, emit, NO_ABORT);
  const there = new Set<string>();
  for await (const { name } of store.list('snapshots/', NO_ABORT)) there.add(name);
  const chosen = named.flatMap((one) => {
    if (!there.has(one.name)) return [];
    const isWhole = history.snapshots.some(({ name }) => name === one.name);
    return [isWhole ? { name: one.name, snapshot: one } : { name: one.name, why: 'damaged' }];
  });
  const request = { history, marks: {}, missing: true, named: chosen };
  return await giveUp(request, { repository, random: systemRandom, emit }, NO_ABORT);
}

test('giving up that stops at any operation leaves nothing unexplained that it deleted', async (context) => {
  const { world, named } = await sceneOf(context);
  const recorded = faultStore((await cloneWorld(world)).store);
  await run(world, named, recorded);
  const writes = recorded.operations.filter(({ kind }) => kind === 'put' || kind === 'delete');
  assert.deepEqual(
    writes.map(({ kind }) => kind),
    ['put', 'delete', 'delete'],
  );
  let crashes = 0;
  for (const { number } of recorded.operations) {
    for (const stop of ['before', 'after'] as const) {
      const crashed = await cloneWorld(world);
      const store = faultStore(crashed.store, { stopAt: number, stop });
      const isStopped = await run(crashed, named, store).then(
        () => false,
        (error: unknown) => error instanceof WorldStopped || assert.fail(String(error)),
      );
      if (!isStopped) continue;
      crashes += 1;
      await assertEnds(crashed, named, `stopped ${stop} operation ${number}`);
    }
  }
  assert.ok(crashes >= 20, `${crashes} crashes`);
});

async function assertEnds(
  world: ForgetWorld,
  named: readonly StoredSnapshot[],
  what: string,
): Promise<void> {
  const before = await readHistory({ ...world.reader, store: world.store }, ignore, NO_ABORT);
  const gaps = findGaps(before).flatMap(({ first, last }) => [first, last]);
  // The third and the fourth, until the record is there; never the second.
  assert.ok(gaps.length === 0 || gaps.join() === '3,4', `${what}: ${gaps.join()}`);
  await run(world, named, world.store);
  const { snapshots, wrong } = await shownBy(world);
  assert.deepEqual(
    [wrong, snapshots.map(({ cover }) => cover.sequence)],
    [[], [1, 5, 6]],
    `${what}: the same again ends it`,
  );
  const { records } = await run(world, named, world.store);
  assert.deepEqual(records, [], what);
  assert.deepEqual(findRollbacks(before, {}), []);
}

const ignore = (): void => undefined;

test('what is not given up restores, and prunes go on', async (context) => {
  const { world, named } = await sceneOf(context);
  await assert.rejects(runPrune(world));
  await run(world, named, world.store);
  await runPrune(world);
  await assertAllRestore(world, 3);
});
