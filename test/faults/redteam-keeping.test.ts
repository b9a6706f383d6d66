/** What a stolen machine can do to whoever keeps the repository: to check, prune and forget, and to what they say. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, fromHex, utf8 } from '../../src/base/bytes.ts';
import { sealBox } from '../../src/crypto/box.ts';
import { sealBody } from '../../src/crypto/frames.ts';
import { sealHeader } from '../../src/crypto/sealing.ts';
import { sign } from '../../src/crypto/signature.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { encodeHeader } from '../../src/format/header.ts';
import {
  idFromBytes,
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
} from '../../src/format/names.ts';
import { encodePackList, type ListedPack } from '../../src/format/pack-list.ts';
import { encodePadded } from '../../src/format/padded.ts';
import { assembleSnapshot, encodeCover } from '../../src/format/snapshot.ts';
import { check, type Checked } from '../../src/maintenance/check/check.ts';
import { extendLocks } from '../../src/maintenance/extend-locks.ts';
import { addKey, listKeys, removeKey } from '../../src/maintenance/keys.ts';
import { countedUpTo, revokeMachine } from '../../src/maintenance/machines.ts';
import { repair } from '../../src/maintenance/repair.ts';
import { sealBoxed } from '../../src/repository/boxed.ts';
import { pinnedHalves, writerOf } from '../../src/repository/machine.ts';
import { findHoles, findRollbacks, readHistory } from '../../src/repository/history.ts';
import { openIdentity } from '../../src/repository/open.ts';
import { chooseSnapshot } from '../../src/repository/snapshot-list.ts';
import {
  allObjects,
  joinEngine,
  listAll,
  NO_ABORT,
  openReader,
  PASSPHRASE,
  pushTree,
  refusalOf,
} from '../support/engine.ts';
import { forger, packInPlaceOf } from '../support/engine-forge.ts';
import {
  assertAllRestore,
  cloneWorld,
  dropSnapshot,
  later,
  namesBelow,
  pruneWorld,
  pushVersion,
  runPrune,
  type PruneWorld,
} from '../support/prune-world.ts';
import { faultStore } from '../support/fault-store.ts';
import { runForget } from '../support/forget-world.ts';
import { noise } from '../support/tree.ts';

const emit = (): void => undefined;
const PASSWORD = { with: 'passphrase', passphrase: PASSPHRASE } as const;

async function runCheck({ reader, store }: PruneWorld, readPercent: number): Promise<Checked> {
  const nowMs = await store.dateMs(NO_ABORT);
  return check(reader, { readPercent, nowMs }, { emit }, NO_ABORT);
}

test('another pack of the same size in the place of one is found by reading, whatever is in it', async (context) => {
  const world = await pruneWorld(context);
  writeFileSync(join(world.tree, 'big'), noise(77, 2_500_000));
  await pushVersion(world, 1);
  assert.deepEqual((await runCheck(world, 100)).problems, []);
  const packs = await allObjects(world.store, 'packs/');
  assert.ok(packs.size >= 4, `${packs.size} packs`);
  for (const [name, bytes] of packs) {
    await world.store.put(name, packInPlaceOf(world.machine, name, bytes.length), {}, NO_ABORT);
    const { problems } = await runCheck(world, 100);
    assert.deepEqual(
      problems.map(({ object, code }) => [object, code]),
      [[name, 'object-damaged']],
    );
    assert.equal(problems[0]?.snapshots.length, 1, problems[0]?.message);
    assert.notDeepEqual(problems[0].files.named, [], problems[0].message);
    await world.store.put(name, bytes, {}, NO_ABORT);
  }
});

test('what was put in the place of a pack is announced by repair, and its content pushed again', async (context) => {
  const world = await pruneWorld(context);
  writeFileSync(join(world.tree, 'big'), noise(77, 2_500_000));
  await pushVersion(world, 1);
  const all = [...(await allObjects(world.store, 'packs/'))];
  for (const [name, bytes] of all) {
    await world.store.put(name, packInPlaceOf(world.machine, name, bytes.length), {}, NO_ABORT);
  }
  const { plan } = await repair(
    { readPercent: 100, nowMs: world.clock.nowMs },
    { repository: world.reader, random: systemRandom, emit },
    NO_ABORT,
  );
  assert.deepEqual(plan.condemn.toSorted(), all.map(([name]) => name).toSorted());
  const pushed = await pushTree(world.store, world.machine, world.tree);
  const { problems } = await runCheck(world, 100);
  assert.ok(problems.every(({ snapshots }) => !snapshots.includes(pushed.id)));
});

/** A snapshot that is signed and sealed as it should be, with this for a body. */
function snapshotOf(
  { machine: { state } }: Pick<PruneWorld, 'machine'>,
  sequence: number,
  body: string,
  packList?: string,
): { readonly name: string; readonly bytes: Uint8Array } {
  const writer = writerOf(state);
  const object = idFromBytes<ObjectId>(systemRandom(16));
  const place = { repository: fromHex(state.repository), writer: writer.id, object };
  const header = encodeHeader({ kind: 'snapshot', ...place });
  const sealed = sealHeader(pinnedHalves(state).recipient, header);
  const cover = encodeCover({
    sequence,
    previous: null,
    time: '2026-01-05T00:00:00.000Z',
    install: 'openclaw',
    machine: state.machine,
    label: null,
    files: 0,
    bytes: 0,
    packList: packList ?? object,
  });
  const box = sealBox(writer.subkeys.cover, sealed.header, cover, systemRandom);
  const sealedBody = sealBody(sealed.objectKey, encodePadded(utf8(body)));
  const signed = assembleSnapshot(sealed.header, box, sealedBody);
  const bytes = concatBytes(signed, sign('snapshot', signed, writer.signing.secretKey));
  return { name: writerObjectName('snapshots', writer.id, object), bytes };
}

