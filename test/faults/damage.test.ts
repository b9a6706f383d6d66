/** Every kind of object, damaged in every way: named, and never taken for something else. */
import assert from 'node:assert/strict';
import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FerryError, type ErrorCode } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { parseRecoveryCode } from '../../src/crypto/recovery-code.ts';
import { decodeKeySlot } from '../../src/format/key-slot.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import { findRollbacks, readHistory } from '../../src/repository/history.ts';
import type { OpenedCover } from '../../src/repository/snapshots.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { firstFrame, middleOf } from '../support/damage.ts';
import {
  allObjects,
  cloneStore,
  joinEngine,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  openWriter,
  PASSPHRASE,
  pushTree,
  refusalOf,
  restoreTo,
  type Engine,
  type Machine,
  type ReaderOptions,
} from '../support/engine.ts';
import { makeTree, scanTree, treeDifferences } from '../support/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'stateferry-damage-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const tree = join(folder, 'tree');

let engine: Engine;
let island: Machine;
let reader: ReaderRepository;
/** A repository that has nothing to do with it, with one snapshot. */
let foreign: Map<string, Uint8Array>;

before(async () => {
  engine = await makeEngine(folder);
  island = await joinEngine(engine, 'island');
  makeTree(tree, 31, { bulkBytes: 1_300_000 });
  // Another name of content that lies in a pack of its own.
  linkSync(join(tree, 'bulk-001'), join(tree, 'linked'));
  for (const machine of [engine.machine, island]) await pushTree(engine.store, machine, tree);
  makeTree(join(tree, 'later'), 32, { bulkBytes: 100_000 });
  await pushTree(engine.store, engine.machine, tree);
  reader = await openReader(engine.store);
  const other = await makeEngine(join(folder, 'other'));
  await pushTree(other.store, other.machine, tree);
  foreign = await allObjects(other.store);
});

type Damage = 'missing' | 'truncated' | 'emptied' | 'flipped' | 'swapped' | 'foreign' | 'grown';
const DAMAGES: readonly Damage[] = [
  'missing',
  'truncated',
  'emptied',
  'flipped',
  'swapped',
  'foreign',
  'grown',
];

type Beside = {
  /** Another object of its kind. */
  readonly sibling: Uint8Array;
  /** One of its kind from another repository. */
  readonly strange: Uint8Array;
};

/** What lies in the place of an object now. @param at where it is cut off, or a bit of it changed */
function spoilt(
  bytes: Uint8Array,
  damage: Damage,
  at: number,
  { sibling, strange }: Beside,
): Uint8Array {
  if (damage === 'truncated') return bytes.subarray(0, at);
  if (damage === 'emptied') return new Uint8Array();
  if (damage === 'swapped') return sibling;
  if (damage === 'foreign') return strange;
  if (damage === 'grown') return Buffer.concat([bytes, Buffer.alloc(64)]);
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ 0x10;
  return flipped;
}

/** Where damage costs something: much of a pack may be the padding of a directory that indexes stand for. */
const sorePoint = async (name: string, bytes: Uint8Array): Promise<number> =>
  name.startsWith('packs/')
    ? middleOf(await firstFrame(reader, name))
    : Math.floor(bytes.length / 3);

async function damagedStore(name: string, damage: Damage): Promise<ObjectStore> {
  const store = await cloneStore(engine.store);
  const objects = await allObjects(store);
  const bytes = objects.get(name);
  assert.ok(bytes);
  const prefix = `${name.split('/')[0]}/`;
  const siblings = [...objects].filter(([other]) => other.startsWith(prefix) && other !== name);
  const [, sibling = Buffer.from('{}')] = siblings.find(([, other]) => other !== bytes) ?? [];
  const [, strange] = [...foreign].find(([other]) => other.startsWith(prefix)) ?? [];
  if (damage === 'missing') await store.delete(name, NO_ABORT);
  else {
    const beside = { sibling, strange: strange ?? Buffer.from('strange') };
    const now = spoilt(bytes, damage, await sorePoint(name, bytes), beside);
    await store.put(name, now, {}, NO_ABORT);
  }
  return store;
}

