/** check names every problem by what it costs: the snapshots, and the files in them. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asBytePath } from '../../../../src/base/byte-path.ts';
import type { FerryEvent } from '../../../../src/base/events.ts';
import { check, type Checked } from '../../../../src/maintenance/check/check.ts';
import { LocalCache } from '../../../../src/repository/cache.ts';
import { PIPELINE } from '../../../../src/workers/limits.ts';
import { damageFile, flipBit, packOf } from '../../../support/damage.ts';
import { listAll, NO_ABORT, pushTree } from '../../../support/engine.ts';
import type { ObjectStore } from '../../../../src/store/object-store.ts';
import { forger } from '../../../support/engine-forge.ts';
import { faultStore } from '../../../support/fault-store.ts';
import {
  namesBelow,
  pruneWorld,
  pushVersion,
  type PruneWorld,
} from '../../../support/prune-world.ts';
import { noise } from '../../../support/tree.ts';

async function runCheck(
  { reader, store }: Pick<PruneWorld, 'reader' | 'store'>,
  readPercent = 0,
  cache?: LocalCache,
): Promise<Checked> {
  const repository = { ...reader, store, ...(cache && { cache }) };
  const nowMs = await store.dateMs(NO_ABORT);
  return check(repository, { readPercent, nowMs }, { emit: () => undefined }, NO_ABORT);
}

/** Versions 1 to 3 of a file, each pushed by itself; answers the names of the packs that they lie in. */
async function threeVersions(world: PruneWorld): Promise<string[]> {
  const packs: string[] = [];
  for (const version of [1, 2, 3]) {
    const pushed = await pushVersion(world, version);
    packs.push(await packOf(world.reader, pushed, 'state/version'));
  }
  return packs;
}

test('a whole repository has no problem, and every index is read once', async (context) => {
  const world = await pruneWorld(context);
  await threeVersions(world);
  const watched = faultStore(world.store);
  const checked = await runCheck({ ...world, store: watched }, 100);
  assert.deepEqual(checked.problems, []);
  assert.equal(checked.snapshots, 3);
  assert.equal(checked.read.objects, checked.packs);
  const reads = watched.operations.filter(({ kind }) => kind === 'get');
  for (const index of await namesBelow(world.store, 'indexes/')) {
    assert.equal(reads.filter(({ name }) => name === index).length, 1, index);
  }
  const packReads = reads.filter(({ name }) => name.startsWith('packs/'));
  // One for the content of each, and a few for the pages of the trees.
  assert.ok(packReads.length <= 3 * checked.packs, `${packReads.length} reads`);
});

test('a chunk that its pack calls nothing is no problem: repacking leaves such ones', async (context) => {
  const world = await pruneWorld(context);
  const make = forger(world.store, world.machine);
  make.nameless(noise(3, 5000));
  const base = { mode: 0o755, uid: 0, gid: 0, owner: '', group: '', mtimeNs: 0n };
  await make.commit(make.leaf([{ ...base, path: asBytePath(''), type: 'dir' }]));
  const checked = await runCheck(world, 100);
  assert.equal(checked.read.objects, 1);
  assert.deepEqual(checked.problems, []);
});

test('packs larger than those that are made today are read as any other', async (context) => {
  const world = await pruneWorld(context);
  const tree = join(world.folder, 'large');
  mkdirSync(tree);
  writeFileSync(join(tree, 'noise'), noise(1, 1.5 * PIPELINE.packBytes));
  await pushTree(world.store, world.machine, tree, { packBytes: 2 * PIPELINE.packBytes });
  const sizes: number[] = [];
  for await (const { size } of world.store.list('packs/', NO_ABORT)) sizes.push(size);
  assert.ok(Math.max(...sizes) > PIPELINE.packBytes);
  assert.deepEqual((await runCheck(world, 100)).problems, []);
});

