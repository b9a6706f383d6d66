/** C1 to C4: what a store loses, tears or condemns is noticed before a push calls itself done. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { ed25519KeyPair, systemRandom } from '../../../src/crypto/sodium.ts';
import { COMMIT_WINDOW_MS, TRIES_MAX } from '../../../src/push/commit.ts';
import { parseWriterObjectName } from '../../../src/format/names.ts';
import { packName } from '../../../src/repository/pack-reader.ts';
import { readPackList } from '../../../src/repository/pack-lists.ts';
import { writerOf } from '../../../src/repository/machine.ts';
import { writeTombstone } from '../../../src/repository/tombstones.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import {
  allObjects,
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  refusalOf,
  restoreTo,
  type Engine,
} from '../../support/engine.ts';
import { withoutCache } from '../../support/engine-crash.ts';
import { faultStore } from '../../support/fault-store.ts';
import { makeTree, noise, treeDifferences } from '../../support/tree.ts';

type Scene = Engine & { readonly tree: string };

async function scene(context: TestContext): Promise<Scene> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 11, { bulkBytes: 1_500_000 });
  return { ...engine, tree };
}

/** The newest snapshot restores to exactly the tree. */
async function assertWhole({ store, folder, tree }: Scene, snapshots: number): Promise<void> {
  const reader = await openReader(store);
  const listed = await listAll(reader);
  assert.equal(listed.length, snapshots);
  const newest = listed.at(-1);
  assert.ok(newest);
  const out = join(folder, 'out');
  rmSync(out, { recursive: true, force: true });
  const restored = await restoreTo(reader, newest, out);
  assert.deepEqual(restored.problems, []);
  assert.deepEqual(treeDifferences(tree, out), []);
}

const notices = ({ machine }: Scene): string[] =>
  machine.events.flatMap((event) => (event.type === 'notice' ? [event.code] : []));

/** Spoils the first put of each prefix once, after it was acknowledged. */
function spoilOnce(store: ObjectStore, prefix: string, spoil: 'lose' | 'tear'): ObjectStore {
  let spoilt = false;
  return {
    ...store,
    async put(name, body, options, signal) {
      const isFirst = name.startsWith(prefix) && !spoilt;
      if (!isFirst) return await store.put(name, body, options, signal);
      spoilt = true;
      if (spoil === 'tear') {
        return await store.put(name, body.subarray(0, body.length - 1000), {}, signal);
      }
      return { outcome: 'stored', dateMs: await store.dateMs(signal) };
    },
  };
}

for (const spoil of ['lose', 'tear'] as const) {
  const done = spoil === 'lose' ? 'lost' : 'torn';

  test(`a pack that was ${done} after its 200 is pushed again`, async (context) => {
    const at = await scene(context);
    await pushTree(spoilOnce(at.store, 'packs/', spoil), at.machine, at.tree);
    assert.ok(notices(at).includes('packs-missing'));
    await assertWhole(at, 1);
    // And it is forgotten for good.
    const again = await pushTree(at.store, at.machine, at.tree);
    assert.ok(again.bytesStored < 64 * 1024, `${again.bytesStored} bytes`);
  });

  test(`a pack list that was ${done} is written anew under another name`, async (context) => {
    const at = await scene(context);
    await pushTree(spoilOnce(at.store, 'lists/', spoil), at.machine, at.tree);
    await assertWhole(at, 1);
    const lists = await allObjects(at.store, 'lists/');
    assert.equal(lists.size, spoil === 'lose' ? 1 : 2);
  });
}

test('a store that loses every pack or every list is given up on, and nothing is committed', async (context) => {
  const at = await scene(context);
  for (const prefix of ['packs/', 'lists/']) {
    const losing = faultStore(at.store, {
      lose: ({ kind, name }) => kind === 'put' && name.startsWith(prefix),
    });
    await assert.rejects(
      pushTree(losing, withoutCache(at.machine), at.tree),
      (error) => error instanceof FerryError && error.code === 'object-missing',
    );
    assert.equal((await allObjects(at.store, 'snapshots/')).size, 0);
  }
});

test('a pack that vanished since is pushed again, also by a machine without a cache', async (context) => {
  const at = await scene(context);
  await pushTree(at.store, at.machine, at.tree);
  const [pack = ''] = (await allObjects(at.store, 'packs/')).keys();
  await at.store.delete(pack, NO_ABORT);
  await pushTree(at.store, withoutCache(at.machine), at.tree);
  await assertWhole(at, 2);
  const [other = ''] = (await allObjects(at.store, 'packs/')).keys();
  await at.store.delete(other, NO_ABORT);
  await pushTree(at.store, at.machine, at.tree);
  await assertWhole(at, 3);
});

