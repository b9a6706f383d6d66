/** Drill records as witnesses: to what a bucket shows no more, each as good as the machine that signed it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FerryEvent } from '../../../src/base/events.ts';
import { systemRandom } from '../../../src/crypto/sodium.ts';
import type { DrillRecordBody } from '../../../src/format/drill-record.ts';
import type { WriterId } from '../../../src/format/names.ts';
import { listDrills, makeDrillRecord } from '../../../src/repository/drill-records.ts';
import { findRollbacks, readHistory } from '../../../src/repository/history.ts';
import { writerOf, type Writer } from '../../../src/repository/machine.ts';
import type { ReaderRepository } from '../../../src/repository/open.ts';
import { makeRevocation } from '../../../src/repository/revocations.ts';
import type { StoredSnapshot } from '../../../src/repository/snapshot-list.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import {
  cloneStore,
  joinEngine,
  makeEngine,
  NO_ABORT,
  openReader,
  openWriter,
  pushTree,
  type Engine,
  type Machine,
} from '../../support/engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'stateferry-drills-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let engine: Engine;
let office: Machine;
let reader: ReaderRepository;
let all: readonly StoredSnapshot[];

before(async () => {
  engine = await makeEngine(folder);
  office = await joinEngine(engine, 'office');
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  for (let number = 1; number <= 3; number++) {
    writeFileSync(join(tree, 'turns'), `turn ${number}`);
    await pushTree(engine.store, engine.machine, tree);
  }
  reader = await openReader(engine.store);
  all = (await readHistory(reader, failOn, NO_ABORT)).snapshots;
});

const failOn = (event: FerryEvent): void => assert.fail(JSON.stringify(event));
const officeWriter = (): Writer => writerOf(office.state);

function seen(sequence: number): DrillRecordBody['snapshot'] {
  const found = all.find(({ cover }) => cover.sequence === sequence);
  assert.ok(found);
  const { writer, id, digest, cover } = found;
  return { writer, sequence, snapshot: id, digest, time: cover.time };
}

function bodyOf(change: Partial<DrillRecordBody> = {}): DrillRecordBody {
  return {
    tool: 'test',
    time: '2026-11-21T08:00:00.000Z',
    snapshot: seen(3),
    install: 'openclaw',
    machine: 'harbour',
    passed: true,
    doctor: { ran: true, version: '2026.3.2' },
    files: 1,
    bytes: 6,
    bytesFetched: 100,
    restoreMs: 10,
    productMs: 20,
    checks: [{ check: 'sessions of main', ok: true, expected: '1', found: '1' }],
    seen: [seen(3)],
    ...change,
  };
}

async function store(at: ObjectStore, writer: Writer, body: DrillRecordBody): Promise<string> {
  const { name, bytes } = makeDrillRecord(reader.id, writer, body, systemRandom);
  await at.put(name, bytes, {}, NO_ABORT);
  return name;
}

async function drop(at: ObjectStore, sequence: number): Promise<void> {
  await at.delete(all.find(({ cover }) => cover.sequence === sequence)?.name ?? '', NO_ABORT);
}

const rollbacksIn = async (at: ObjectStore, events: FerryEvent[] = []) =>
  findRollbacks(
    await readHistory({ ...reader, store: at }, (event) => void events.push(event), NO_ABORT),
    {},
  );

test('a record is read back by everybody who reads, and by the machine that made it alone', async () => {
  const at = await cloneStore(engine.store);
  const name = await store(at, officeWriter(), bodyOf());
  const drills = await listDrills({ ...reader, store: at }, failOn, NO_ABORT);
  assert.deepEqual(
    drills.map((one) => [one.name, one.ranBy, one.body]),
    [[name, 'office', bodyOf()]],
  );
  const [own, other] = await Promise.all([openWriter(at, office), openWriter(at, engine.machine)]);
  assert.equal((await listDrills(own, failOn, NO_ABORT)).length, 1);
  assert.equal((await listDrills(other, failOn, NO_ABORT)).length, 0);
});

test('who has never seen the repository learns from a drill that newer snapshots are hidden', async () => {
  const at = await cloneStore(engine.store);
  await store(at, officeWriter(), bodyOf());
  assert.deepEqual(await rollbacksIn(at), []);
  await drop(at, 3);
  const [rollback, ...more] = await rollbacksIn(at);
  assert.deepEqual(more, []);
  assert.equal(rollback?.writer, engine.machine.state.writer.id);
  assert.equal(rollback.seen.drilledBy, 'office');
  assert.equal(rollback.seen.sequence, 3);
  assert.equal(rollback.shown?.sequence, 2);
});

test('an old drill says nothing about what is newer', async () => {
  const at = await cloneStore(engine.store);
  await store(at, officeWriter(), bodyOf({ snapshot: seen(1), seen: [seen(1)] }));
  await drop(at, 1);
  assert.deepEqual(await rollbacksIn(at), []);
});

test('the mark of the machine itself comes before a drill’s', async () => {
  const at = await cloneStore(engine.store);
  await store(at, officeWriter(), bodyOf());
  await drop(at, 3);
  const history = await readHistory({ ...reader, store: at }, failOn, NO_ABORT);
  const found = findRollbacks(history, engine.machine.state.highWater);
  assert.deepEqual(
    found.map(({ seen: one }) => one.drilledBy),
    [undefined],
  );
});

test('a record that its machine did not sign, or not whole, is announced and is no witness', async () => {
  const made = makeDrillRecord(reader.id, officeWriter(), bodyOf(), systemRandom);
  const elsewhere = made.name.replace(office.state.writer.id, engine.machine.state.writer.id);
  for (const [name, bytes] of [
    [made.name, made.bytes.map((byte, at) => (at === 200 ? byte ^ 1 : byte))],
    [made.name, made.bytes.slice(0, 90)],
    [elsewhere, made.bytes],
  ] as const) {
    const at = await cloneStore(engine.store);
    await at.put(name, bytes, {}, NO_ABORT);
    await drop(at, 3);
    const events: FerryEvent[] = [];
    assert.deepEqual(await rollbacksIn(at, events), []);
    const problems = events.filter((event) => event.type === 'problem');
    assert.deepEqual(
      problems.map(({ path }) => path),
      [name],
    );
  }
});

test('a machine that nobody let in, or that was revoked, is no witness', async () => {
  const at = await cloneStore(engine.store);
  const body = bodyOf({ seen: [{ ...seen(3), sequence: 900, digest: 'ab'.repeat(32) }] });
  const stranger = { ...officeWriter(), id: '5e'.repeat(16) as WriterId };
  await store(at, stranger, body);
  assert.deepEqual(await rollbacksIn(at), []);
  // A stolen machine can cry wolf, until it is revoked.
  await store(at, officeWriter(), body);
  assert.equal((await rollbacksIn(at)).length, 1);
  const { root } = reader.identity;
  const { name, bytes } = makeRevocation(reader.id, root, officeWriter().id, {
    timeMs: 0,
    snapshots: [],
  });
  await at.put(name, bytes, {}, NO_ABORT);
  const now = await openReader(at);
  assert.deepEqual(findRollbacks(await readHistory(now, failOn, NO_ABORT), {}), []);
});
