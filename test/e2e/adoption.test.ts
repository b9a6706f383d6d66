/** What a pull has verified is not uploaded again by the machine that it landed on; what it has not verified is. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { parseRecoveryCode } from '../../src/crypto/recovery-code.ts';
import { check } from '../../src/maintenance/check/check.ts';
import { rememberVerified, type OnVerified } from '../../src/repository/adoption.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { openTicket } from '../../src/repository/granted.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import { installKeys, withLanded, writerOf } from '../../src/repository/machine.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { damageFile, packOf } from '../support/damage.ts';
import {
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
import { landGranted, offerLast } from '../support/land-granted.ts';
import { faultStore, type StoreOperation } from '../support/fault-store.ts';
import {
  assertAllRestore,
  dropSnapshot,
  later,
  namesBelow,
  pruneWorld,
  pushVersion,
  runPrune,
  type PruneWorld,
} from '../support/prune-world.ts';
import { makeTree, noise, treeDifferences } from '../support/tree.ts';

const BULK_BYTES = 3_000_000;
/** Pages, the index with its ids, the pack list and the snapshot. */
const FEW_BYTES = 512 * 1024;

type LandOptions = {
  /** As it is called on this machine. */
  readonly as?: string;
  readonly signal?: AbortSignal;
  readonly afterPack?: () => void;
};

type Moved = {
  readonly engine: Engine;
  readonly tree: string;
  /** The machine that it moves to, joined. */
  readonly bob: Machine;
  /** Where it lies there. */
  readonly landed: string;
};

/** A snapshot of the old machine, restored on another one that has joined. */
async function moved(context: TestContext, options: LandOptions = {}): Promise<Moved> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 5, { bulkBytes: BULK_BYTES, databases: true });
  await pushTree(engine.store, engine.machine, tree);
  const bob = await joinEngine(engine, 'bob');
  const landed = join(folder, 'landed');
  await land(engine, bob, landed, options);
  return { engine, tree, bob, landed };
}

/** As `pull` does it: what was verified into the cache, the key into what the machine remembers. */
async function land(
  engine: Engine,
  machine: Machine,
  stage: string,
  options: LandOptions = {},
): Promise<void> {
  const reader = await readerOf(engine);
  const newest = (await listAll(reader)).at(-1);
  assert.ok(newest);
  const { repository } = machine.state;
  const cache = LocalCache.open(machine.cache, repository, () => undefined);
  try {
    const remember = rememberVerified(cache);
    const onVerified: OnVerified = (...verified) => {
      remember(...verified);
      options.afterPack?.();
    };
    const { signal = NO_ABORT } = options;
    const restoring = restoreTo(reader, newest, stage, { signal, onVerified });
    if (options.signal) return await assert.rejects(restoring, { code: 'interrupted' });
    const { snapshot } = await restoring;
    const { install: source } = newest.cover;
    const { chunkIdKey } = snapshot;
    const install = options.as ?? source;
    machine.state = withLanded(machine.state, { install, source, chunkIdKey });
  } finally {
    cache.close();
  }
}

/** With the recovery code, which takes no stretching. */
const readerOf = ({ store, recoveryCode }: Engine): Promise<ReaderRepository> =>
  openReader(store, { secret: { with: 'recovery code', code: parseRecoveryCode(recoveryCode) } });

async function assertWhole(engine: Engine, tree: string): Promise<void> {
  const reader = await readerOf(engine);
  const newest = (await listAll(reader)).at(-1);
  assert.ok(newest);
  const out = join(engine.folder, `out-${newest.id}`);
  const restored = await restoreTo(reader, newest, out);
  assert.deepEqual(restored.problems, []);
  const differences = treeDifferences(tree, out).filter((one) => !one.startsWith('memory.sqlite'));
  assert.deepEqual(differences, []);
}

