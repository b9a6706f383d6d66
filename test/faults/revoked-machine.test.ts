/** A revoked machine: what it stores afterwards counts nowhere, whatever it or the bucket does about it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { concatBytes, fromHex } from '../../src/base/bytes.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { parseRecoveryCode } from '../../src/crypto/recovery-code.ts';
import { sign } from '../../src/crypto/signature.ts';
import type { WriterId } from '../../src/format/names.ts';
import { encodeRevocation, type CountedSnapshot } from '../../src/format/revocation.ts';
import { revokeMachine } from '../../src/maintenance/machines.ts';
import { mirror } from '../../src/maintenance/mirror/mirror.ts';
import type { Secret } from '../../src/repository/key-slots.ts';
import { pinnedHalves, writerOf, type MachineState } from '../../src/repository/machine.ts';
import { markOf, type Revocation } from '../../src/repository/revocations.ts';
import type { OpenedCover } from '../../src/repository/snapshots.ts';
import { readUsedObjects } from '../../src/repository/used-objects.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import {
  allObjects,
  cloneStore,
  engineFolder,
  joinEngine,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  refusalOf,
  type Engine,
  type Machine,
} from '../support/engine.ts';
import { forger } from '../support/engine-forge.ts';
import { faultStore, WorldStopped } from '../support/fault-store.ts';
import { makeTree } from '../support/tree.ts';

type Scene = Engine & { readonly stolen: Machine; readonly tree: string };

/** Two machines; the one that will be revoked has two snapshots, the other one. */
async function makeScene(context: TestContext): Promise<Scene> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const stolen = await joinEngine(engine, 'stolen-vps');
  const tree = join(folder, 'tree');
  makeTree(tree, 31, { bulkBytes: 200_000 });
  await pushTree(engine.store, engine.machine, tree);
  await pushTree(engine.store, stolen, tree);
  writeFileSync(join(tree, 'later'), 'a second snapshot');
  await pushTree(engine.store, stolen, tree);
  return { ...engine, stolen, tree };
}

const idOf = (machine: Machine): WriterId => writerOf(machine.state).id;

async function revoke(store: ObjectStore, machine: Machine, secret?: Secret): Promise<Revocation> {
  const reader = await openReader(store, secret && { secret });
  const own = (await listAll(reader)).filter(({ writer }) => writer === idOf(machine));
  const counted = own.map(({ digest, cover }) => ({ digest, sequence: cover.sequence }));
  return revokeMachine(reader, idOf(machine), counted, NO_ABORT);
}

type Seen = { readonly own: readonly OpenedCover[]; readonly events: readonly FerryEvent[] };

/** What a reader sees of the stolen machine; with what its settings remember, if it has any. */
async function seen({ store, stolen }: Scene, pinned?: MachineState): Promise<Seen> {
  const events: FerryEvent[] = [];
  const reader = await openReader(store, { events, ...(pinned && { pinned }) });
  const listed = await listAll(reader, events);
  return { own: listed.filter(({ writer }) => writer === idOf(stolen)), events };
}

const codesOf = (events: readonly FerryEvent[]): string[] =>
  events.flatMap((event) => ('code' in event ? [event.code] : []));

test('it cannot push any more, and what it pushed before counts on', async (context) => {
  const scene = await makeScene(context);
  const before = await seen(scene);
  const revocation = await revoke(scene.store, scene.stolen);
  assert.deepEqual(revocation.last, { sequence: 2, digest: before.own[1]?.digest });
  const refusal = await refusalOf(pushTree(scene.store, scene.stolen, scene.tree));
  assert.deepEqual([refusal.code, refusal.exit], ['machine-revoked', 25]);
  const after = await seen(scene);
  assert.deepEqual(after.own, before.own);
  assert.deepEqual(after.events, []);
  // The others do not notice.
  await pushTree(scene.store, scene.machine, scene.tree);
});

test('what it stores by other means is left aside, and that is said once', async (context) => {
  const scene = await makeScene(context);
  const before = await seen(scene);
  await revoke(scene.store, scene.stolen);
  // Its next numbers, one that stands already, and one before all: none of them counts.
  for (const sequence of [3, 4, 2, 1]) {
    const forge = forger(scene.store, scene.stolen, sequence);
    await forge.commit(forge.chunk(2, new Uint8Array(8)));
  }
  const after = await seen(scene);
  assert.deepEqual(after.own, before.own);
  assert.deepEqual(codesOf(after.events), ['revoked-aside']);
  assert.match(JSON.stringify(after.events), /4 snapshots/);
});

test('a record that the bucket hides stays in force where it was seen', async (context) => {
  const scene = await makeScene(context);
  const before = await seen(scene);
  const revocation = await revoke(scene.store, scene.stolen);
  const forge = forger(scene.store, scene.stolen, 3);
  await forge.commit(forge.chunk(2, new Uint8Array(8)));
  await scene.store.delete(`revocations/${idOf(scene.stolen)}`, NO_ABORT);
  const revoked = { [idOf(scene.stolen)]: markOf(revocation) };
  const remembering = await seen(scene, { ...scene.machine.state, revoked });
  assert.deepEqual(remembering.own, before.own);
  assert.deepEqual(codesOf(remembering.events), ['history-rolled-back', 'revoked-aside']);
  // Who has never seen it cannot know: the threat model says so.
  assert.equal((await seen(scene)).own.length, 3);
  scene.stolen.state = { ...scene.stolen.state, revoked };
  const refusal = await refusalOf(pushTree(scene.store, scene.stolen, scene.tree));
  assert.equal(refusal.code, 'machine-revoked');
});