test('a body as deep as its writer likes is damage, and no end of the stack', async (context) => {
  const world = await pruneWorld(context);
  const install = { install: 'openclaw', brand: 'openclaw', profile: 'default', version: null };
  const parts = { tool: 'x', install: { ...install, platform: 'linux', home: '/home/mara' } };
  const text = JSON.stringify({ ...parts, roots: [], omissions: [], problems: [], gateway: 0 });
  const depth = 100_000;
  const deep = text.replace(/0\}$/, `${'['.repeat(depth)}${']'.repeat(depth)}}`);
  assert.ok(deep.length > 2 * depth);
  const { name, bytes } = snapshotOf(world, 1, deep);
  await world.store.put(name, bytes, {}, NO_ABORT);
  const { problems } = await runCheck(world, 0);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['object-missing', 'object-damaged'],
    'its pack list, and the snapshot itself',
  );
});

const putGarbage = async ({ store, machine }: PruneWorld): Promise<void> => {
  const object = idFromBytes<ObjectId>(systemRandom(16));
  const name = writerObjectName('snapshots', writerOf(machine.state).id, object);
  await store.put(name, noise(1, 3000), {}, NO_ABORT);
};

test('what a machine left that is no snapshot keeps nobody from pruning once it is revoked', async (context) => {
  const world = await pruneWorld(context);
  const old = await pushVersion(world, 1);
  const last = await pushVersion(world, 2);
  await dropSnapshot(world, old);
  await putGarbage(world);
  later(world, 20);
  assert.equal((await refusalOf(runPrune(world))).code, 'object-damaged');
  const counted = [{ sequence: 2, digest: last.digest }];
  await revokeMachine(world.reader, last.writer, counted, NO_ABORT);
  const after = { ...world, reader: await openReader(world.store) };
  assert.ok((await runPrune(after)).plan.announce.length > 0);
  await assertAllRestore(after, 1);
});

test('of a revoked machine every snapshot that counts is asked for, the last one too', async (context) => {
  const world = await pruneWorld(context);
  const [old, last] = [await pushVersion(world, 1), await pushVersion(world, 2)];
  const counted = [old, last].map(({ digest, cover }) => ({ digest, sequence: cover.sequence }));
  await revokeMachine(world.reader, last.writer, counted, NO_ABORT);
  const after = { ...world, reader: await openReader(world.store) };
  const holes = async (): Promise<unknown> =>
    findHoles(await readHistory(after.reader, emit, NO_ABORT)).map(({ first }) => first);
  assert.deepEqual(await holes(), []);
  const { bytes } = (await world.store.get(last.name, undefined, NO_ABORT)) ?? assert.fail();
  await world.store.put(last.name, noise(2, bytes.length), {}, NO_ABORT);
  assert.deepEqual(await holes(), [2], 'garbage in its place');
  await world.store.delete(last.name, NO_ABORT);
  assert.deepEqual(await holes(), [2], 'nothing in its place');
  later(world, 20);
  assert.equal((await refusalOf(runPrune(after))).code, 'history-rolled-back');
  await world.store.put(last.name, bytes, {}, NO_ABORT);
  await dropSnapshot(after, old);
  assert.deepEqual(await holes(), [], 'a forget record explains it');
});

const dayMs = 24 * 3_600_000;