/** A pack with much in it. */
async function packOfBulk(engine: Engine): Promise<string> {
  const reader = await readerOf(engine);
  const [first = assert.fail('no snapshot')] = await listAll(reader);
  return await packOf(reader, first, 'state/bulk-000');
}

describe('the first push of the machine that it moved to', () => {
  test('uploads only what changed', async (context) => {
    const { engine, bob, landed } = await moved(context);
    writeFileSync(join(landed, 'new-here.txt'), noise(99, 100_000));
    const pushed = await pushTree(engine.store, bob, landed);
    context.diagnostic(`${pushed.bytes} bytes, ${pushed.bytesStored} stored`);
    assert.ok(pushed.bytesStored < FEW_BYTES, `${pushed.bytesStored}`);
    assert.ok(bob.events.some((event) => event.type === 'notice' && event.code === 'adopted'));
    await assertWhole(engine, landed);
    const again = await pushTree(engine.store, bob, landed);
    assert.ok(again.bytesStored < 16 * 1024, `${again.bytesStored}`);
  });

  test('and so does the next one when the cache is gone: its own index knows', async (context) => {
    const { engine, bob, landed } = await moved(context);
    await pushTree(engine.store, bob, landed);
    rmSync(bob.cache ?? '', { recursive: true });
    const pushed = await pushTree(engine.store, bob, landed);
    assert.ok(pushed.bytesStored < 64 * 1024, `${pushed.bytesStored}`);
    await assertWhole(engine, landed);
  });

  test('without a record it uploads everything, under whatever key', async (context) => {
    const { engine, bob, landed } = await moved(context);
    rmSync(bob.cache ?? '', { recursive: true });
    const pushed = await pushTree(engine.store, bob, landed);
    assert.ok(pushed.bytesStored > BULK_BYTES);
    await assertWhole(engine, landed);
  });
});

describe('what is not adopted', () => {
  test('a chunk that the pull did not verify, whatever the old machine’s directories say', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const tree = join(folder, 'tree');
    makeTree(tree, 6);
    const unseen = noise(123, 400_000);
    writeFileSync(join(tree, 'bulk-a'), unseen);
    writeFileSync(join(tree, 'bulk-b'), noise(124, 400_000));
    await pushTree(engine.store, engine.machine, tree);
    rmSync(join(tree, 'bulk-a'));
    await pushTree(engine.store, engine.machine, tree);
    const bob = await joinEngine(engine, 'bob');
    const landed = join(folder, 'landed');
    await land(engine, bob, landed);
    // The very bytes that the old machine says it has: in the pack that was fetched, and not in the snapshot.
    writeFileSync(join(landed, 'unseen'), unseen);
    const pushed = await pushTree(engine.store, bob, landed);
    assert.ok(pushed.bytesStored > unseen.length, `${pushed.bytesStored}`);
    assert.ok(pushed.bytesStored < unseen.length + FEW_BYTES, `${pushed.bytesStored}`);
    await assertWhole(engine, landed);
  });

  test('anything, for an install that did not land', async (context) => {
    const { engine, bob, landed } = await moved(context);
    const pushed = await pushTree(engine.store, bob, landed, { install: 'resonix' });
    assert.ok(pushed.bytesStored > BULK_BYTES);
    await assertWhole(engine, landed);
  });

  test('packs that are gone, torn or swept since: what was in them is stored anew', async (context) => {
    for (const harm of [remove, truncate]) {
      const { engine, bob, landed } = await moved(context);
      await harm(engine.store, await packOfBulk(engine));
      const pushed = await pushTree(engine.store, bob, landed);
      assert.ok(pushed.bytesStored > 100_000 && pushed.bytesStored < 1_600_000);
      await assertWhole(engine, landed);
    }
  });
});

const remove = (store: ObjectStore, name: string): Promise<unknown> => store.delete(name, NO_ABORT);

