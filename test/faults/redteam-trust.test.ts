/** Who is believed: what was verified under one identity never counts under another. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { CHUNK_KINDS } from '../../src/crypto/chunk-id.ts';
import { identityFromSeed } from '../../src/crypto/identity.ts';
import { ed25519KeyPair, systemRandom } from '../../src/crypto/sodium.ts';
import { asBytePath } from '../../src/base/byte-path.ts';
import type { Entry } from '../../src/format/entry.ts';
import { HEADER_NAME } from '../../src/format/names.ts';
import { encodeRepositoryHeader } from '../../src/format/repository-header.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { makeKeySlot } from '../../src/repository/key-slots.ts';
import { writerOf, type Writer } from '../../src/repository/machine.ts';
import { openForReading, type ReaderRepository } from '../../src/repository/open.ts';
import { findRollbacks, readHistory } from '../../src/repository/history.ts';
import { listSnapshots } from '../../src/repository/snapshot-list.ts';
import { makeSnapshot } from '../../src/repository/snapshots.ts';
import { makeWriterRecord } from '../../src/repository/writers.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import {
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  PASSPHRASE,
  pushTree,
  restoreTo,
  type Engine,
} from '../support/engine.ts';
import { forger } from '../support/engine-forge.ts';
import { bareBody } from '../support/snapshot-body.ts';

const EVIL = 'given to the victim';

async function open(
  store: ObjectStore,
  passphrase: string,
  cache: LocalCache,
): Promise<ReaderRepository> {
  const secret = { with: 'passphrase', passphrase } as const;
  return openForReading(
    store,
    secret,
    undefined,
    () => cache,
    () => undefined,
    NO_ABORT,
  );
}

/** A repository of a stranger that calls itself by our id, with a machine that calls itself by ours. */
async function impostor(engine: Engine): Promise<{ store: ObjectStore; name: string }> {
  const { state } = engine.machine;
  const store = openMemoryStore();
  const seed = systemRandom(32);
  const identity = identityFromSeed(seed);
  const slot = await makeKeySlot(
    state.repository,
    seed,
    { with: 'passphrase', passphrase: EVIL },
    systemRandom,
  );
  const writer: Writer = { ...writerOf(state), signing: ed25519KeyPair(systemRandom(32)) };
  const time = '2099-01-01T00:00:00.000Z';
  const record = makeWriterRecord(state.repository, identity, writer, time);
  const header = encodeRepositoryHeader(state.repository);
  const cover = {
    sequence: 999,
    previous: null,
    time,
    install: 'openclaw',
    machine: 'x',
    label: null,
    files: 1,
    bytes: 1,
    packList: '0'.repeat(32),
  };
  const body = bareBody('/x');
  const { recipient } = identity;
  const made = makeSnapshot(
    state.repository,
    recipient.publicKey,
    writer,
    cover,
    body,
    systemRandom,
  );
  for (const { name, bytes } of [slot, record, made, { name: HEADER_NAME, bytes: header }]) {
    await store.put(name, bytes, {}, NO_ABORT);
  }
  // Whoever has our bucket puts the same object there.
  await engine.store.put(made.name, made.bytes, {}, NO_ABORT);
  return { store, name: made.name };
}

async function scene(context: TestContext): Promise<Engine & { tree: string }> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'file'), 'content');
  await pushTree(engine.store, engine.machine, tree);
  return { ...engine, tree };
}

test('a cover that was verified for another repository of the same id does not count', async (context) => {
  const engine = await scene(context);
  const other = await impostor(engine);
  const cache = LocalCache.open(
    join(engine.folder, 'cache'),
    engine.machine.state.repository,
    () => undefined,
  );
  const theirs = await listSnapshots(
    await open(other.store, EVIL, cache),
    () => undefined,
    NO_ABORT,
  );
  assert.deepEqual(
    theirs.map(({ name }) => name),
    [other.name],
  );
  const events: FerryEvent[] = [];
  const history = await readHistory(
    await open(engine.store, PASSPHRASE, cache),
    (event) => void events.push(event),
    NO_ABORT,
  );
  cache.close();
  const ours = history.snapshots;
  assert.equal(ours.length, 1);
  assert.notEqual(ours[0]?.name, other.name);
  assert.ok(events.some((event) => event.type === 'problem' && event.path === other.name));
  // It would have hidden that the newest one is gone.
  const { highWater } = engine.machine.state;
  assert.equal(findRollbacks(history, highWater).length, 0);
  assert.equal(findRollbacks({ ...history, snapshots: [] }, highWater).length, 1);
});