/** Answers puts of snapshots with another Date, and does something just before. */
function snapshotDate(
  store: ObjectStore,
  dateMs: (real: number) => number | undefined,
  meanwhile?: () => Promise<void>,
): ObjectStore {
  let first = true;
  return {
    ...store,
    async put(name, body, options, signal) {
      const answer = await store.put(name, body, options, signal);
      if (!name.startsWith('snapshots/') || !first) return answer;
      first = false;
      await meanwhile?.();
      return { ...answer, dateMs: dateMs(answer.dateMs ?? 0) };
    },
  };
}

const LATE = {
  'without a Date': (): undefined => undefined,
  'four days later': (real: number): number => real + COMMIT_WINDOW_MS + 1000,
};

for (const [what, dateMs] of Object.entries(LATE)) {
  test(`a snapshot that is answered ${what} is looked at again`, async (context) => {
    const at = await scene(context);
    const watched = faultStore(snapshotDate(at.store, dateMs));
    await pushTree(watched, at.machine, at.tree);
    const tombstoneLists = watched.operations.filter(
      ({ kind, name }) => kind === 'list' && name === 'tombstones/',
    );
    assert.equal(tombstoneLists.length, 2);
    await assertWhole(at, 1);
  });

  test(`a pack that vanished before a snapshot answered ${what} is pushed again`, async (context) => {
    const at = await scene(context);
    const meanwhile = async (): Promise<void> => {
      const [pack = ''] = (await allObjects(at.store, 'packs/')).keys();
      await at.store.delete(pack, NO_ABORT);
    };
    await pushTree(snapshotDate(at.store, dateMs, meanwhile), at.machine, at.tree);
    assert.equal(at.machine.state.pending, undefined);
    await assertWhole(at, 2);
  });
}

test('one within the window is believed', async (context) => {
  const at = await scene(context);
  const watched = faultStore(snapshotDate(at.store, (real) => real + COMMIT_WINDOW_MS - 60_000));
  await pushTree(watched, at.machine, at.tree);
  const lists = watched.operations.filter(({ name }) => name === 'tombstones/');
  assert.equal(lists.length, 1);
});

async function bury(at: Scene, names: readonly string[], by: 'root' | 'stranger'): Promise<string> {
  const reader = await openReader(at.store);
  const root = by === 'root' ? reader.identity.root : ed25519KeyPair(systemRandom(32));
  const signer = { ...reader, identity: { ...reader.identity, root } };
  return (await writeTombstone(signer, names, systemRandom, NO_ABORT)).name;
}

test('what a tombstone of the root key names does not count as stored', async (context) => {
  const at = await scene(context);
  await pushTree(at.store, at.machine, at.tree);
  const packs = [...(await allObjects(at.store, 'packs/')).keys()];
  const lists = [...(await allObjects(at.store, 'lists/')).keys()];
  const condemned = [...packs.slice(0, 1), ...lists];
  await bury(at, condemned, 'root');
  await pushTree(at.store, at.machine, at.tree);
  assert.ok(notices(at).includes('packs-missing'));
  for (const name of condemned) await at.store.delete(name, NO_ABORT);
  await assertWhole(at, 2);
});

test('a tombstone that somebody else signed is announced and means nothing', async (context) => {
  const at = await scene(context);
  await pushTree(at.store, at.machine, at.tree);
  const packs = [...(await allObjects(at.store, 'packs/')).keys()];
  const forged = await bury(at, packs, 'stranger');
  await at.store.put(`tombstones/${'e'.repeat(32)}`, noise(1, 400), {}, NO_ABORT);
  const again = await pushTree(at.store, at.machine, at.tree);
  assert.ok(again.bytesStored < 64 * 1024);
  const ignored = at.machine.events.flatMap((event) =>
    event.type === 'notice' && event.code === 'tombstone-ignored' ? [event.message] : [],
  );
  assert.equal(ignored.length, 2);
  assert.ok(ignored.some((message) => message.includes(forged)));
});

