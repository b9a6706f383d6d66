/** The local cache may be lost, foreign or damaged at any moment: that costs time and never content. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import {
  engineFolder,
  listAll,
  makeEngine,
  openReader,
  pushTree,
  restoreTo,
  type Engine,
} from '../../support/engine.ts';
import { makeTree, noise, treeDifferences } from '../../support/tree.ts';

type Scene = Engine & { readonly tree: string; readonly cacheFile: string };

async function pushedScene(context: TestContext): Promise<Scene> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 71, { bulkBytes: 800_000, databases: true });
  await pushTree(engine.store, engine.machine, tree);
  const cache = engine.machine.cache ?? '';
  const [name = ''] = readdirSync(cache).filter((file) => file.endsWith('.sqlite'));
  return { ...engine, tree, cacheFile: join(cache, name) };
}

/** The next push is whole, and stores little: the indexes know what the cache forgot. */
async function assertGoesOn(at: Scene): Promise<void> {
  const pushed = await pushTree(at.store, at.machine, at.tree);
  assert.ok(pushed.bytesStored < 64 * 1024, `${pushed.bytesStored} bytes were stored again`);
  await assertWhole(at);
}

async function assertWhole(at: Scene): Promise<void> {
  const reader = await openReader(at.store);
  const newest = (await listAll(reader)).at(-1);
  assert.ok(newest);
  const out = join(at.folder, 'out');
  rmSync(out, { recursive: true, force: true });
  const restored = await restoreTo(reader, newest, out);
  assert.deepEqual(restored.problems, []);
  // A database is a copy made by SQLite, which counts its writes in the header.
  const differences = treeDifferences(at.tree, out).filter(
    (one) => !one.startsWith('memory.sqlite'),
  );
  assert.deepEqual(differences, []);
}

function spoil(at: Scene, sql: string, ...values: (string | Uint8Array)[]): void {
  const db = new DatabaseSync(at.cacheFile);
  assert.ok(Number(db.prepare(sql).run(...values).changes) > 0, 'something was spoilt');
  db.close();
}

test('deleted', async (context) => {
  const at = await pushedScene(context);
  rmSync(at.machine.cache ?? '', { recursive: true });
  await assertGoesOn(at);
});

test('no database at all', async (context) => {
  const at = await pushedScene(context);
  for (const suffix of ['-wal', '-shm']) rmSync(at.cacheFile + suffix, { force: true });
  writeFileSync(at.cacheFile, noise(1, 20_000));
  await assertGoesOn(at);
});

test('of another version', async (context) => {
  const at = await pushedScene(context);
  const db = new DatabaseSync(at.cacheFile);
  db.exec('PRAGMA user_version = 999');
  db.close();
  await assertGoesOn(at);
});

for (const [what, bytes] of [
  ['cut short', noise(2, 7)],
  ['noise', noise(3, 3000)],
  ['empty', new Uint8Array()],
] as const) {
  test(`rows of directories ${what}: the files are read again`, async (context) => {
    const at = await pushedScene(context);
    spoil(at, 'UPDATE directories SET entries = ?', bytes);
    await assertGoesOn(at);
  });

  test(`rows of packs ${what}: what they named is pushed again`, async (context) => {
    const at = await pushedScene(context);
    spoil(at, 'UPDATE packs SET directory = ?', bytes);
    await pushTree(at.store, at.machine, at.tree);
    await assertWhole(at);
  });
}

test('a pack list that it remembers wrongly is not used', async (context) => {
  const at = await pushedScene(context);
  spoil(at, "UPDATE objects SET bytes = ? WHERE name LIKE 'pack list of %'", noise(4, 500));
  await assertGoesOn(at);
});