test('damaged rows of the cache are no failure', async (context) => {
  const engine = await scene(context);
  const directory = join(engine.folder, 'cache');
  const { repository } = engine.machine.state;
  const list = async (): Promise<number> => {
    const cache = LocalCache.open(directory, repository, () => undefined);
    const reader = await open(engine.store, PASSPHRASE, cache);
    const { length } = await listSnapshots(reader, () => undefined, NO_ABORT);
    cache.close();
    return length;
  };
  assert.equal(await list(), 1);
  const database = new DatabaseSync(join(directory, `${repository}.sqlite`));
  const { changes } = database.prepare("UPDATE objects SET bytes = X'7b22'").run();
  database.close();
  assert.ok(Number(changes) >= 1);
  assert.equal(await list(), 1);
});

test('two machines with one copy of the settings are reported, whoever lists', async (context) => {
  const engine = await scene(context);
  const copy = { ...engine.machine, cache: undefined, state: { ...engine.machine.state } };
  writeFileSync(join(engine.tree, 'file'), 'of the first');
  await pushTree(engine.store, engine.machine, engine.tree);
  writeFileSync(join(engine.tree, 'file'), 'of the copy');
  await pushTree(engine.store, copy, engine.tree);
  const events: FerryEvent[] = [];
  const covers = await listAll(await openReader(engine.store), events);
  assert.deepEqual(covers.map(({ cover }) => cover.sequence).toSorted(), [1, 2, 2]);
  assert.ok(events.some((event) => event.type === 'notice' && event.code === 'history-forked'));
});

test('a snapshot replayed under another name, and one moved to another machine, do not count', async (context) => {
  const engine = await scene(context);
  const [own] = await listAll(await openReader(engine.store));
  assert.ok(own);
  const bytes = (await engine.store.get(own.name, undefined, NO_ABORT))?.bytes;
  assert.ok(bytes);
  const elsewhere = [
    `snapshots/${own.writer}/${toHex(systemRandom(16))}`,
    `snapshots/${toHex(systemRandom(16))}/${own.id}`,
  ];
  for (const name of elsewhere) await engine.store.put(name, bytes, {}, NO_ABORT);
  const events: FerryEvent[] = [];
  const covers = await listAll(await openReader(engine.store), events);
  assert.deepEqual(
    covers.map(({ name }) => name),
    [own.name],
  );
  const told = events.flatMap((event) => (event.type === 'problem' ? [event.path] : []));
  assert.deepEqual(told.toSorted(), elsewhere.toSorted());
  assert.equal(fromHex(own.digest).length, 32);
});

test('files that say they are larger than the snapshot itself says are not planned', async (context) => {
  const engine = await scene(context);
  const make = forger(engine.store, engine.machine, 5);
  const piece = Buffer.alloc(256 * 1024);
  const id = make.chunk(CHUNK_KINDS.data, piece);
  const list = Buffer.concat(Array.from({ length: 1024 }, () => id));
  const listId = make.chunk(CHUNK_KINDS.list, list);
  const base = { mode: 0o644, uid: 0, gid: 0, owner: '', group: '', mtimeNs: 0n };
  // 16 GiB each, of one chunk.
  const files = Array.from({ length: 64 }, (_, index): Entry => ({
    ...base,
    path: asBytePath(`file-${String(index).padStart(3, '0')}`),
    type: 'file',
    size: 64 * 1024 * 256 * 1024,
    sparse: true,
    secret: false,
    database: false,
    chunkBytes: 256 * 1024,
    depth: 1,
    ids: Buffer.concat(Array.from({ length: 64 }, () => listId)),
  }));
  const root: Entry = { ...base, path: asBytePath(''), mode: 0o755, type: 'dir' };
  const snapshot = await make.commit(make.leaf([root, ...files]));
  const reader = await openReader(engine.store);
  const chosen = (await listAll(reader)).find(({ id: one }) => one === snapshot);
  assert.ok(chosen);
  const { problems, bytes } = await restoreTo(reader, chosen, join(engine.folder, 'stage'));
  assert.equal(problems.length, files.length);
  assert.equal(bytes, 0);
});

test('whoever may put objects stops nobody’s push with a tombstone of any kind', async (context) => {
  const engine = await scene(context);
  const names = Array.from({ length: 3 }, () => `tombstones/${toHex(systemRandom(16))}`);
  const [large = '', empty = '', junk = ''] = names;
  await engine.store.put(large, Buffer.alloc(64 * 1024 * 1024 + 1), {}, NO_ABORT);
  await engine.store.put(empty, new Uint8Array(), {}, NO_ABORT);
  await engine.store.put(junk, systemRandom(1000), {}, NO_ABORT);
  writeFileSync(join(engine.tree, 'file'), 'new');
  engine.machine.events.length = 0;
  await pushTree(engine.store, engine.machine, engine.tree);
  const told = engine.machine.events.filter(
    (event) => event.type === 'notice' && event.code === 'tombstone-ignored',
  );
  assert.equal(told.length, 3);
});
