/** What forget records explain, and what stays a hole: forged and deleted records, hidden snapshots, forks. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { concatBytes, fromHex } from '../../../src/base/bytes.ts';
import type { FerryEvent } from '../../../src/base/events.ts';
import { identityFromSeed } from '../../../src/crypto/identity.ts';
import { sign } from '../../../src/crypto/signature.ts';
import { systemRandom } from '../../../src/crypto/sodium.ts';
import { encodeForgetRecord } from '../../../src/format/forget-record.ts';
import type { ObjectId, WriterId } from '../../../src/format/names.ts';
import { LocalCache } from '../../../src/repository/cache.ts';
import { writeForgetRecord } from '../../../src/repository/forget-records.ts';
import {
  findHoles,
  findRollbacks,
  readHistory,
  type History,
} from '../../../src/repository/history.ts';
import { writerOf } from '../../../src/repository/machine.ts';
import { openForWriting, type ReaderRepository } from '../../../src/repository/open.ts';
import type { StoredSnapshot } from '../../../src/repository/snapshot-list.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import {
  cloneStore,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  type Engine,
} from '../../support/engine.ts';
import { faultStore } from '../../support/fault-store.ts';

const PUSHES = 6;

let engine: Engine;
let reader: ReaderRepository;
let all: readonly StoredSnapshot[];

const folder = mkdtempSync(join(tmpdir(), 'stateferry-history-'));
after(() => rmSync(folder, { recursive: true, force: true }));

before(async () => {
  engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  for (let number = 1; number <= PUSHES; number++) {
    writeFileSync(join(tree, 'turns'), `turn ${number}`);
    await pushTree(engine.store, engine.machine, tree);
  }
  reader = await openReader(engine.store);
  all = (await readHistory(reader, failOn, NO_ABORT)).snapshots;
  assert.equal(all.length, PUSHES);
});

const failOn = (event: FerryEvent): void => assert.fail(JSON.stringify(event));

type World = { readonly store: ObjectStore; readonly at: ReaderRepository };

async function world(): Promise<World> {
  const store = await cloneStore(engine.store);
  return { store, at: { ...reader, store } };
}

const numbered = (...sequences: readonly number[]): readonly StoredSnapshot[] =>
  all.filter(({ cover }) => sequences.includes(cover.sequence));

const placesOf = (snapshots: readonly StoredSnapshot[]) =>
  snapshots.map(({ cover, digest }) => ({ sequence: cover.sequence, digest }));

const record = (world: World, ...sequences: readonly number[]): Promise<string> =>
  writeForgetRecord(
    world.at,
    { writer: writerId(), snapshots: placesOf(numbered(...sequences)) },
    systemRandom,
    NO_ABORT,
  );

const writerId = (): WriterId => writerOf(engine.machine.state).id;

async function drop({ store }: World, ...sequences: readonly number[]): Promise<void> {
  for (const { name } of numbered(...sequences)) await store.delete(name, NO_ABORT);
}

async function look({ at }: World): Promise<{ history: History; events: FerryEvent[] }> {
  const events: FerryEvent[] = [];
  const history = await readHistory(at, (event) => void events.push(event), NO_ABORT);
  return { history, events };
}

const holesOf = (history: History): [number, number][] =>
  findHoles(history).map(({ first, last }) => [first, last]);

test('what a record names is explained; the rest is named as a hole', async () => {
  const here = await world();
  await drop(here, 1, 2, 4);
  assert.deepEqual(holesOf((await look(here)).history), [
    [1, 2],
    [4, 4],
  ]);
  await record(here, 1, 4);
  assert.deepEqual(holesOf((await look(here)).history), [[2, 2]]);
  await record(here, 2);
  const { history, events } = await look(here);
  assert.deepEqual(holesOf(history), []);
  assert.deepEqual(events, []);
  assert.deepEqual(findRollbacks(history, engine.machine.state.highWater), []);
});

test('a deleted record: the hole is unexplained again', async () => {
  const here = await world();
  const name = await record(here, 3);
  await drop(here, 3);
  assert.deepEqual(holesOf((await look(here)).history), []);
  await here.store.delete(name, NO_ABORT);
  assert.deepEqual(holesOf((await look(here)).history), [[3, 3]]);
});

test('a record that the root key did not sign explains nothing, and is announced', async () => {
  const id = 'c0'.repeat(16) as ObjectId;
  const repository = fromHex(reader.id);
  const unsigned = encodeForgetRecord(repository, id, {
    writer: writerId(),
    snapshots: placesOf(numbered(3)),
  });
  const signers = [
    writerOf(engine.machine.state).signing.secretKey,
    identityFromSeed(systemRandom(32)).root.secretKey,
  ];
  for (const key of signers) {
    const here = await world();
    await drop(here, 3);
    const forged = concatBytes(unsigned, sign('forget record', unsigned, key));
    await here.store.put(`forgets/${id}`, forged, {}, NO_ABORT);
    const { history, events } = await look(here);
    assert.deepEqual(holesOf(history), [[3, 3]]);
    assert.deepEqual(
      events.map((event) => event.type === 'problem' && [event.path, event.code]),
      [[`forgets/${id}`, 'object-foreign']],
    );
  }
});

test('a record of another digest with the same number explains nothing', async () => {
  const here = await world();
  await drop(here, 3);
  const snapshots = [{ sequence: 3, digest: '5e'.repeat(32) }];
  await writeForgetRecord(here.at, { writer: writerId(), snapshots }, systemRandom, NO_ABORT);
  assert.deepEqual(holesOf((await look(here)).history), [[3, 3]]);
});

test('a record of another machine explains nothing', async () => {
  const here = await world();
  await drop(here, 3);
  const other = '0a'.repeat(16) as WriterId;
  const snapshots = placesOf(numbered(3));
  await writeForgetRecord(here.at, { writer: other, snapshots }, systemRandom, NO_ABORT);
  assert.deepEqual(holesOf((await look(here)).history), [[3, 3]]);
});

test('a hidden newest snapshot is missing, also for who has never seen it, once a record tells', async () => {
  const here = await world();
  await drop(here, 6);
  const marks = engine.machine.state.highWater;
  const [seen] = findRollbacks((await look(here)).history, marks);
  assert.equal(seen?.seen.sequence, 6);
  assert.equal(seen?.shown?.sequence, 5);
  // Nobody forgets the newest: after number 5 there was another one.
  await record(here, 1, 5);
  const { history } = await look(here);
  const [told] = findRollbacks(history, {});
  assert.deepEqual([told?.seen.sequence, told?.seen.snapshot], [5, undefined]);
  assert.equal(findRollbacks(history, marks).length, 1);
});

test('a machine whose snapshots are all gone is missing by its record alone', async () => {
  const here = await world();
  await record(here, 1, 2);
  await drop(here, 1, 2, 3, 4, 5, 6);
  const [told] = findRollbacks((await look(here)).history, {});
  assert.equal(told?.writer, writerId());
  assert.equal(told?.shown, undefined);
});

test('a snapshot that is damaged is named once, and is no hole as well', async () => {
  const here = await world();
  const [third] = numbered(3);
  assert.ok(third);
  await here.store.put(third.name, new Uint8Array(100), {}, NO_ABORT);
  const { history, events } = await look(here);
  assert.equal(events.length, 1);
  assert.deepEqual(holesOf(history), []);
});

test('what is forgotten while somebody looks is no hole and no missing object', async () => {
  for (const kind of ['get', 'list'] as const) {
    const here = await world();
    const [third] = numbered(3);
    assert.ok(third);
    let isDone = false;
    // The record first, then the deletion, at a moment when the snapshot is listed and not yet read.
    const store = faultStore(here.store);
    const racing: ObjectStore = {
      ...store,
      get: async (name, range, signal) => {
        if (!isDone && kind === 'get' && name === third.name) {
          isDone = true;
          await record(here, 3);
          await drop(here, 3);
        }
        return store.get(name, range, signal);
      },
      list: (prefix, signal) => {
        const listing = store.list(prefix, signal);
        if (isDone || kind !== 'list' || prefix !== 'forgets/') return listing;
        isDone = true;
        return (async function* () {
          await drop(here, 3);
          yield* listing;
          await record(here, 3);
        })();
      },
    };
    const { history, events } = await look({ store, at: { ...here.at, store: racing } });
    assert.ok(isDone, kind);
    assert.deepEqual(events, [], kind);
    assert.deepEqual(holesOf(history), [], kind);
  }
});

test('a machine that only writes reads its records by the pinned root key, each one once', async () => {
  const here = await world();
  await record(here, 1, 2);
  await drop(here, 1, 2);
  const memory = { state: engine.machine.state, save: (): Promise<void> => Promise.resolve() };
  const cache = LocalCache.open(join(engine.folder, 'history-cache'), reader.id, failOn);
  const store = faultStore(here.store);
  const writer = await openForWriting(store, memory, cache, failOn, NO_ABORT);
  const gets = (): number => store.operations.filter(({ kind }) => kind === 'get').length;
  const before = gets();
  for (const round of ['first', 'second']) {
    const history = await readHistory(writer, failOn, NO_ABORT);
    assert.deepEqual(holesOf(history), [], round);
    assert.deepEqual(findRollbacks(history, memory.state.highWater), [], round);
    assert.equal(gets() - before, PUSHES - 2 + 1, round);
  }
  cache.close();
});
