import assert from 'node:assert/strict';
import { readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import { restingDatabase, type RestingDatabase } from '../../../src/fs/sqlite-resting.ts';
import { tempDir } from './temp-dir.ts';

const LATER_MS = 60_000;
const UPDATE = "UPDATE turns SET body = 'other' WHERE id = 7";

for (const mode of ['wal', 'delete', 'truncate']) {
  test(`a ${mode} database that was closed rests until somebody writes to it`, (context) => {
    const path = madeDatabase(context, mode);
    const before = readdirSync(join(path, '..'));
    const resting = look(path);
    assert.ok(resting);
    assert.equal(resting.set.database.size, statSync(path).size);
    assert.ok(resting.isUntouched());
    assert.deepEqual(readdirSync(join(path, '..')), before, 'nothing is left beside it');
    writeTo(path, UPDATE);
    assert.equal(statSync(path).size, resting.set.database.size, 'in place');
    assert.ok(!resting.isUntouched());
  });
}

test('a database whose writer has only begun does not rest, with a journal or without', (context) => {
  for (const mode of ['delete', 'memory', 'off']) {
    const path = madeDatabase(context, 'delete');
    const writer = new DatabaseSync(path);
    // With so small a cache the change is on the disk before the commit.
    writer.exec(`PRAGMA journal_mode = ${mode}; PRAGMA cache_size = 1; BEGIN EXCLUSIVE; ${UPDATE}`);
    assert.equal(look(path), undefined, mode);
    writer.exec('ROLLBACK');
    writer.close();
    assert.ok(look(path), mode);
  }
});

test('rows in a -wal and a -journal beside it mean that the file alone is not the database', (context) => {
  const path = madeDatabase(context, 'wal');
  const open = new DatabaseSync(path);
  open.exec(UPDATE);
  assert.equal(look(path), undefined);
  open.close();
  assert.ok(look(path));
  writeFileSync(`${path}-journal`, 'hot');
  assert.equal(look(path), undefined);
});

test('one that was written to a moment ago might be again without a sign', (context) => {
  const path = madeDatabase(context, 'delete');
  context.mock.timers.reset();
  context.mock.timers.enable({ apis: ['Date'], now: Math.ceil(statSync(path).ctimeMs) + 3 });
  assert.equal(restingDatabase(bytePathFromText(path)), undefined);
});

test('a file that is no database, is shorter than it says, or not there', (context) => {
  const path = madeDatabase(context, 'delete');
  assert.equal(look(join(path, '../none.db')), undefined);
  truncateSync(path, statSync(path).size - 4096);
  assert.equal(look(path), undefined);
  writeFileSync(path, 'just text');
  assert.equal(look(path), undefined);
});

function madeDatabase(context: TestContext, mode: string): string {
  // Stamps of now are too fresh to be believed.
  context.mock.timers.reset();
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() + LATER_MS });
  const path = join(tempDir(context), 'rest.db');
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = ${mode}; CREATE TABLE turns (id INTEGER, body TEXT)`);
  const insert = database.prepare('INSERT INTO turns VALUES (?, ?)');
  database.exec('BEGIN');
  for (let row = 0; row < 300; row++) insert.run(row, 'x'.repeat(200));
  database.exec('COMMIT');
  database.close();
  // Where stamps are coarse, whoever writes to it in a moment would leave the same ones.
  utimesSync(path, 1e9, 1e9);
  return path;
}

function writeTo(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

const look = (path: string): RestingDatabase | undefined => restingDatabase(bytePathFromText(path));
