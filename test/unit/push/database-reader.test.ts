import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { bytePathFromText, showPath, type BytePath } from '../../../src/base/byte-path.ts';
import { statFile } from '../../../src/fs/file-stat.ts';
import type { ToCapture } from '../../../src/push/capturer.ts';
import { DatabaseReader } from '../../../src/push/database-reader.ts';
import { tempDir } from '../fs/temp-dir.ts';

test('a database at rest is read where it lies, without a copy', async (context) => {
  const { path, copies, reader } = scene(context);
  const reads: string[] = [];
  const captured = await reader.capture(toCapture(path), async (from, size) => {
    reads.push(showPath(from));
    assert.deepEqual(readdirSync(copies), []);
    return { size, ids: new Uint8Array() };
  });
  assert.deepEqual(reads, [path]);
  assert.ok(captured.kind === 'read');
  assert.ok(captured.consistent && captured.stable);
  assert.equal(captured.read.size, statSync(path).size);
});

test('one that is written to meanwhile, or cannot be read whole, is read again from a copy', async (context) => {
  for (const what of ['written to', 'not whole']) {
    const { path, copies, reader } = scene(context);
    const reads: string[] = [];
    const captured = await reader.capture(toCapture(path), async (from, size) => {
      reads.push(showPath(from));
      if (from === path && what === 'not whole') return undefined;
      if (from === path) change(path);
      else assert.equal(rowsIn(showPath(from)), what === 'written to' ? 1 : 2);
      return { size, ids: readFileSync(showPath(from)) };
    });
    assert.deepEqual(reads, [path, join(copies, 'database-0')]);
    assert.ok(captured.kind === 'read');
    assert.ok(captured.consistent);
    assert.notDeepEqual(captured.read.ids, new Uint8Array());
    assert.deepEqual(readdirSync(copies), [], 'the copy is gone');
  }
});

type Scene = { readonly path: string; readonly copies: string; readonly reader: DatabaseReader };

function scene(context: TestContext): Scene {
  context.mock.timers.reset();
  // Stamps of now are too fresh to be believed.
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
  const folder = tempDir(context);
  const path = join(folder, 'memory.sqlite');
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE notes (text TEXT)');
  database.exec("INSERT INTO notes VALUES ('one'), ('two')");
  database.close();
  // Where stamps are coarse, whoever writes to it in a moment would leave the same ones.
  utimesSync(path, 1e9, 1e9);
  const copies = join(folder, 'copies');
  mkdirSync(copies, { mode: 0o700 });
  return { path, copies, reader: new DatabaseReader(bytePathFromText(copies)) };
}

function toCapture(path: string): ToCapture {
  const where: BytePath = bytePathFromText(path);
  const expected = statFile(where);
  assert.ok(expected);
  const secret = { asFile: false, asDatabase: false };
  return { path: where, shown: where, group: '', secret, expected, mayBeLedAway: false };
}

function change(path: string): void {
  const database = new DatabaseSync(path);
  database.exec("DELETE FROM notes WHERE text = 'one'");
  database.close();
}

function rowsIn(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const [row] = database.prepare('SELECT count(*) AS n FROM notes').all();
  database.close();
  return Number(row?.['n']);
}