test('after a crash before C4 the next push says whether that snapshot is whole', async (context) => {
  const at = await scene(context);
  const isSnapshot = ({ name }: { name: string }): boolean => name.startsWith('snapshots/');
  const recorded = faultStore(at.store);
  await pushTree(recorded, at.machine, at.tree);
  writeFileSync(join(at.tree, 'more'), noise(5, 200_000));
  let stopped = false;
  const dying: ObjectStore = {
    ...at.store,
    async put(name, body, options, signal) {
      const answer = await at.store.put(name, body, options, signal);
      if (!isSnapshot({ name })) return answer;
      stopped = true;
      throw new Error('gone before the answer');
    },
  };
  await assert.rejects(pushTree(dying, at.machine, at.tree), /gone before the answer/);
  assert.ok(stopped && at.machine.state.pending);
  const [pack = ''] = (await allObjects(at.store, 'packs/')).keys();
  await at.store.delete(pack, NO_ABORT);

  await pushTree(at.store, at.machine, at.tree);
  const said = at.machine.events.flatMap((event) =>
    event.type === 'notice' && event.code === 'push-unfinished' ? [event.message] : [],
  );
  assert.match(said.join(), /not whole/);
  assert.equal(at.machine.state.pending, undefined);
  assert.equal(at.machine.state.highWater[at.machine.state.writer.id]?.sequence, 3);
  await assertWhole(at, 3);
});

/** Listings show no pack; `isDenied`: nor may anybody ask for one. */
function blindToPacks(store: ObjectStore, isDenied: boolean): ObjectStore {
  return {
    ...store,
    async *list(prefix, signal) {
      for await (const object of store.list(prefix, signal)) {
        if (!object.name.startsWith('packs/')) yield object;
      }
    },
    async stat(name, signal) {
      if (isDenied && name.startsWith('packs/')) throw new FerryError('store-denied', 'not you');
      return await store.stat(name, signal);
    },
  };
}

test('a pack that no listing shows yet is asked for by name', async (context) => {
  const at = await scene(context);
  await pushTree(blindToPacks(at.store, false), at.machine, at.tree);
  assert.ok(!notices(at).includes('packs-missing'));
  await assertWhole(at, 1);
});

test('where nobody may ask for packs, what a listing does not show counts as missing', async (context) => {
  const at = await scene(context);
  const error = await refusalOf(pushTree(blindToPacks(at.store, true), at.machine, at.tree));
  assert.equal(error.code, 'object-missing');
  assert.equal((await allObjects(at.store, 'snapshots/')).size, 0);
});

/** Has this machine store the same content so many times, in packs of which each is believed to hold it. */
async function makeCopies(
  at: Scene,
  forgetful: Engine['machine'],
  count: number,
): Promise<string[]> {
  const indexes = new Map<string, Uint8Array>();
  const packs = new Set<string>();
  for (let copy = 0; copy < count; copy++) {
    await pushTree(at.store, forgetful, at.tree);
    for (const name of (await allObjects(at.store, 'packs/')).keys()) packs.add(name);
    for (const [name, bytes] of await allObjects(at.store, 'indexes/')) {
      indexes.set(name, bytes);
      await at.store.delete(name, NO_ABORT);
    }
  }
  for (const [name, bytes] of indexes) await at.store.put(name, bytes, {}, NO_ABORT);
  assert.ok(packs.size >= count);
  return [...packs];
}

test('every pack that is gone is forgotten at once, not one for each try', async (context) => {
  const at = await scene(context);
  const forgetful = withoutCache(at.machine);
  const copies = await makeCopies(at, forgetful, TRIES_MAX + 1);
  for (const pack of copies) await at.store.delete(pack, NO_ABORT);
  await pushTree(at.store, forgetful, at.tree);
  await assertWhole(at, TRIES_MAX + 2);
});

test('however often a prune announces what a slow push relied on, the push ends', async (context) => {
  const at = await scene(context);
  const forgetful = withoutCache(at.machine);
  const copies = await makeCopies(at, forgetful, TRIES_MAX + 2);
  const { id, subkeys } = writerOf(forgetful.state);
  const keys = { repository: forgetful.state.repository, writer: id, key: subkeys.packList };
  const buried: string[] = [];
  const pruned: ObjectStore = {
    ...at.store,
    async put(name, body, options, signal) {
      const answer = await at.store.put(name, body, options, signal);
      const list = parseWriterObjectName(name);
      if (list?.folder !== 'lists') return answer;
      const needed = await readPackList(at.store, keys, list.id, signal);
      const old = needed.map(packName).find((pack) => copies.includes(pack));
      if (old !== undefined) {
        await bury(at, [old], 'root');
        buried.push(old);
      }
      return answer;
    },
  };
  await pushTree(pruned, forgetful, at.tree);
  assert.ok(buried.length > TRIES_MAX);
  for (const pack of buried) await at.store.delete(pack, NO_ABORT);
  await assertWhole(at, TRIES_MAX + 3);
});
