/** mirror: whole where it ends, an older copy where it was stopped, and never a place to overwrite things. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import {
  mirror,
  type Mirrored,
  type MirrorRequest,
} from '../../../../src/maintenance/mirror/mirror.ts';
import { pinnedHalves } from '../../../../src/repository/machine.ts';
import { openMemoryStore } from '../../../../src/store/memory-store.ts';
import type { ObjectStore } from '../../../../src/store/object-store.ts';
import {
  allObjects,
  cloneStore,
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  restoreTo,
  type Engine,
} from '../../../support/engine.ts';
import { faultStore, WorldStopped } from '../../../support/fault-store.ts';
import { makeTree, treeDifferences } from '../../../support/tree.ts';

type Sample = { readonly engine: Engine; readonly folder: string; readonly tree: string };

/** A repository with two snapshots of a tree. */
async function sample(context: TestContext): Promise<Sample> {
  const folder = engineFolder(context);
  const tree = join(folder, 'tree');
  makeTree(tree, 7, { bulkBytes: 300_000 });
  const engine = await makeEngine(folder);
  await pushTree(engine.store, engine.machine, tree);
  writeFileSync(join(tree, 'later'), 'a later word');
  await pushTree(engine.store, engine.machine, tree);
  return { engine, folder, tree };
}

type Wish = Partial<Omit<MirrorRequest, 'from' | 'to'>>;

const mirrorTo = (from: ObjectStore, to: ObjectStore, wish: Wish = {}): Promise<Mirrored> =>
  mirror(
    { from, to, root: undefined, compareAll: false, marks: {}, keepForgotten: false, ...wish },
    { emit: () => undefined },
    NO_ABORT,
  );

test('everything arrives, restores, and is not copied a second time', async (context) => {
  const { engine, folder, tree } = await sample(context);
  const to = openMemoryStore();
  const { root } = pinnedHalves(engine.machine.state);
  const first = await mirrorTo(engine.store, to, { root });
  assert.deepEqual(first.problems, []);
  assert.deepEqual(first.snapshots, { before: 0, after: 2 });
  assert.equal(first.signaturesChecked, 3, 'one writer record, two snapshots');
  const objects = await allObjects(engine.store);
  assert.deepEqual(await allObjects(to), objects);
  assert.equal(first.objects.copied, objects.size);
  const newest = (await listAll(await openReader(to))).at(-1);
  assert.ok(newest);
  const out = join(folder, 'out');
  assert.deepEqual((await restoreTo(await openReader(to), newest, out)).problems, []);
  assert.deepEqual(treeDifferences(tree, out), []);

  const puts = to.counts().put;
  const again = await mirrorTo(engine.store, to, { compareAll: true });
  assert.deepEqual([again.objects.copied, again.bytesCopied, to.counts().put], [0, 0, puts]);
  assert.equal(again.objects.present, objects.size);
});

test('stopped at any operation: what is there restores, and the next run completes it', async (context) => {
  const { engine, folder } = await sample(context);
  const recorded = faultStore(openMemoryStore());
  await mirrorTo(engine.store, recorded);
  const count = recorded.operations.length;
  assert.ok(count > 20);
  const expected = await allObjects(engine.store);
  let withSnapshots = 0;
  for (let stopAt = 1; stopAt <= count; stopAt++) {
    for (const stop of ['before', 'after'] as const) {
      const to = openMemoryStore();
      const faulty = faultStore(to, { stopAt, stop });
      await assert.rejects(mirrorTo(engine.store, faulty), WorldStopped);
      const halfway = await allObjects(to);
      const snapshots = [...halfway.keys()].filter((name) => name.startsWith('snapshots/'));
      if (snapshots.length > 0) {
        withSnapshots += 1;
        for (const name of expected.keys()) {
          assert.ok(halfway.has(name) || name.startsWith('snapshots/'), `${name} before snapshots`);
        }
      }
      await mirrorTo(engine.store, to);
      assert.deepEqual(await allObjects(to), expected, `${stop} ${stopAt} in ${folder}`);
    }
  }
  assert.ok(withSnapshots > 0);
});