const firstOf = async (prefix: string): Promise<string> => {
  const [name] = (await allObjects(engine.store, prefix)).keys();
  assert.ok(name);
  return name;
};

const newestOf = (covers: readonly OpenedCover[], machine: Machine): OpenedCover => {
  const found = covers.findLast(({ writer }) => writer === machine.state.writer.id);
  assert.ok(found);
  return found;
};

for (const damage of DAMAGES) {
  test(`the header, ${damage}: nobody reads or writes`, async () => {
    const store = await damagedStore('stateferry.json', damage);
    if (damage === 'foreign') {
      const objects = new Map(foreign);
      await store.put(
        'stateferry.json',
        objects.get('stateferry.json') ?? Buffer.of(),
        {},
        NO_ABORT,
      );
    }
    const isForeign = damage === 'foreign';
    const expected: ErrorCode = isForeign ? 'object-foreign' : 'repository-missing';
    const pinned = await refusalOf(openReader(store, { pinned: engine.machine.state }));
    assert.equal(pinned.code, expected);
    assert.equal((await refusalOf(openWriter(store, engine.machine))).code, expected);
    const fresh = await refusalOf(openReader(store));
    assert.equal(fresh.code, expected);
    assert.ok((fresh.hint ?? fresh.message).length > 0);
  });

  test(`an index, ${damage}: every snapshot still restores, and the index is named`, async () => {
    for (const [name] of await allObjects(engine.store, 'indexes/')) {
      const store = await damagedStore(name, damage);
      const events: FerryEvent[] = [];
      await assertRestores({ ...reader, store }, events);
      const named = events.filter(
        (event) => event.type === 'notice' && event.message.includes(name),
      );
      assert.equal(named.length > 0, damage !== 'missing', name);
    }
  });

  test(`a pack list, ${damage}: every snapshot still restores, and the list is named`, async () => {
    const name = await firstOf(`lists/${island.state.writer.id}/`);
    const store = await damagedStore(name, damage);
    const events: FerryEvent[] = [];
    await assertRestores({ ...reader, store }, events);
    assert.ok(events.some((event) => event.type === 'notice' && event.message.includes(name)));
  });

  test(`a snapshot, ${damage}: it is named and does not count, the others do`, async () => {
    const all = await listAll(reader);
    const spoiltOne = newestOf(all, engine.machine);
    const store = await damagedStore(spoiltOne.name, damage);
    const events: FerryEvent[] = [];
    const repository = { ...reader, store };
    const history = await readHistory(repository, (event) => void events.push(event), NO_ABORT);
    const left = history.snapshots;
    assert.deepEqual(
      left.map(({ id }) => id),
      all.filter(({ id }) => id !== spoiltOne.id).map(({ id }) => id),
    );
    const problems = events.flatMap((event) => (event.type === 'problem' ? [event.path] : []));
    assert.deepEqual(problems, damage === 'missing' ? [] : [spoiltOne.name]);
    const [rollback] = findRollbacks(history, engine.machine.state.highWater);
    assert.equal(rollback?.seen.snapshot, spoiltOne.id);
    assert.equal(rollback?.shown?.sequence, 1);
  });

  test(`a writer record, ${damage}: it and the snapshots that hang on it are named`, async () => {
    const name = `writers/${island.state.writer.id}`;
    const store = await damagedStore(name, damage);
    const events: FerryEvent[] = [];
    const open = await openReader(store, { events });
    const left = await listAll(open, events);
    assert.ok(left.length === 2 && left.every(({ machine }) => machine === 'harbour'));
    const problems = events.flatMap((event) => (event.type === 'problem' ? [event.path] : []));
    const lost = newestOf(await listAll(reader), island).name;
    assert.deepEqual(problems, damage === 'missing' ? [lost] : [name, lost]);
  });

  test(`the passphrase's slot, ${damage}: the recovery code still opens, and the slot is named`, async () => {
    const name = await slotFor('passphrase');
    const store = await damagedStore(name, damage);
    const error = await refusalOf(openReader(store));
    if (damage === 'missing') assert.equal(error.code, 'nothing-opens');
    else if (damage === 'flipped')
      assert.ok(['nothing-opens', 'object-damaged'].includes(error.code));
    else assert.ok(error.message.includes(name), error.message);
    const code = parseRecoveryCode(engine.recoveryCode);
    const open = await openReader(store, { secret: { with: 'recovery code', code } });
    assert.equal(open.writers.size, 2);
  });

  test(`a pack, ${damage}: what cannot be restored is named, all else is right`, async () => {
    for (const [name] of await allObjects(engine.store, `packs/${island.state.writer.id}/`)) {
      await assertNoLies(await damagedStore(name, damage), name, damage === 'grown');
    }
  });
}

