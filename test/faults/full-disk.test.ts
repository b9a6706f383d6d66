/** A disk that fills up while a database is copied, in the cache, in the stage and in the folder of the repository. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, beforeEach, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { FerryError } from '../../src/base/errors.ts';
import { mirror } from '../../src/maintenance/mirror/mirror.ts';
import { runProcess } from '../../src/process/run.ts';
import { planInto, pullInto, type PulledInto } from '../../src/pull/into.ts';
import { openSnapshot } from '../../src/repository/snapshot-reader.ts';
import { openFolderStore } from '../../src/store/folder-store.ts';
import {
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  restoreTo,
  type Engine,
} from '../support/engine.ts';
import { ring } from '../support/rings.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { makeTree, noise, treeDifferences } from '../support/tree.ts';

const base = mkdtempSync(join(tmpdir(), 'stateferry-full-disk-'));
const small = mountSmallDisk(join(base, 'disk'), 'size=512k');
const disk = small.path;
const tree = join(base, 'tree');
after(() => {
  small.unmount();
  rmSync(base, { recursive: true, force: true });
});

ring('small-disk', small.absent, () => {
  let engine: Engine;
  beforeEach(async () => {
    for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
    rmSync(tree, { recursive: true, force: true });
    makeTree(tree, 51, { bulkBytes: 900_000 });
    engine = await makeEngine(mkdtempSync(join(base, 'engine-')));
  });

  test('while a database is copied: the push ends with the name of the folder and leaves nothing there', async () => {
    const db = new DatabaseSync(join(tree, 'big.sqlite'));
    // Its -wal lies there as long as it is open: a database at rest is not copied.
    db.exec('PRAGMA journal_mode = WAL; CREATE TABLE notes (bytes BLOB)');
    for (let row = 0; row < 20; row++) {
      db.prepare('INSERT INTO notes VALUES (?)').run(noise(row, 50_000));
    }
    const { store, machine } = engine;
    await rejectsFull(pushTree(store, machine, tree, { scratch: disk }), disk);
    assert.deepEqual(readdirSync(disk), []);
    const pushed = await pushTree(store, machine, tree);
    db.close();
    assert.deepEqual(pushed.problems, []);
  });

  // At once, and after some rows: SQLite alone takes 40 KiB.
  for (const roomBytes of [40 * 1024, 72 * 1024]) {
    test(`in the cache with ${roomBytes} bytes: said once, and the push is whole all the same`, () =>
      pushWithCacheOf(roomBytes));
  }

  async function pushWithCacheOf(roomBytes: number): Promise<void> {
    for (let number = 0; number < 200; number++) {
      writeFileSync(join(tree, `file-${number}`), noise(number, 6000));
    }
    fillBut(roomBytes);
    const machine = { ...engine.machine, cache: join(disk, 'cache') };
    const pushed = await pushTree(engine.store, machine, tree);
    assert.deepEqual(pushed.problems, []);
    const off = machine.events.filter(
      (event) => event.type === 'notice' && event.code === 'cache-off',
    );
    assert.equal(off.length, 1);
    const again = await pushTree(engine.store, machine, tree);
    assert.ok(again.bytesStored < 32 * 1024, 'the indexes know what the cache does not');
    await assertRestores(join(base, `out-cache-${roomBytes}`));
  }

  test('in the stage: the pull ends with the name of the folder, and goes on when there is room', async () => {
    await pushTree(engine.store, engine.machine, tree);
    const reader = await openReader(engine.store);
    const [newest] = await listAll(reader);
    assert.ok(newest);
    const stage = join(disk, 'stage');
    await rejectsFull(restoreTo(reader, newest, stage), stage);
    small.remount('size=8m');
    const restored = await restoreTo(reader, newest, stage);
    assert.deepEqual(restored.problems, []);
    assert.deepEqual(treeDifferences(tree, stage), []);
    rmSync(stage, { recursive: true });
    small.remount('size=512k');
  });

  test('a restore that cannot fit is refused before it writes, unless only a part is wanted', async () => {
    await pushTree(engine.store, engine.machine, tree);
    const reader = await openReader(engine.store);
    const [newest] = await listAll(reader);
    assert.ok(newest);
    const { signal } = new AbortController();
    const emit = (): void => undefined;
    const snapshot = await openSnapshot(reader, newest, emit, signal);
    const tools = { run: runProcess, signal };
    const deps = { repository: reader, clock: systemClock, emit, tools };
    const pulling = async (only: readonly string[]): Promise<PulledInto> => {
      const plan = await planInto({ snapshot, directory: disk, only }, signal);
      return await pullInto(plan, undefined, deps, signal);
    };
    await rejectsFull(pulling([]), disk);
    assert.deepEqual(readdirSync(disk), []);
    const part = await pulling(['*/openclaw.json']);
    assert.deepEqual([part.problems, part.files > 0], [[], true]);
  });

  test('in the repository itself: nothing is committed, and the next push is whole', async () => {
    const place = join(disk, 'repository');
    mkdirSync(place);
    const store = await openFolderStore(place, {});
    const there = await makeEngine(mkdtempSync(join(base, 'engine-')), store);
    await assert.rejects(
      pushTree(store, there.machine, tree),
      (error) => error instanceof FerryError && error.code === 'no-space',
    );
    assert.deepEqual(await listAll(await openReader(store)), []);
    small.remount('size=8m');
    await pushTree(store, there.machine, tree);
    engine = there;
    await assertRestores(join(base, 'out-repository'));
    rmSync(place, { recursive: true });
    small.remount('size=512k');
  });

  test('in the copy of a mirror: no snapshot is there before its packs, and the next run completes it', async () => {
    await pushTree(engine.store, engine.machine, tree);
    const place = join(disk, 'mirror');
    mkdirSync(place);
    const to = await openFolderStore(place, {});
    const deps = { emit: (): void => undefined };
    const run = (): ReturnType<typeof mirror> =>
      mirror(
        {
          from: engine.store,
          to,
          root: undefined,
          compareAll: false,
          marks: {},
          keepForgotten: false,
        },
        deps,
        NO_ABORT,
      );
    await rejectsFull(run(), place);
    assert.deepEqual(await listAll(await openReader(to)), []);
    small.remount('size=8m');
    assert.deepEqual((await run()).snapshots, { before: 0, after: 1 });
    await assertRestores(join(base, 'out-mirror'), to);
    rmSync(place, { recursive: true });
    small.remount('size=512k');
  });

  async function assertRestores(out: string, store = engine.store): Promise<void> {
    const reader = await openReader(store);
    const newest = (await listAll(reader)).at(-1);
    assert.ok(newest);
    const restored = await restoreTo(reader, newest, out);
    assert.deepEqual(restored.problems, []);
    assert.deepEqual(treeDifferences(tree, out), []);
  }
});

function fillBut(bytes: number): void {
  writeFileSync(join(disk, 'ballast'), noise(0, 512 * 1024 - bytes));
}

async function rejectsFull(work: Promise<unknown>, where: string): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof FerryError, String(error));
    assert.equal(error.code, 'no-space', error.message);
    assert.ok(error.message.includes(where), error.message);
    return true;
  });
}
