/** Whoever takes a machine can read nothing and harm nobody else. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { FerryEvent } from '../../src/base/events.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import type { IndexedPack } from '../../src/format/index-object.ts';
import type { WriterId } from '../../src/format/names.ts';
import { readIndexes, writeIndex, type IndexKeys } from '../../src/repository/indexes.ts';
import { writerOf } from '../../src/repository/machine.ts';
import { makeSnapshot } from '../../src/repository/snapshots.ts';
import {
  allObjects,
  engineFolder,
  joinEngine,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  restoreTo,
  type Engine,
  type Machine,
} from '../support/engine.ts';
import { withoutCache } from '../support/engine-crash.ts';
import { lootOf, whatOpens } from '../support/engine-thief.ts';
import { makeTree, treeDifferences } from '../support/tree.ts';
import { bareBody } from '../support/snapshot-body.ts';

type Scene = Engine & { readonly stolen: Machine; readonly honest: Machine; readonly tree: string };

/** Two machines that have pushed the same tree. */
async function scene(context: TestContext): Promise<Scene> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const honest = await joinEngine(engine, 'island');
  const tree = join(folder, 'tree');
  makeTree(tree, 21, { bulkBytes: 1_400_000 });
  await pushTree(engine.store, engine.machine, tree);
  await pushTree(engine.store, honest, tree);
  return { ...engine, stolen: engine.machine, honest, tree };
}