test('what the source’s own checksum disowns is named, and copied: the rest of a pack is good', async (context) => {
  const { engine } = await sample(context);
  const [pack = ''] = (await allObjects(engine.store, 'packs/')).keys();
  const get: ObjectStore['get'] = async (name, range, signal) => {
    const answer = await engine.store.get(name, range, signal);
    return answer && name === pack ? { ...answer, isSpoilt: true } : answer;
  };
  const to = openMemoryStore();
  const answer = await mirrorTo({ ...engine.store, get }, to);
  assert.deepEqual(
    answer.problems.map(({ object, code }) => [object, code]),
    [[pack, 'object-damaged']],
  );
  assert.deepEqual(answer.snapshots, { before: 0, after: 2 });
  assert.deepEqual(await allObjects(to), await allObjects(engine.store));
});

test('another repository, and a place that lost its header, are refused', async (context) => {
  const { engine, folder } = await sample(context);
  const other = (await makeEngine(join(folder, 'other'))).store;
  await assert.rejects(
    mirrorTo(engine.store, other),
    (error) => error instanceof FerryError && error.code === 'object-foreign',
  );
  await other.delete('stateferry.json', NO_ABORT);
  await assert.rejects(
    mirrorTo(engine.store, other),
    (error) => error instanceof FerryError && error.code === 'repository-damaged',
  );
});

test('an object that differs there is named and left alone, and no snapshot follows it', async (context) => {
  const { engine } = await sample(context);
  const packs = [...(await allObjects(engine.store, 'packs/')).keys()];
  const [pack] = packs;
  assert.ok(pack);
  for (const [bytes, compareAll] of [
    [new Uint8Array(9), false],
    [new Uint8Array((await sizeOf(engine.store, pack)) ?? 0), true],
  ] as const) {
    const to = openMemoryStore();
    for (const name of ['stateferry.json']) {
      const header = await engine.store.get(name, undefined, NO_ABORT);
      await to.put(name, header?.bytes ?? new Uint8Array(0), {}, NO_ABORT);
    }
    await to.put(pack, bytes, {}, NO_ABORT);
    const answer = await mirrorTo(engine.store, to, { compareAll });
    assert.deepEqual(
      answer.problems.map(({ object, code }) => [object, code]),
      [[pack, 'object-damaged']],
    );
    assert.equal(answer.snapshots.after, 0);
    assert.deepEqual((await to.get(pack, undefined, NO_ABORT))?.bytes, bytes);
  }
});

const sizeOf = async (store: ObjectStore, name: string): Promise<number | undefined> =>
  (await store.stat(name, NO_ABORT))?.size;

test('a target that loses what it acknowledged is found out', async (context) => {
  const { engine } = await sample(context);
  const to = faultStore(openMemoryStore(), {
    lose: ({ kind, name }) => kind === 'put' && name.startsWith('lists/'),
  });
  const answer = await mirrorTo(engine.store, to);
  assert.ok(answer.problems.length > 0);
  assert.ok(answer.problems.every(({ object }) => object.startsWith('lists/')));
  assert.equal(answer.snapshots.after, 0);
});

test('with pinned keys, what nobody signed does not travel, and the rest does', async (context) => {
  const { engine, folder } = await sample(context);
  const forged = await cloneStore(engine.store);
  const thief = await makeEngine(join(folder, 'thief'));
  for (const [name, bytes] of await allObjects(thief.store, 'writers/')) {
    await forged.put(name, bytes, {}, NO_ABORT);
  }
  const [snapshot] = [...(await allObjects(forged, 'snapshots/')).entries()];
  assert.ok(snapshot);
  const flipped = Uint8Array.from(snapshot[1]);
  flipped[2000] = (flipped[2000] ?? 0) ^ 1;
  await forged.put(snapshot[0], flipped, {}, NO_ABORT);
  const to = openMemoryStore();
  const { root } = pinnedHalves(engine.machine.state);
  const answer = await mirrorTo(forged, to, { root });
  assert.deepEqual(answer.problems.map(({ code }) => code).toSorted(), [
    'object-foreign',
    'object-foreign',
  ]);
  assert.deepEqual(answer.snapshots, { before: 0, after: 1 });
});
