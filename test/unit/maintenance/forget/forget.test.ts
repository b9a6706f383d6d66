/** Forgetting on a real repository: refusals, two at once, tickets, machines that were revoked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../../../src/base/durations.ts';
import { FerryError } from '../../../../src/base/errors.ts';
import { readTicketsLeft } from '../../../../src/repository/tickets-left.ts';
import { NO_ABORT } from '../../../support/engine.ts';
import { faultStore } from '../../../support/fault-store.ts';
import {
  forgetWorld,
  numbersOf,
  pushDay,
  putGrant,
  runForget,
  shownBy,
  type ForgetWorld,
} from '../../../support/forget-world.ts';
import { later, namesBelow } from '../../../support/prune-world.ts';

const RULES = { last: 2 } as const;

const denied = (): FerryError => new FerryError('store-denied', 'these credentials may not');

async function left(world: ForgetWorld): Promise<number[]> {
  const { snapshots, wrong } = await shownBy(world);
  assert.deepEqual(wrong, []);
  return numbersOf(snapshots, world.machine.state.writer.id);
}

async function pushed(world: ForgetWorld, days: number): Promise<ForgetWorld> {
  for (let day = 0; day < days; day++) await pushDay(world);
  return world;
}

test('credentials that may not delete: said for each, and done by the next run that may', async (context) => {
  const world = await pushed(await forgetWorld(context), 4);
  const store = faultStore(world.store, {
    refuse: ({ kind }) => (kind === 'delete' ? denied() : undefined),
  });
  const refused = await runForget({ ...world, store }, { rules: RULES });
  assert.deepEqual(
    [refused.deleted.length, refused.refused.length, refused.records.length],
    [0, 2, 1],
  );
  assert.ok(refused.refused.every(({ code }) => code === 'store-denied'));
  assert.deepEqual(await left(world), [1, 2, 3, 4]);
  const done = await runForget(world, { rules: RULES });
  assert.deepEqual([done.deleted.length, done.records.length], [2, 0]);
  assert.deepEqual(await left(world), [3, 4]);
});

test('credentials that may not store the record: nothing is deleted', async (context) => {
  const world = await pushed(await forgetWorld(context), 3);
  const store = faultStore(world.store, {
    refuse: ({ kind }) => (kind === 'put' ? denied() : undefined),
  });
  await assert.rejects(runForget({ ...world, store }, { rules: RULES }), /may not/);
  assert.deepEqual(await left(world), [1, 2, 3]);
});

test('a dry run and an empty plan change nothing', async (context) => {
  const world = await pushed(await forgetWorld(context), 3);
  const before = await namesBelow(world.store, '');
  const { plan } = await runForget(world, { rules: RULES, dryRun: true });
  assert.equal(plan.doomed.length, 1);
  await runForget(world, { rules: { last: 3 } });
  assert.deepEqual(await namesBelow(world.store, ''), before);
});

test('two forgets at once, and one that goes on with a listing of before', async (context) => {
  const world = await pushed(await forgetWorld(context), 5);
  const both = await Promise.all([
    runForget(world, { rules: RULES }),
    runForget(world, { rules: RULES }),
  ]);
  assert.deepEqual(
    both.map(({ refused, left: undone }) => [refused, undone]),
    [
      [[], []],
      [[], []],
    ],
  );
  assert.deepEqual(await left(world), [4, 5]);
  const third = await runForget(world, { rules: RULES });
  assert.deepEqual([third.records, third.deleted], [[], []]);
});

test('a push between the plan and the deletion: the newest of then stays, and the new one', async (context) => {
  const world = await pushed(await forgetWorld(context), 3);
  let isPushed = false;
  const store = faultStore(world.store);
  const racing = {
    ...store,
    put: async (...args: Parameters<typeof store.put>) => {
      if (!isPushed) await pushDay(world);
      isPushed = true;
      return store.put(...args);
    },
  };
  await runForget({ ...world, store: racing }, { rules: { last: 1 } });
  assert.ok(isPushed);
  assert.deepEqual(await left(world), [3, 4]);
});

test('what a revoked machine stored later is nobody’s newest, and is left aside', async (context) => {
  const world = await pushed(await forgetWorld(context), 4);
  const own = world.machine.state.writer.id;
  const { snapshots } = await shownBy(world);
  const counted = new Map(
    snapshots
      .filter(({ cover }) => cover.sequence <= 3)
      .map(({ digest, cover }) => [digest, cover.sequence]),
  );
  const last = snapshots.find(({ cover }) => cover.sequence === 3);
  assert.ok(last);
  const revoked = {
    writer: last.writer,
    time: '2026-01-08T00:00:00.000Z',
    last: { sequence: 3, digest: last.digest },
    digests: counted,
  };
  const writers = new Map(
    [...world.reader.writers].map(([id, writer]) => [id, { ...writer, revoked }]),
  );
  const reader = { ...world.reader, writers };
  const { plan, deleted } = await runForget({ ...world, reader }, { rules: { last: 1 } });
  assert.deepEqual(
    numbersOf(
      plan.kept.map(({ snapshot }) => snapshot),
      own,
    ),
    [3],
  );
  assert.equal(deleted.length, 2);
  assert.equal((await namesBelow(world.store, 'snapshots/')).length, 2);
});

test('grants keep what they name until their end, and never for longer than a week', async (context) => {
  const world = await pushed(await forgetWorld(context), 4);
  const { snapshots } = await shownBy(world);
  const [first, second] = snapshots;
  assert.ok(first && second);
  const { store, reader, clock } = world;
  const end = clock.nowMs + DAY_MS;
  await putGrant(store, reader.id, '01'.repeat(16), first, end);
  await putGrant(store, reader.id, '02'.repeat(16), second, Date.UTC(3000, 0));
  // Neither of these names anything: one is too short, one of another repository, one is nobody's.
  await store.put(`grants/${'03'.repeat(16)}`, new Uint8Array(20), {}, NO_ABORT);
  await putGrant(store, 'ff'.repeat(16), '04'.repeat(16), second, end);
  await store.put('grants/trial', new Uint8Array(100), {}, NO_ABORT);
  assert.deepEqual((await runForget(world, { rules: RULES, dryRun: true })).plan.doomed, []);
  later(world, 1);
  await runForget(world, { rules: RULES });
  assert.deepEqual(await left(world), [2, 3, 4]);
  later(world, 6);
  await runForget(world, { rules: RULES });
  assert.deepEqual(await left(world), [3, 4]);
  assert.deepEqual(await namesBelow(store, 'grants/'), ['grants/trial']);
});

test('claims and receipts stay a year, for the machine that waits to hear how it went', async (context) => {
  const world = await pushed(await forgetWorld(context), 1);
  const { snapshots } = await shownBy(world);
  const [only] = snapshots;
  assert.ok(only);
  const { store, reader, clock } = world;
  const [dead, alive] = ['05'.repeat(16), '06'.repeat(16)];
  await putGrant(store, reader.id, dead, only, clock.nowMs + 1);
  for (const id of [dead, alive]) {
    await store.put(`claims/${id}`, new Uint8Array(8), {}, NO_ABORT);
    await store.put(`receipts/${id}`, new Uint8Array(8), {}, NO_ABORT);
  }
  const deadNow = async (): Promise<string[]> =>
    (await readTicketsLeft(reader, clock.nowMs, NO_ABORT)).dead.map(({ name }) => name);
  later(world, 364);
  assert.deepEqual(await deadNow(), [`grants/${dead}`]);
  later(world, 1);
  await putGrant(store, reader.id, alive, only, clock.nowMs + DAY_MS);
  assert.deepEqual(await deadNow(), [`grants/${dead}`, `claims/${dead}`, `receipts/${dead}`]);
});
