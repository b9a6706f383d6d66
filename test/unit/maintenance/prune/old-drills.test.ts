/** The life of drill records: the last few stay, and whoever is the witness to the newest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../../../../src/crypto/sodium.ts';
import type { DrillRecordBody } from '../../../../src/format/drill-record.ts';
import type { WriterId } from '../../../../src/format/names.ts';
import { DRILLS_KEPT, oldDrills } from '../../../../src/maintenance/prune/old-drills.ts';
import {
  listDrills,
  makeDrillRecord,
  type StoredDrill,
} from '../../../../src/repository/drill-records.ts';
import { findRollbacks, readHistory } from '../../../../src/repository/history.ts';
import { writerOf } from '../../../../src/repository/machine.ts';
import { NO_ABORT } from '../../../support/engine.ts';
import { faultStore, WorldStopped } from '../../../support/fault-store.ts';
import {
  cloneWorld,
  later,
  namesBelow,
  pruneWorld,
  pushVersion,
  runPrune,
  type PruneWorld,
} from '../../../support/prune-world.ts';

const HOME = 'aa'.repeat(16) as WriterId;
const OFFICE = 'bb'.repeat(16) as WriterId;

type Seen = DrillRecordBody['seen'][number];

const seen = (writer: string, sequence: number): Seen => ({
  writer,
  sequence,
  snapshot: 'cc'.repeat(16),
  digest: 'dd'.repeat(32),
  time: '2026-01-05T03:00:00.000Z',
});

const bodyOf = (all: readonly Seen[]): DrillRecordBody => ({
  tool: 'test',
  time: '2026-01-05T03:00:00.000Z',
  snapshot: all[0] ?? seen(HOME, 1),
  install: 'openclaw',
  machine: 'harbour',
  passed: true,
  doctor: { ran: false, version: null },
  files: 1,
  bytes: 1,
  bytesFetched: 1,
  restoreMs: 1,
  productMs: 1,
  checks: [],
  seen: [...all],
});

/** The `number`th of a machine, one an hour. */
const drill = (writer: WriterId, number: number, ...all: readonly Seen[]): StoredDrill => ({
  name: `drills/${writer}/${String(number).padStart(32, '0')}`,
  writer,
  ranBy: 'harbour',
  body: bodyOf(all),
  size: 1000,
  storedMs: number * 3_600_000,
});

const many = (writer: WriterId, count: number): StoredDrill[] =>
  Array.from({ length: count }, (_, at) => drill(writer, at + 1, seen(HOME, at + 1)));

const numbersOf = (drills: readonly StoredDrill[]): number[] =>
  drills.map(({ name }) => Number(name.slice(-32))).toSorted((a, b) => a - b);

test('the last few of each machine stay, and what is younger than the grace period', () => {
  const ours = many(HOME, DRILLS_KEPT + 3);
  const all = [...ours, ...many(OFFICE, DRILLS_KEPT)];
  assert.deepEqual(numbersOf(oldDrills(all, Infinity)), [1, 2, 3]);
  assert.deepEqual(numbersOf(oldDrills(all, 2 * 3_600_000)), [1, 2]);
  assert.deepEqual(oldDrills(all, 0), []);
});

test('a witness to the newest of some machine stays, however old', () => {
  const witness = drill(HOME, 2, seen(OFFICE, 90));
  const all = [drill(HOME, 1, seen(OFFICE, 89)), witness, ...many(HOME, 40).slice(2)];
  assert.deepEqual(numbersOf(oldDrills(all, Infinity)).slice(0, 3), [1, 3, 4]);
});

test('what one machine tells, or floods, takes nothing from another one', () => {
  const honest = drill(OFFICE, 1, seen(HOME, 50));
  const flood = Array.from({ length: 500 }, (_, at) => drill(HOME, at, seen(HOME, 2 ** 40)));
  assert.ok(
    !oldDrills([honest, ...many(OFFICE, 40).slice(1), ...flood], Infinity).includes(honest),
  );
});

/** Weeks of drills, of which the third saw the most. */
async function drilledWorld(world: PruneWorld): Promise<string> {
  const [first, second] = [await pushVersion(world, 1), await pushVersion(world, 2)];
  const writer = writerOf(world.machine.state);
  let witness = '';
  for (let week = 1; week <= DRILLS_KEPT + 5; week++) {
    const { id, digest, cover } = week === 3 ? second : first;
    const newest = {
      writer: writer.id,
      sequence: cover.sequence,
      snapshot: id,
      digest,
      time: cover.time,
    };
    const made = makeDrillRecord(world.reader.id, writer, bodyOf([newest]), systemRandom);
    if (week === 3) witness = made.name;
    await world.store.put(made.name, made.bytes, {}, NO_ABORT);
    later(world, 7);
  }
  await world.store.delete(second.name, NO_ABORT);
  return witness;
}

test('a prune takes them away, and a rolled-back history is noticed as before', async (context) => {
  const world = await pruneWorld(context);
  const witness = await drilledWorld(world);
  const request = { graceMs: 14 * 86_400_000 };
  const planned = await runPrune(world, [], { ...request, dryRun: {} });
  assert.equal(planned.plan.drills.length, 4);
  const pruned = await runPrune(world, [], request);
  const gone = pruned.deleted.filter(({ name }) => name.startsWith('drills/'));
  assert.equal(gone.length, 4);
  const left = await listDrills(world.reader, () => undefined, NO_ABORT);
  assert.equal(left.length, DRILLS_KEPT + 1);
  assert.ok(left.some(({ name }) => name === witness));
  const history = await readHistory(world.reader, () => undefined, NO_ABORT);
  assert.equal(findRollbacks(history, {})[0]?.seen.sequence, 2);
});

test('stopped at any operation, the witness is there, and the next run ends it', async (context) => {
  const world = await pruneWorld(context);
  const witness = await drilledWorld(world);
  const request = { graceMs: 14 * 86_400_000 };
  const whole = await cloneWorld(world);
  const recorded = faultStore(whole.store);
  await runPrune({ ...world, store: recorded }, [], request);
  const deletes = recorded.operations.filter(({ kind }) => kind === 'delete');
  assert.ok(deletes.length >= 4);
  for (const { number } of recorded.operations.slice(-12)) {
    for (const stop of ['before', 'after'] as const) {
      const crashed = await cloneWorld(world);
      const store = faultStore(crashed.store, { stopAt: number, stop });
      await assert.rejects(runPrune({ ...world, store }, [], request), WorldStopped);
      const halfway = await namesBelow(crashed.store, 'drills/');
      assert.ok(halfway.includes(witness) && halfway.length > DRILLS_KEPT);
      await runPrune(crashed, [], request);
      assert.equal((await namesBelow(crashed.store, 'drills/')).length, DRILLS_KEPT + 1);
    }
  }
});
