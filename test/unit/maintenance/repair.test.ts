/** repair: indexes come back from the packs, damaged packs are pushed again, nothing is taken away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../../../src/crypto/sodium.ts';
import { check } from '../../../src/maintenance/check/check.ts';
import type { CheckProblem } from '../../../src/maintenance/check/faults.ts';
import { repair, type Repaired } from '../../../src/maintenance/repair.ts';
import { readIndex, writeIndex } from '../../../src/repository/indexes.ts';
import { packName } from '../../../src/repository/pack-reader.ts';
import { damageFile, flipBit } from '../../support/damage.ts';
import { allObjects, NO_ABORT, pushTree } from '../../support/engine.ts';
import { faultStore, WorldStopped } from '../../support/fault-store.ts';
import {
  cloneWorld,
  namesBelow,
  pruneWorld,
  pushVersion,
  type PruneWorld,
} from '../../support/prune-world.ts';

const emit = (): void => undefined;
type World = Pick<PruneWorld, 'reader' | 'store'>;

async function runRepair({ reader, store }: World, readPercent = 100): Promise<Repaired> {
  const nowMs = await store.dateMs(NO_ABORT);
  const deps = { repository: { ...reader, store }, random: systemRandom, emit };
  return repair({ readPercent, nowMs }, deps, NO_ABORT);
}

async function problemsIn({ reader, store }: World): Promise<readonly CheckProblem[]> {
  const request = { readPercent: 100, nowMs: await store.dateMs(NO_ABORT) };
  return (await check({ ...reader, store }, request, { emit }, NO_ABORT)).problems;
}

/** Those of the only machine. */
function indexKeys({ reader }: World): Parameters<typeof readIndex>[1] {
  const [writer = assert.fail('no writer')] = reader.writers.values();
  return { repository: reader.id, writer: writer.id, key: writer.subkeys.index };
}

test('a whole repository needs no repair', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  const before = await allObjects(world.store);
  const { plan } = await runRepair(world);
  assert.deepEqual([plan.indexes, plan.condemn, plan.problems], [[], [], []]);
  assert.deepEqual(await allObjects(world.store), before);
});

test('missing and bad indexes are made anew, and a push without cache stores nothing again', async (context) => {
  const world = await pruneWorld(context);
  for (const version of [1, 2, 3]) await pushVersion(world, version);
  const [missing = '', bad = ''] = await namesBelow(world.store, 'indexes/');
  await world.store.delete(missing, NO_ABORT);
  await flipBit(world.store, bad);
  const repaired = await runRepair(world, 0);
  assert.equal(repaired.made, 1);
  assert.equal(repaired.replaced, 1);
  assert.deepEqual(repaired.plan.problems, []);
  assert.ok(!(await namesBelow(world.store, 'indexes/')).includes(bad));
  assert.deepEqual(await problemsIn(world), []);
  const fresh = { ...world.machine, cache: undefined };
  const pushed = await pushTree(world.store, fresh, world.tree);
  assert.ok(pushed.bytesStored < 32 * 1024, `${pushed.bytesStored} bytes were stored again`);
});

test('an index that says something else than the packs is replaced', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  const keys = indexKeys(world);
  const [honest = ''] = await namesBelow(world.store, 'indexes/');
  const packs = await readIndex(world.store, keys, honest, NO_ABORT);
  const lies = packs.map((pack) => {
    const directory = Buffer.from(pack.directory);
    directory[40] = (directory[40] ?? 0) ^ 1;
    return { ...pack, directory };
  });
  await writeIndex(world.store, keys, lies, systemRandom, NO_ABORT);
  const repaired = await runRepair(world);
  assert.equal(repaired.replaced, 1);
  assert.deepEqual(await namesBelow(world.store, 'indexes/'), [honest]);
});

test('a damaged pack is announced once, and the next push stores its content again', async (context) => {
  const world = await pruneWorld(context);
  const pack = await damageFile(world.reader, await pushVersion(world, 1), 'state/bulk-000');
  const unseen = await pushTree(world.store, world.machine, world.tree);
  assert.ok(unseen.bytesStored < 32 * 1024, 'a push sees only its size');
  const repaired = await runRepair(world);
  assert.deepEqual(repaired.plan.condemn, [pack]);
  assert.equal(repaired.plan.problems.length, 1);
  assert.ok((repaired.plan.problems[0]?.files.lost ?? 0) > 0);
  assert.deepEqual((await runRepair(world)).plan.condemn, [], 'it is announced already');
  const pushed = await pushTree(world.store, world.machine, world.tree);
  assert.ok(pushed.bytesStored > 300_000, `${pushed.bytesStored} bytes were stored`);
  const [problem, ...others] = await problemsIn(world);
  assert.deepEqual(others, []);
  assert.ok(!problem?.snapshots.includes(pushed.id), 'the new snapshot does not need it');
  assert.ok((problem?.files.lost ?? 0) > 0, 'the old ones look into no other packs than theirs');
  assert.ok((await namesBelow(world.store, 'packs/')).includes(pack), 'nothing is taken away');
});

test('a repair that stops at any operation is finished by the next', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  const [bad = assert.fail('no index')] = await namesBelow(world.store, 'indexes/');
  const pack = await damageFile(world.reader, await pushVersion(world, 2), 'state/version');
  // An index of nothing but a damaged pack would not be made anew.
  const named = await readIndex(world.store, indexKeys(world), bad, NO_ABORT);
  assert.ok(!named.map(packName).includes(pack));
  await flipBit(world.store, bad);
  const kept = (await namesBelow(world.store, '')).filter((name) => name !== bad);
  const recorded = faultStore((await cloneWorld(world)).store);
  await runRepair({ ...world, store: recorded });
  const changes = recorded.operations.filter(({ kind }) => kind === 'put' || kind === 'delete');
  assert.equal(changes.length, 3, 'a tombstone, an index, and the bad one away');
  let crashes = 0;
  for (const { kind, name, number } of recorded.operations) {
    // Reading changes nothing, so one stop between any two changes stands for all.
    if (kind !== 'put' && kind !== 'delete') continue;
    for (const stop of ['before', 'after'] as const) {
      const crashed = await cloneWorld(world);
      const store = faultStore(crashed.store, { stopAt: number, stop });
      await assert.rejects(runRepair({ ...crashed, store }), WorldStopped);
      crashes += 1;
      const what: string = `stopped ${stop} ${kind} ${name}`;
      await runRepair(crashed);
      const there = new Set(await namesBelow(crashed.store, ''));
      assert.deepEqual(
        kept.filter((one) => !there.has(one)),
        [],
        what,
      );
      const left = await problemsIn(crashed);
      assert.deepEqual(
        left.map(({ object }) => object),
        [pack],
        what,
      );
      const { plan } = await runRepair(crashed);
      assert.deepEqual([plan.condemn, plan.indexes], [[], []], what);
    }
  }
  assert.equal(crashes, 6);
});