test('a pack that is missing costs the files that lie in it, of the snapshots that need it', async (context) => {
  const world = await pruneWorld(context);
  const [, second = ''] = await threeVersions(world);
  await world.store.delete(second, NO_ABORT);
  const { problems } = await runCheck(world);
  const [problem, ...others] = problems;
  assert.deepEqual(others, []);
  assert.equal(problem?.object, second);
  assert.equal(problem.code, 'object-missing');
  assert.equal(problem.snapshots.length, 1);
  assert.match(problem.message, /it is missing; snapshot [0-9a-f]{8} cannot restore /);
  assert.ok(
    problem.files.named.some((name) => /version|any file/.test(name)),
    problem.message,
  );
});

test('a pack that a listing does not show yet is asked for by name, and is no problem', async (context) => {
  const world = await pruneWorld(context);
  const [, second = ''] = await threeVersions(world);
  const { store } = world;
  const lagging: ObjectStore = {
    ...store,
    stat: (name, signal) => store.stat(name, signal),
    async *list(prefix, signal) {
      for await (const object of store.list(prefix, signal)) {
        if (object.name !== second) yield object;
      }
    },
  };
  const checked = await runCheck({ ...world, store: lagging }, 100);
  assert.deepEqual(checked.problems, []);
  assert.equal(checked.read.objects, checked.packs);
});

test('content that is not what it was is found by reading, and names the files', async (context) => {
  const world = await pruneWorld(context);
  writeFileSync(join(world.tree, 'big'), noise(7, 900_000));
  await pushTree(world.store, world.machine, world.tree);
  rmSync(join(world.tree, 'big'));
  await pushVersion(world, 1);
  const [first = assert.fail()] = await listAll(world.reader);
  const pack = await damageFile(world.reader, first, 'state/big');
  assert.deepEqual((await runCheck(world)).problems, [], 'the structure is whole');
  const { problems } = await runCheck(world, 100);
  assert.equal(problems.length, 1);
  assert.equal(problems[0]?.object, pack);
  assert.equal(problems[0].code, 'object-damaged');
  assert.match(problems[0].message, /a chunk is damaged: .* \(\d+ of \d+ chunks\)/);
  assert.ok(problems[0].files.lost >= 1, problems[0].message);
  assert.deepEqual(problems[0].files.named, ['state/big']);
});

test('a pack that comes damaged once, and whole when it is read again, is not called damaged', async (context) => {
  const world = await pruneWorld(context);
  const [, second = ''] = await threeVersions(world);
  let flips = 0;
  const getInto: ObjectStore['getInto'] = async (name, range, into, signal) => {
    const answer = await world.store.getInto(name, range, into, signal);
    // Of the reads of a whole pack only: its content.
    if (name !== second || range !== undefined || flips++ > 0) return answer;
    into[100] = (into[100] ?? 0) ^ 1;
    return answer;
  };
  const said: string[] = [];
  const emit = (event: FerryEvent): void => {
    if (event.type === 'notice') said.push(event.code);
  };
  const repository = { ...world.reader, store: { ...world.store, getInto } };
  const request = { readPercent: 100, nowMs: await world.store.dateMs(NO_ABORT) };
  const checked = await check(repository, request, { emit }, NO_ABORT);
  assert.equal(flips, 2);
  assert.deepEqual(checked.problems, []);
  assert.deepEqual(said, ['read-differently']);
  assert.equal(checked.read.objects, checked.packs);
});