test('what was stored while the store’s clock was years ahead is not the latest for years', async (context) => {
  const world = await pruneWorld(context);
  const numbers = async (): Promise<number[]> =>
    (await listAll(world.reader)).map(({ cover }) => cover.sequence);
  await pushVersion(world, 1);
  world.clock.nowMs += 20_000 * dayMs;
  await pushVersion(world, 2);
  world.clock.nowMs -= 20_000 * dayMs;
  later(world, 1);
  await pushVersion(world, 3);
  assert.deepEqual(await numbers(), [1, 2, 3]);
  assert.equal(chooseSnapshot(await listAll(world.reader), 'latest', undefined).cover.sequence, 3);
});

test('who vouches for the last good snapshot vouches for no others with old numbers', async (context) => {
  const world = await pruneWorld(context);
  for (const version of [1, 2, 3]) await pushVersion(world, version);
  const honest = await listAll(world.reader);
  const [first, second, third] = honest;
  assert.ok(first && second && third);
  for (const sequence of [1, 2, 3, 4]) {
    await forger(world.store, world.machine, sequence).commit(Buffer.alloc(32, sequence));
  }
  const own = await listAll(world.reader);
  assert.equal(own.length, 7);
  const counted = (forgotten: readonly number[], all = own): readonly string[] =>
    countedUpTo(third, all, new Set(forgotten)).map(({ id }) => id);
  assert.deepEqual(
    counted([]),
    honest.map(({ id }) => id),
  );
  const withoutSecond = own.filter(({ id }) => id !== second.id);
  assert.deepEqual(counted([], withoutSecond).slice(-1), [third.id], 'the chain says who was 2');
  const withoutFirst = own.filter(({ id }) => id !== first.id);
  assert.deepEqual(counted([1], withoutFirst), [second.id, third.id]);
});

test('two who remove each other’s key at the same time leave one that opens', async (context) => {
  const world = await pruneWorld(context);
  const secret = { with: 'recovery code', code: systemRandom(20) } as const;
  const one = await openIdentity(world.store, PASSWORD, undefined, NO_ABORT);
  await addKey(world.store, one, secret, { random: systemRandom }, NO_ABORT);
  const other = await openIdentity(world.store, secret, undefined, NO_ABORT);
  const keys = await listKeys(world.store, one, NO_ABORT);
  const slots = keys.filter(({ id }) => id === one.slot || id === other.slot);
  const [first, second] = slots.map((key) =>
    removeKey(world.store, key.id === one.slot ? other : one, key, NO_ABORT),
  );
  const ends = await Promise.allSettled([first, second]);
  assert.ok(ends.some(({ status }) => status === 'rejected'));
  const left = await namesBelow(world.store, 'keys/');
  assert.ok(
    slots.some(({ id }) => left.includes(`keys/${id}`)),
    left.join(' '),
  );
});

test('key slots that somebody adds do not come before those that people have the secrets of', async (context) => {
  const world = await pruneWorld(context);
  later(world, 1);
  for (let number = 0; number < 300; number++) {
    const name = `keys/${number.toString(16).padStart(32, '0')}`;
    await world.store.put(name, utf8('{}'), {}, NO_ABORT);
  }
  assert.ok(await openIdentity(world.store, PASSWORD, undefined, NO_ABORT));
});

test('a check names a key that opens nothing any more, and a revocation that revokes nobody', async (context) => {
  const world = await pruneWorld(context);
  const { writer } = await pushVersion(world, 1);
  const [slot = ''] = await namesBelow(world.store, 'keys/');
  const key = (await world.store.get(slot, undefined, NO_ABORT)) ?? assert.fail();
  await world.store.put(slot, key.bytes.subarray(0, 40), {}, NO_ABORT);
  await world.store.put(`revocations/${writer}`, noise(3, 300), {}, NO_ABORT);
  await world.store.put(`writers/${'0'.repeat(32)}`, noise(4, 1500), {}, NO_ABORT);
  const { problems } = await runCheck(world, 0);
  assert.deepEqual(
    problems.map(({ object }) => object),
    [slot, `writers/${'0'.repeat(32)}`, `revocations/${writer}`],
  );
});

test('what a record explains is deleted only once the record can be read', async (context) => {
  const world = await pruneWorld(context);
  for (const version of [1, 2, 3]) await pushVersion(world, version);
  const store = faultStore(world.store, {
    lose: ({ kind, name }) => kind === 'put' && name.startsWith('forgets/'),
  });
  const before = await namesBelow(world.store, 'snapshots/');
  assert.equal(before.length, 3);
  const refused = await refusalOf(runForget({ ...world, store }, { rules: { last: 1 } }));
  assert.match(refused.message, /was stored and does not read back/);
  assert.deepEqual(await namesBelow(world.store, 'snapshots/'), before);
});

