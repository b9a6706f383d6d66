/**
 * The world stops at every single store operation of a forget, before its effect and after it: whatever is gone is
 * explained, what must stay is there, and the next run ends where this one would have.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Forgotten } from '../../src/maintenance/forget/forget.ts';
import { joinEngine, NO_ABORT, openReader } from '../support/engine.ts';
import { faultStore, WorldStopped } from '../support/fault-store.ts';
import {
  forgetWorld,
  numbersOf,
  pushDay,
  putGrant,
  runForget,
  shownBy,
  type ForgetWorld,
} from '../support/forget-world.ts';
import { assertAllRestore, cloneWorld, later, namesBelow } from '../support/prune-world.ts';

const RULES = { daily: 2, labels: ['gold'] } as const;

type Scene = {
  readonly world: ForgetWorld;
  /** Names of snapshots that no run may delete. */
  readonly kept: readonly string[];
};

test('a forget that stops at any operation leaves nothing unexplained, and the next one ends it', async (context) => {
  const { world, kept } = await sceneOf(context);
  const recorded = faultStore((await cloneWorld(world)).store);
  await forgetAt(world, recorded);
  const deletes = recorded.operations.filter(({ kind }) => kind === 'delete');
  assert.equal(deletes.length, 8);
  let crashes = 0;
  for (const { number } of recorded.operations) {
    for (const stop of ['before', 'after'] as const) {
      const crashed = await cloneWorld(world);
      const store = faultStore(crashed.store, { stopAt: number, stop });
      const operation = await stopOf(forgetAt(crashed, store));
      if (!operation) continue;
      crashes += 1;
      const what = `stopped ${stop} operation ${number} (${operation})`;
      await assertExplained(crashed, kept, what);
      await forgetAt(crashed, crashed.store);
      await assertEnded(crashed, kept, what);
      const again = await forgetAt(crashed, crashed.store);
      assert.deepEqual([again.records, again.deleted], [[], []], `${what}: nothing is left to do`);
    }
  }
  assert.ok(crashes >= 40, `${crashes} crashes`);
});

/** Two machines, one of them with a label and with a snapshot that a ticket leads to. */
async function sceneOf(context: TestContext): Promise<Scene> {
  const alone = await forgetWorld(context);
  const island = await joinEngine(alone, 'island');
  const world = { ...alone, reader: await openReader(alone.store) };
  await pushDay(world, { label: 'gold' });
  for (const _ of [2, 3, 4, 5]) await pushDay(world);
  for (const _ of [1, 2, 3, 4, 5, 6]) await pushDay(world, { machine: island });
  const { snapshots } = await shownBy(world);
  const ours = snapshots.filter(({ writer }) => writer === world.machine.state.writer.id);
  const third = ours.find(({ cover }) => cover.sequence === 3);
  assert.ok(third);
  // Dead: its time is over, whatever its claim and its receipt are.
  const old = 'd0'.repeat(16);
  await putGrant(world.store, world.reader.id, old, third, world.clock.nowMs + 1000);
  for (const folder of ['claims', 'receipts']) {
    await world.store.put(`${folder}/${old}`, new Uint8Array(8), {}, NO_ABORT);
  }
  later(world, 366);
  const soon = world.clock.nowMs + 3_600_000;
  await putGrant(world.store, world.reader.id, 'e1'.repeat(16), third, soon);
  const kept = snapshots.filter(({ writer, cover: { sequence, label } }) =>
    writer === third.writer
      ? label === 'gold' || sequence === third.cover.sequence || sequence >= 4
      : sequence >= 5,
  );
  return { world, kept: kept.map(({ name }) => name).toSorted() };
}

const forgetAt = ({ reader }: ForgetWorld, store: ForgetWorld['store']): Promise<Forgotten> =>
  runForget({ reader, store }, { rules: RULES });

async function stopOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!(error instanceof WorldStopped)) throw error;
    return `${error.operation.kind} ${error.operation.name}`;
  }
}

async function assertExplained(
  world: ForgetWorld,
  kept: readonly string[],
  what: string,
): Promise<void> {
  const { snapshots, wrong } = await shownBy(world);
  assert.deepEqual(wrong, [], what);
  const there = new Set(snapshots.map(({ name }) => name));
  assert.deepEqual(
    kept.filter((name) => !there.has(name)),
    [],
    what,
  );
}

async function assertEnded(
  world: ForgetWorld,
  kept: readonly string[],
  what: string,
): Promise<void> {
  await assertExplained(world, kept, what);
  assert.deepEqual(await namesBelow(world.store, 'snapshots/'), kept, what);
  assert.deepEqual(await namesBelow(world.store, 'grants/'), [`grants/${'e1'.repeat(16)}`], what);
  for (const folder of ['claims/', 'receipts/']) {
    assert.deepEqual(await namesBelow(world.store, folder), [], what);
  }
}

test('what a forget leaves restores, and a push after it goes on with the chain', async (context) => {
  const { world, kept } = await sceneOf(context);
  await forgetAt(world, world.store);
  await assertAllRestore(world, kept.length);
  await pushDay(world);
  const { snapshots, wrong } = await shownBy(world);
  assert.deepEqual(wrong, []);
  const own = world.machine.state.writer.id;
  assert.deepEqual(numbersOf(snapshots, own), [1, 3, 4, 5, 6]);
});