async function assertRestores(open: ReaderRepository, events: FerryEvent[]): Promise<void> {
  for (const machine of [engine.machine, island]) {
    const newest = newestOf(await listAll(open), machine);
    const out = join(folder, 'restored');
    rmSync(out, { recursive: true, force: true });
    const restored = await restoreTo(open, newest, out, { events });
    assert.deepEqual(restored.problems, []);
    const differences = treeDifferences(tree, out, machine === island ? /^later/ : undefined);
    assert.deepEqual(
      differences.filter((one) => !one.startsWith(': mtimeNs')),
      [],
    );
  }
}

/** Either the pack is named and some files are missing, or everything is right. */
async function assertNoLies(store: ObjectStore, name: string, mayBeWhole = false): Promise<void> {
  const open = { ...reader, store };
  const newest = newestOf(await listAll(open), island);
  const out = join(folder, 'lies');
  rmSync(out, { recursive: true, force: true });
  const events: FerryEvent[] = [];
  let problems: readonly { readonly path: string }[];
  try {
    ({ problems } = await restoreTo(open, newest, out, { events }));
  } catch (error) {
    // The tree itself lay in that pack.
    assert.ok(error instanceof FerryError && [15, 16].includes(error.exit), String(error));
    assert.ok(error.message.includes(name), error.message);
    return;
  }
  if (!mayBeWhole) assert.ok(problems.length > 0, `${name} was not needed`);
  const lost = new Set(problems.map(({ path }) => path.replace('state/', '')));
  for (const event of events) {
    if (event.type === 'problem')
      assert.ok(event.message.includes(name) || /name of/.test(event.message));
  }
  const [expected, actual] = [scanTree(tree), scanTree(out)];
  for (const [path, seen] of expected) {
    if (path === '' || path.startsWith('later')) continue;
    if (lost.has(path)) assert.ok(!actual.has(path), `${path} is there, but not whole`);
    else assert.deepEqual(actual.get(path), seen, path);
  }
}

test('a pack, flipped anywhere, never gives wrong content', async () => {
  const [[name, bytes] = ['', Buffer.of()]] = await allObjects(
    engine.store,
    `packs/${island.state.writer.id}/`,
  );
  const places = Array.from({ length: 12 }, (_, at) => Math.floor((bytes.length * at) / 12));
  places.push(8, 20, 70, 1190, bytes.length - 1, bytes.length - 40);
  for (const at of places) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 0x01;
    const store = await cloneStore(engine.store);
    await store.put(name, flipped, {}, NO_ABORT);
    await assertNoLies(store, name, true);
  }
});

test('an older snapshot in the place of a newer one is a swap', async () => {
  const [older, newer] = (await listAll(reader)).filter(({ machine }) => machine === 'harbour');
  assert.ok(older && newer);
  const store = await cloneStore(engine.store);
  const old = await store.get(older.name, undefined, NO_ABORT);
  await store.put(newer.name, old?.bytes ?? Buffer.of(), {}, NO_ABORT);
  const events: FerryEvent[] = [];
  const left = await listAll({ ...reader, store }, events);
  assert.ok(!left.some(({ id }) => id === newer.id));
  const [problem] = events;
  assert.ok(problem?.type === 'problem' && problem.code === 'object-foreign');
  assert.equal(problem.path, newer.name);
});