test('a snapshot from a day that has not come yet makes no other one old', async (context) => {
  const world = await pruneWorld(context);
  for (const version of [1, 2]) await pushVersion(world, version);
  world.clock.nowMs += 20_000 * dayMs;
  await pushVersion(world, 3);
  world.clock.nowMs -= 20_000 * dayMs;
  const { plan } = await runForget(world, { rules: { withinMs: 30 * dayMs }, dryRun: true });
  assert.deepEqual(plan.doomed, []);
  assert.equal(plan.kept.length, 3);
});

test('who saw a snapshot misses it where another of its number was put, with a whole chain on top', async (context) => {
  const world = await pruneWorld(context);
  const first = await pushVersion(world, 1);
  const before = await cloneWorld(world);
  const seen = await pushVersion(world, 2);
  // The same machine with the settings of then, which is what a thief has.
  const thief = { ...world.machine, state: { ...world.machine.state } };
  const mark = { sequence: 2, digest: seen.digest, snapshot: seen.id, time: seen.cover.time };
  const marks = { [seen.writer]: mark };
  assert.deepEqual(findRollbacks(await readHistory(world.reader, emit, NO_ABORT), marks), []);
  const own = thief.state.highWater[first.writer];
  assert.ok(own);
  const firstMark = { sequence: 1, digest: first.digest, snapshot: first.id, time: own.time };
  thief.state = { ...thief.state, highWater: { [first.writer]: firstMark } };
  for (const version of [7, 8]) await pushVersion(before, version, thief);
  const shown = await readHistory({ ...before.reader, store: before.store }, emit, NO_ABORT);
  assert.deepEqual(
    shown.snapshots.map(({ cover }) => cover.sequence),
    [1, 2, 3],
  );
  assert.deepEqual(findHoles(shown), []);
  assert.equal(findRollbacks(shown, marks)[0]?.seen.snapshot, seen.id);
});

test('what a stolen machine says of the sizes of packs of others is no damage of theirs', async (context) => {
  const world = await pruneWorld(context);
  const honest = await pushVersion(world, 1);
  const thief = await joinEngine(world, 'thief');
  const reader = await openReader(world.store);
  const packs: ListedPack[] = [];
  for (const [name, bytes] of await allObjects(world.store, 'packs/')) {
    const parsed = parseWriterObjectName(name) ?? assert.fail(name);
    packs.push({ writer: parsed.writer, pack: parsed.id, size: bytes.length + 1 });
  }
  assert.ok(packs.length > 0);
  const list = idFromBytes<ObjectId>(systemRandom(16));
  const { id: writer, subkeys } = writerOf(thief.state);
  const place = { repository: fromHex(thief.state.repository), writer, object: list };
  const header = { kind: 'pack list', ...place } as const;
  const sealed = sealBoxed(subkeys.packList, header, encodePackList(packs), systemRandom);
  await world.store.put(writerObjectName('lists', writer, list), sealed, {}, NO_ABORT);
  const { name, bytes } = snapshotOf({ machine: thief }, 1, '{}', list);
  await world.store.put(name, bytes, {}, NO_ABORT);
  const { problems } = await runCheck({ ...world, reader }, 100);
  assert.deepEqual(
    problems.map(({ object }) => object.split('/').slice(0, 2).join('/')).toSorted(),
    [`lists/${writer}`, `snapshots/${writer}`],
  );
  assert.ok(problems.every(({ snapshots }) => !snapshots.includes(honest.id)));
});

test('nothing is locked for a century because somebody says that it is one later', async (context) => {
  const world = await pruneWorld(context);
  await pushVersion(world, 1);
  const ownMs = world.clock.nowMs;
  const set: number[] = [];
  const store = {
    ...world.store,
    dateMs: () => Promise.resolve(ownMs + 36_500 * dayMs),
    retentions: {
      async *firstVersions() {
        for await (const { name, size } of world.store.list('', NO_ABORT)) {
          yield { name, version: '1', size, replacements: 0, isHidden: false };
        }
      },
      find: () => Promise.resolve(undefined),
      set: (_: unknown, { untilMs }: { untilMs: number }) => {
        set.push(untilMs);
        return Promise.resolve();
      },
    },
  };
  const repository = { ...world.reader, store };
  await extendLocks({ days: 30, ownMs, isDryRun: false }, { repository, emit }, NO_ABORT);
  assert.ok(set.length > 5);
  assert.ok(set.every((untilMs) => untilMs <= ownMs + 31 * dayMs));
});