test('a record that a writer signed revokes nobody, and does not stand in the way of a real one', async (context) => {
  const scene = await makeScene(context);
  const { store, stolen, machine, tree } = scene;
  const { repository } = machine.state;
  const name = `revocations/${idOf(machine)}`;
  const signed = encodeRevocation(fromHex(repository), idOf(machine), { timeMs: 0, snapshots: [] });
  const { secretKey } = writerOf(stolen.state).signing;
  await store.put(name, concatBytes(signed, sign('revocation', signed, secretKey)), {}, NO_ABORT);

  machine.events.length = 0;
  await pushTree(store, machine, tree);
  assert.ok(codesOf(machine.events).includes('revocation-ignored'));
  const events: FerryEvent[] = [];
  const listed = await listAll(await openReader(store, { events }), events);
  assert.equal(listed.filter(({ writer }) => writer === idOf(machine)).length, 2);
  assert.deepEqual(
    events.map((event) => (event.type === 'problem' ? `${event.code} ${event.path}` : event.type)),
    [`object-foreign ${name}`],
  );

  await revoke(store, machine);
  const refusal = await refusalOf(pushTree(store, machine, tree));
  assert.equal(refusal.code, 'machine-revoked');
});

test('a mirror leaves aside what it stored later, and knows a revocation that its source has lost', async (context) => {
  const scene = await makeScene(context);
  const { store, stolen } = scene;
  const to = openMemoryStore();
  const { root } = pinnedHalves(scene.machine.state);
  const run = () =>
    mirror(
      { from: store, to, root, compareAll: false, marks: {}, keepForgotten: false },
      { emit: () => undefined },
      NO_ABORT,
    );
  await revoke(store, stolen);
  const forge = forger(store, stolen, 3);
  const later = await forge.commit(forge.chunk(2, new Uint8Array(8)));
  const first = await run();
  assert.deepEqual([first.problems, first.leftAside, first.snapshots.after], [[], 1, 3]);
  assert.ok(!(await allObjects(to)).has(`snapshots/${idOf(stolen)}/${later}`));

  const record = `revocations/${idOf(stolen)}`;
  await store.delete(record, NO_ABORT);
  const second = await run();
  assert.deepEqual(
    second.problems.map(({ object, code }) => [object, code]),
    [[record, 'object-missing']],
  );
  assert.deepEqual([second.leftAside, second.snapshots.after], [1, 3]);
});

test('what it stored later keeps nothing from being pruned, and stops no prune', async (context) => {
  const scene = await makeScene(context);
  const { store, stolen } = scene;
  await revoke(store, stolen);
  const before = new Set((await allObjects(store, 'packs/')).keys());
  const forge = forger(store, stolen, 3);
  await forge.commit(forge.chunk(2, new Uint8Array(8)));
  const later = [...(await allObjects(store, 'packs/')).keys()].filter((name) => !before.has(name));
  assert.equal(later.length, 1);
  const lists = await allObjects(store, 'lists/');
  const sizes = new Map([...lists].map(([name, { length }]) => [name, length]));
  const view = { sizes, announced: new Set<string>() };
  const reader = await openReader(store);
  const found = await readUsedObjects(reader, view, () => undefined, NO_ABORT);
  assert.deepEqual([found.snapshots.length, found.unreadable], [3, []]);
  for (const name of before) assert.ok(found.used.has(name), name);
  for (const name of later) assert.ok(!found.used.has(name), name);
});

test('stopped at any operation of a revocation, the next run does it, and it is stored once', async (context) => {
  const scene = await makeScene(context);
  const name = `revocations/${idOf(scene.stolen)}`;
  const recorded = faultStore(await cloneStore(scene.store));
  // Without stretching a passphrase each time.
  const secret = { with: 'recovery code', code: parseRecoveryCode(scene.recoveryCode) } as const;
  await revoke(recorded, scene.stolen, secret);
  const { length } = recorded.operations;
  assert.ok(length > 8);
  let halfway = 0;
  for (let stopAt = 1; stopAt <= length; stopAt++) {
    for (const stop of ['before', 'after'] as const) {
      const store = await cloneStore(scene.store);
      const faulty = faultStore(store, { stopAt, stop });
      await assert.rejects(revoke(faulty, scene.stolen, secret), WorldStopped);
      const left = await store.get(name, undefined, NO_ABORT);
      halfway += left ? 1 : 0;
      const counted: CountedSnapshot[] = [];
      const done = await revoke(store, scene.stolen, secret);
      assert.equal(done.digests?.size, 2, `${stop} ${stopAt}`);
      // Once more, as if by somebody who saw less: what stands there stays.
      const again = await revokeMachine(
        await openReader(store, { secret }),
        idOf(scene.stolen),
        counted,
        NO_ABORT,
      );
      assert.deepEqual(again, done);
      const stored = await store.get(name, undefined, NO_ABORT);
      if (left) assert.deepEqual(stored?.bytes, left.bytes, `${stop} ${stopAt}`);
    }
  }
  assert.ok(halfway > 0);
});