async function truncate(store: ObjectStore, name: string): Promise<void> {
  const { bytes = new Uint8Array() } = (await store.get(name, undefined, NO_ABORT)) ?? {};
  await store.put(name, bytes.subarray(0, bytes.length - 1), {}, NO_ABORT);
}

describe('two snapshots on the same packs', () => {
  test('damage in one of them is said of both', async (context) => {
    const { engine, bob, landed } = await moved(context);
    await pushTree(engine.store, bob, landed);
    const reader = await readerOf(engine);
    const [first = assert.fail('no snapshot')] = await listAll(reader);
    const pack = await damageFile(reader, first, 'state/bulk-000');
    const request = { readPercent: 100, nowMs: await engine.store.dateMs(NO_ABORT) };
    const { problems } = await check(reader, request, { emit: () => undefined }, NO_ABORT);
    assert.deepEqual(
      problems.map(({ object, code }) => [object, code]),
      [[pack, 'object-damaged']],
    );
    assert.match(problems[0]?.message ?? '', /2 snapshots/);
  });

  test('those of the old machine may go: the new ones stand by themselves', async (context) => {
    const { engine, bob, landed } = await moved(context);
    await pushTree(engine.store, bob, landed);
    const { writer } = engine.machine.state;
    let gone = 0;
    for (const folder of ['snapshots', 'lists', 'indexes']) {
      for await (const { name } of engine.store.list(`${folder}/${writer.id}/`, NO_ABORT)) {
        await engine.store.delete(name, NO_ABORT);
        gone += 1;
      }
    }
    assert.ok(gone >= 3);
    await assertWhole(engine, landed);
    const reader = await readerOf(engine);
    const request = { readPercent: 100, nowMs: await engine.store.dateMs(NO_ABORT) };
    const checked = await check(reader, request, { emit: () => undefined }, NO_ABORT);
    assert.deepEqual(checked.problems, []);
    assert.ok(checked.read.objects > 1);
  });
});

for (const list of ['there', 'gone'] as const) {
  test(`what only the new machine needs of old packs is never pruned, its list ${list}`, async (context) => {
    const alone = await pruneWorld(context);
    const moving = await pushVersion(alone, 1);
    const bob = await joinEngine(alone, 'bob');
    const world = { ...alone, reader: await readerOf(alone) };
    const landed = join(world.folder, 'landed');
    await land(world, bob, landed);
    await pushTree(world.store, bob, landed);
    const [name = ''] = await namesBelow(world.store, `lists/${bob.state.writer.id}/`);
    if (list === 'gone') await world.store.delete(name, NO_ABORT);
    await dropSnapshot(world, moving);
    const between = await pushVersion(world, 2);
    const unneeded = await packOf(world.reader, between, 'state/version');
    await pushVersion(world, 3);
    await dropSnapshot(world, between);
    for (let run = 0; run < 3; run++) {
      later(world, 30);
      await runPrune(world);
    }
    assert.equal(
      await world.store.stat(unneeded, NO_ABORT),
      undefined,
      'what nobody needs is gone',
    );
    await assertAllRestore(world, 2);
    if (list === 'gone') await assertOnlyListIsMissed(world, name);
    const again = await pushTree(world.store, bob, landed);
    assert.equal(again.bytesNew, 0);
  });
}

async function assertOnlyListIsMissed(world: PruneWorld, name: string): Promise<void> {
  const request = { readPercent: 100, nowMs: await world.store.dateMs(NO_ABORT) };
  const { problems } = await check(world.reader, request, { emit: () => undefined }, NO_ABORT);
  assert.deepEqual(
    problems.map(({ object, code }) => [object, code]),
    [[name, 'object-missing']],
  );
}