async function slotFor(kind: string): Promise<string> {
  for (const [name, bytes] of await allObjects(engine.store, 'keys/')) {
    if (decodeKeySlot(bytes, name).opens.with === kind) return name;
  }
  return assert.fail(`no slot for a ${kind}`);
}

test('a wrong passphrase or code is called wrong, also beside a damaged slot', async () => {
  const wrong: ReaderOptions = { secret: { with: 'passphrase', passphrase: `${PASSPHRASE} ` } };
  assert.equal((await refusalOf(openReader(engine.store, wrong))).code, 'nothing-opens');
  const code = Buffer.alloc(20, 3);
  const wrongCode: ReaderOptions = { secret: { with: 'recovery code', code } };
  assert.equal((await refusalOf(openReader(engine.store, wrongCode))).code, 'nothing-opens');
  const store = await cloneStore(engine.store);
  await store.put(`keys/${'0'.repeat(32)}`, Buffer.from('rubbish'), {}, NO_ABORT);
  const error = await refusalOf(openReader(store, wrong));
  assert.equal(error.code, 'nothing-opens');
  assert.match(error.message, /rubbish|keys\/0{32}/);
  assert.equal((await openReader(store)).writers.size, 2);
});

test('Argon2 costs out of bounds are refused before anything is allocated', async () => {
  const name = await slotFor('passphrase');
  const costs = [
    { memoryKiB: 4 * 1024 * 1024 },
    { memoryKiB: 1024 },
    { passes: 1 },
    { passes: 4_000_000_000 },
    { lanes: 0 },
    { lanes: 200 },
  ];
  const bytes = (await allObjects(engine.store)).get(name);
  assert.ok(bytes);
  for (const cost of costs) {
    const slot = JSON.parse(Buffer.from(bytes).toString()) as { opens: object };
    const changed = JSON.stringify({ ...slot, opens: { ...slot.opens, ...cost } });
    const store = await cloneStore(engine.store);
    await store.put(name, Buffer.from(changed), {}, NO_ABORT);
    const error = await refusalOf(openReader(store));
    assert.equal(error.code, 'object-damaged');
    assert.match(error.message, /Argon2/);
  }
});

test('a bucket that swaps header, slots and records for its own: a joined machine refuses', async () => {
  const { store } = engine;
  const swapped = await cloneStore(store);
  for (const prefix of ['stateferry.json', 'keys/', 'writers/']) {
    for (const name of (await allObjects(swapped)).keys()) {
      if (name.startsWith(prefix)) await swapped.delete(name, NO_ABORT);
    }
    for (const [name, bytes] of foreign) {
      if (name.startsWith(prefix)) await swapped.put(name, bytes, {}, NO_ABORT);
    }
  }
  const { state } = engine.machine;
  assert.equal((await refusalOf(openReader(swapped, { pinned: state }))).code, 'object-foreign');
  assert.equal((await refusalOf(openWriter(swapped, engine.machine))).code, 'object-foreign');
  // A fresh machine has nothing to compare with; what it finds does not fit together, and it says so.
  const events: FerryEvent[] = [];
  const fooled = await openReader(swapped, { events });
  assert.deepEqual(await listAll(fooled, events), []);
  const problems = events.filter(({ type }) => type === 'problem');
  assert.ok(problems.length >= 3, 'every snapshot is announced as written by a stranger');
});

test('the same bucket with the old header and other key slots: a joined machine refuses', async () => {
  const swapped = await cloneStore(engine.store);
  const imposter = await makeEngine(join(folder, 'imposter'));
  for (const name of (await allObjects(swapped, 'keys/')).keys()) {
    await swapped.delete(name, NO_ABORT);
  }
  for (const [name, bytes] of await allObjects(imposter.store, 'keys/')) {
    const claims = Buffer.from(bytes)
      .toString()
      .replace(imposter.machine.state.repository, engine.machine.state.repository);
    await swapped.put(name, Buffer.from(claims), {}, NO_ABORT);
  }
  const pinned = { pinned: engine.machine.state };
  assert.equal((await refusalOf(openReader(swapped, pinned))).code, 'nothing-opens');
});