test('a snapshot that cannot be opened keeps nobody from reading what others need', async (context) => {
  const world = await pruneWorld(context);
  writeFileSync(join(world.tree, 'big'), noise(7, 900_000));
  await pushVersion(world, 1);
  await pushTree(world.store, world.machine, world.tree);
  const emit = (_event: FerryEvent): void => undefined;
  const cache = LocalCache.open(join(world.folder, 'reader'), world.reader.id, emit);
  context.after(() => cache.close());
  assert.deepEqual((await runCheck(world, 100, cache)).problems, []);
  const [older = assert.fail(), newer = assert.fail()] = await listAll(world.reader);
  assert.equal(older.cover.packList, newer.cover.packList, 'nothing changed between them');
  const pack = await damageFile(world.reader, newer, 'state/big');
  // What was verified once is in the cache, so it is listed all the same.
  await flipBit(world.store, older.name);
  const { problems } = await runCheck(world, 100, cache);
  const named = problems.map(({ object }) => object);
  assert.ok(named.includes(older.name) && named.includes(pack), named.join(', '));
});

test('the same content in another pack saves the file', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  const before = await namesBelow(world.store, 'packs/');
  // Without cache and indexes everything is stored once more.
  for (const name of await namesBelow(world.store, 'indexes/')) {
    await world.store.delete(name, NO_ABORT);
  }
  const fresh = { ...world.machine, cache: undefined };
  await pushTree(world.store, fresh, world.tree);
  for (const name of before) await world.store.delete(name, NO_ABORT);
  const { problems } = await runCheck(world);
  const [old] = problems.map(({ snapshots }) => snapshots);
  assert.equal(old?.length, 1, 'the second snapshot has packs of its own');
});

test('a bad index costs nothing, and is named', async (context) => {
  const world = await pruneWorld(context);
  await threeVersions(world);
  const [index = ''] = await namesBelow(world.store, 'indexes/');
  await flipBit(world.store, index);
  const { problems } = await runCheck(world, 100);
  assert.deepEqual(
    problems.map(({ object }) => object),
    [index],
  );
  assert.match(problems[0]?.message ?? '', /nothing is lost/);
  assert.deepEqual(problems[0]?.snapshots, []);
});

test('a bad pack list names the snapshot, which can be restored all the same', async (context) => {
  const world = await pruneWorld(context);
  await threeVersions(world);
  const [list = ''] = await namesBelow(world.store, 'lists/');
  await flipBit(world.store, list);
  const { problems } = await runCheck(world, 100);
  assert.deepEqual(
    problems.map(({ object }) => object),
    [list],
  );
  assert.equal(problems[0]?.snapshots.length, 1);
  assert.match(problems[0].message, /every pack of that machine instead/);
});

test('a snapshot that does not verify is lost, and nothing else', async (context) => {
  const world = await pruneWorld(context);
  await threeVersions(world);
  const [snapshot = ''] = await namesBelow(world.store, 'snapshots/');
  await flipBit(world.store, snapshot);
  const { problems, snapshots } = await runCheck(world, 100);
  assert.deepEqual(
    problems.map(({ object }) => object),
    [snapshot],
  );
  assert.match(problems[0]?.message ?? '', /this snapshot cannot be restored/);
  assert.equal(snapshots, 2);
});

test('runs of a part each have read every pack after a fixed number', async (context) => {
  const world = await pruneWorld(context);
  for (const version of [1, 2, 3, 4, 5]) await pushVersion(world, version);
  const emit = (_event: FerryEvent): void => undefined;
  const cache = LocalCache.open(join(world.folder, 'reader'), world.reader.id, emit);
  context.after(() => cache.close());
  const packs = await namesBelow(world.store, 'packs/');
  const read = new Set<string>();
  for (let run = 0; run < 5; run++) {
    const watched = faultStore(world.store);
    const { read: of } = await runCheck({ ...world, store: watched }, 20, cache);
    assert.equal(of.objects, Math.ceil(packs.length / 5));
    const whole = watched.operations.filter(({ kind }) => kind === 'get').map(({ name }) => name);
    for (const name of whole) read.add(name);
  }
  assert.ok(packs.length >= 5);
  // Every one on the same day of the store's clock.
  const again = await runCheck(world, 20, cache);
  assert.equal(again.read.objects, Math.ceil(packs.length / 5));
  assert.deepEqual(
    packs.filter((name) => !read.has(name)),
    [],
  );
});