describe('interrupted', () => {
  test('a pull that was killed and went on adopts what both runs verified', async (context) => {
    const interrupt = new AbortController();
    let packs = 0;
    const { engine, bob, landed } = await moved(context, {
      signal: interrupt.signal,
      afterPack: () => {
        packs += 1;
        if (packs === 2) interrupt.abort();
      },
    });
    assert.ok(packs >= 2);
    await land(engine, bob, landed);
    const pushed = await pushTree(engine.store, bob, landed);
    assert.ok(pushed.bytesStored < FEW_BYTES, `${pushed.bytesStored}`);
    await assertWhole(engine, landed);
  });

  test('a push that was killed before it committed has lost nothing of it', async (context) => {
    const { engine, bob, landed } = await moved(context);
    const refuse = ({ kind, name }: StoreOperation): Error | undefined =>
      kind === 'put' && name.startsWith('snapshots/') ? new Error('killed') : undefined;
    await assert.rejects(pushTree(faultStore(engine.store, { refuse }), bob, landed), /killed/);
    const pushed = await pushTree(engine.store, bob, landed);
    assert.ok(pushed.bytesStored < 64 * 1024, `${pushed.bytesStored}`);
    await assertWhole(engine, landed);
  });
});

describe('moving on', () => {
  test('to a third machine by ticket, and from there back to the first', async (context) => {
    const { engine, bob, landed } = await moved(context);
    writeFileSync(join(landed, 'by-bob.txt'), noise(7, 300_000));
    await pushTree(engine.store, bob, landed);
    const secret = await offerLast(engine, bob);
    const { grant } = await openTicket(engine.store, secret, NO_ABORT);
    assert.deepEqual(
      new Set(grant.packs.map(({ writer }) => writer)),
      new Set([engine.machine.state.writer.id, bob.state.writer.id]),
    );
    const carol = await joinEngine(engine, 'carol');
    const third = join(engine.folder, 'third');
    await landGranted(engine, carol, grant, third);
    const pushed = await pushTree(engine.store, carol, third);
    assert.ok(pushed.bytesStored < FEW_BYTES, `${pushed.bytesStored}`);
    await assertWhole(engine, third);

    const home = join(engine.folder, 'home-again');
    await land(engine, engine.machine, home);
    assert.deepEqual(engine.machine.state.chunkIdKeys, {});
    const back = await pushTree(engine.store, engine.machine, home);
    assert.ok(back.bytesStored < FEW_BYTES, `${back.bytesStored}`);
    await assertWhole(engine, home);
  });

  test('landed under two names, one of them has ids of its own', async (context) => {
    const { engine, bob, landed } = await moved(context);
    const { chunkIdKeys } = bob.state;
    await land(engine, bob, join(engine.folder, 'twice'), { as: 'openclaw:work' });
    assert.deepEqual(bob.state.chunkIdKeys, chunkIdKeys);
    await pushTree(engine.store, bob, landed, { install: 'openclaw:work' });
    await assertWhole(engine, landed);
  });

  test('pushed before the pull: what was seen then is not mistaken for what is known now', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const tree = join(folder, 'tree');
    makeTree(tree, 8, { bulkBytes: 1_000_000 });
    await pushTree(engine.store, engine.machine, tree);
    const bob = await joinEngine(engine, 'bob');
    const own = join(folder, 'own');
    makeTree(own, 9, { bulkBytes: 1_000_000 });
    await pushTree(engine.store, bob, own);
    const before = bob.state;
    const { chunkIdKeys } = withLanded(bob.state, {
      install: 'openclaw',
      source: 'openclaw',
      chunkIdKey: installKeys(writerOf(engine.machine.state), 'openclaw').chunkId,
    });
    bob.state = { ...bob.state, ...(chunkIdKeys && { chunkIdKeys }) };
    await pushTree(engine.store, bob, own);
    await assertWhole(engine, own);
    // Undone: back under its own key, for which everything is known.
    bob.state = { ...bob.state, chunkIdKeys: before.chunkIdKeys };
    const pushed = await pushTree(engine.store, bob, own);
    assert.ok(pushed.bytesStored < 64 * 1024, `${pushed.bytesStored}`);
    await assertWhole(engine, own);
  });
});