test('with every key of its settings and cache, only its own covers, indexes and pack lists open', async (context) => {
  const { store, stolen, honest } = await scene(context);
  const objects = await allObjects(store);
  const kinds = new Set([...objects.keys()].map((name) => name.split('/')[0]));
  assert.deepEqual([...kinds].toSorted(), [
    'indexes',
    'keys',
    'lists',
    'packs',
    'snapshots',
    'stateferry.json',
    'writers',
  ]);

  const own = [...objects.keys()].filter((name) => name.includes(stolen.state.writer.id));
  const expected = own.flatMap((name) => {
    if (name.startsWith('snapshots/')) return [`${name} cover`];
    return name.startsWith('indexes/') || name.startsWith('lists/') ? [`${name} box`] : [];
  });
  assert.ok(expected.length >= 3);
  const loot = lootOf(stolen, 'openclaw');
  assert.ok(loot.keys.length > 500 && loot.secrets.length > 5, 'there is something to try');
  assert.deepEqual(whatOpens(objects, loot).toSorted(), expected.toSorted());

  // That the trying itself works: with the identity's secret key all that is sealed to it opens.
  const { identity } = await openReader(store);
  const opened = whatOpens(objects, { keys: [], secrets: [identity.recipient.secretKey] });
  const sealed = [...objects.keys()].filter((name) => /^(packs|snapshots|writers)\//.test(name));
  assert.deepEqual(opened.map((name) => name.split(' ')[0]).toSorted(), sealed.toSorted());
  assert.ok(honest.state.writer.id !== stolen.state.writer.id);
});

const keysOf = (machine: Machine): IndexKeys => {
  const { id, subkeys } = writerOf(machine.state);
  return { repository: machine.state.repository, writer: id, key: subkeys.index };
};

async function packsOf(engine: Engine, machine: Machine): Promise<IndexedPack[]> {
  return await readIndexes(engine.store, keysOf(machine), () => undefined, NO_ABORT);
}

async function assertWhole(at: Scene, machine: Machine): Promise<void> {
  const reader = await openReader(at.store);
  const events: FerryEvent[] = [];
  const newest = (await listAll(reader)).findLast(
    ({ writer }) => writer === machine.state.writer.id,
  );
  assert.ok(newest);
  const out = join(at.folder, `out-${newest.id}`);
  const restored = await restoreTo(reader, newest, out, { events });
  assert.deepEqual(restored.problems, []);
  assert.deepEqual(treeDifferences(at.tree, out), []);
}

test('an index forged for another machine changes nothing: its next push is whole', async (context) => {
  const at = await scene(context);
  const { store, stolen, honest } = at;
  // It claims that the honest machine's chunks lie in packs that hold something else.
  const theirs = await packsOf(at, stolen);
  const victim = writerOf(honest.state).id;
  const forged = theirs.map((pack) => ({ ...pack, writer: victim }));
  const place: IndexKeys = { ...keysOf(stolen), writer: victim };
  const { name } = await writeIndex(store, place, forged, systemRandom, NO_ABORT);
  assert.ok(name.startsWith(`indexes/${victim}/`));

  makeMore(at);
  const fresh = withoutCache(honest);
  await pushTree(store, fresh, at.tree);
  const said = fresh.events.flatMap((event) => (event.type === 'notice' ? [event] : []));
  assert.ok(said.some(({ code, message }) => code === 'index-unusable' && message.includes(name)));
  await assertWhole(at, honest);
});

function makeMore(at: Scene): void {
  makeTree(join(at.tree, 'more'), 22, { bulkBytes: 300_000 });
}

test('lies in its own index do not make its older snapshots unrestorable', async (context) => {
  const at = await scene(context);
  const packs = await packsOf(at, at.stolen);
  assert.ok(packs.length >= 2);
  const directories = packs.map(({ directory }) => directory);
  const lies = packs.map((pack, index) => ({
    ...pack,
    directory: directories[(index + 1) % directories.length] ?? pack.directory,
  }));
  for (const [name] of await allObjects(at.store, `indexes/${at.stolen.state.writer.id}/`)) {
    await at.store.delete(name, NO_ABORT);
  }
  await writeIndex(at.store, keysOf(at.stolen), lies, systemRandom, NO_ABORT);
  await assertWhole(at, at.stolen);
});

test('lists and snapshots forged for another machine do not count', async (context) => {
  const at = await scene(context);
  const { store, stolen, honest } = at;
  const reader = await openReader(store);
  const thief = writerOf(stolen.state);
  const victim = writerOf(honest.state).id;
  const [real] = (await listAll(reader)).filter(({ writer }) => writer === victim);
  assert.ok(real);
  const cover = { ...real.cover, sequence: 2, previous: real.digest };
  const forged = makeSnapshot(
    reader.id,
    reader.identity.recipient.publicKey,
    { ...thief, id: victim },
    cover,
    bareBody('/'),
    systemRandom,
  );
  await store.put(forged.name, forged.bytes, {}, NO_ABORT);

  const events: FerryEvent[] = [];
  const listed = await listAll(await openReader(store), events);
  assert.ok(!listed.some(({ id }) => id === forged.id));
  assert.equal(listed.length, 2);
  const problems = events.flatMap((event) => (event.type === 'problem' ? [event.path] : []));
  assert.deepEqual(problems, [forged.name]);

  // The honest machine's own view and its next push are as before.
  makeMore(at);
  await pushTree(store, withoutCache(honest), at.tree);
  await assertWhole(at, honest);
});

test('a writer record that the root key did not sign lets nobody in', async (context) => {
  const at = await scene(context);
  const { store, stolen, honest } = at;
  const victim = writerOf(honest.state).id;
  const record = await store.get(`writers/${stolen.state.writer.id}`, undefined, NO_ABORT);
  assert.ok(record);
  // Its own record in the other's place, and one for a machine that does not exist.
  const stranger = 'd'.repeat(32) as WriterId;
  await store.put(`writers/${victim}`, record.bytes, {}, NO_ABORT);
  const changed = Buffer.from(record.bytes);
  changed.set(Buffer.from(stranger, 'hex'), 32);
  changed.set(Buffer.from(stranger, 'hex'), 48);
  await store.put(`writers/${stranger}`, changed, {}, NO_ABORT);

  const events: FerryEvent[] = [];
  const reader = await openReader(store, { events });
  assert.deepEqual([...reader.writers.keys()], [stolen.state.writer.id]);
  const listed = await listAll(reader, events);
  assert.deepEqual(
    listed.map(({ writer }) => writer),
    [stolen.state.writer.id],
  );
  const problems = events.flatMap((event) =>
    event.type === 'problem' ? [`${event.path.split('/')[0]} ${event.code}`] : [],
  );
  assert.deepEqual(problems.toSorted(), [
    'snapshots object-foreign',
    'writers object-foreign',
    'writers object-foreign',
  ]);
});
