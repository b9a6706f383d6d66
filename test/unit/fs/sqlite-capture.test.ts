import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { asBytePath, bytePathFromText, toFsPath } from '../../../src/base/byte-path.ts';
import { captureSqlite } from '../../../src/fs/sqlite-capture.ts';
import type { SqliteCapture } from '../../../src/fs/sqlite-capture.ts';
import { setFor } from '../../../src/fs/sqlite-file.ts';
import { tempDir } from './temp-dir.ts';

for (const mode of ['wal', 'delete', 'truncate', 'persist']) {
  test(`a database in ${mode} mode under a busy writer is captured whole, again and again`, async (context) => {
    const { source, out } = folders(context);
    const writer = await startWriter(context, join(source, 'live.db'), mode);
    let rowsBefore = 0;
    for (let round = 0; round < 12; round++) {
      const capture = captured(await capture1(source, 'live.db', join(out, `${round}.db`)));
      assert.equal(capture.way, 'backup');
      assert.equal(capture.problem, undefined);
      const rows = checkedRows(join(out, `${round}.db`));
      assert.ok(rows > 0 && rows % 20 === 0, `${rows} rows: half a transaction`);
      assert.ok(rows >= rowsBefore, `rows went back from ${rowsBefore} to ${rows}`);
      assert.equal(statSync(join(out, `${round}.db`)).mode & 0o777, 0o600);
      rowsBefore = rows;
    }
    await writer.stop();
    assert.deepEqual(
      readdirSync(out).filter((name) => !/^\d+\.db$/.test(name)),
      [],
    );
    const last = captured(await capture1(source, 'live.db', join(out, 'last.db')));
    assert.ok(checkedRows(join(out, 'last.db')) >= rowsBefore);
    assert.equal(last.problem, undefined);
  });
}

for (const mode of ['wal', 'delete']) {
  test(`a ${mode} database at rest stays as it is, with nothing left beside it`, async (context) => {
    const { source, out } = folders(context);
    makeDatabase(join(source, 'rest.db'), mode);
    const before = fingerprint(source);
    const capture = captured(await capture1(source, 'rest.db', join(out, 'copy.db')));
    assert.equal(capture.way, mode === 'wal' ? 'immutable' : 'backup');
    assert.deepEqual(fingerprint(source), before);
    assert.equal(checkedRows(join(out, 'copy.db')), 300);
    assert.deepEqual(readdirSync(out), ['copy.db']);
  });
}

test('rows that are only in the -wal are captured, and the source keeps its -wal', async (context) => {
  const { source, out } = folders(context);
  for (const leftover of ['with -shm', 'without -shm']) {
    const name = leftover === 'with -shm' ? 'a.db' : 'b.db';
    leaveWal(join(source, name));
    if (leftover === 'without -shm') rmSync(join(source, `${name}-shm`));
    const before = fingerprint(source);
    const capture = captured(await capture1(source, name, join(out, name)));
    assert.equal(capture.way, leftover === 'with -shm' ? 'backup' : 'settled-copy');
    assert.equal(checkedRows(join(out, name)), 320);
    assert.deepEqual(withoutShm(fingerprint(source)), withoutShm(before));
    assert.deepEqual(readdirSync(source).toSorted(), Object.keys(before).toSorted());
    assert.deepEqual(
      readdirSync(out).filter((each) => each.startsWith(`${name}-`)),
      [],
    );
  }
});

test('a journal left by a crash is rolled back in the copy only', async (context) => {
  const { source, out } = folders(context);
  leaveHotJournal(source);
  const before = fingerprint(source);
  const capture = captured(await capture1(source, 'hot.db', join(out, 'hot.db')));
  assert.equal(capture.way, 'settled-copy');
  assert.equal(capture.problem, undefined);
  assert.equal(checkedRows(join(out, 'hot.db')), 300);
  assert.deepEqual(fingerprint(source), before);
});

test('a lock that is never given up means a copy of the files', async (context) => {
  const { source, out } = folders(context);
  makeDatabase(join(source, 'locked.db'), 'delete');
  const holder = new DatabaseSync(join(source, 'locked.db'));
  context.after(() => holder.close());
  holder.exec('PRAGMA locking_mode=exclusive; BEGIN EXCLUSIVE; DELETE FROM turns');
  const target = join(out, 'locked.db');
  const capture = captured(
    await captureSqlite(bytePathFromText(join(source, 'locked.db')), bytePathFromText(target), {
      lockWaitMs: 10,
    }),
  );
  assert.equal(capture.way, 'settled-copy');
  assert.equal(checkedRows(target), 300);
});

test('a damaged database is kept byte for byte and named', async (context) => {
  const { source, out } = folders(context);
  const bytes = Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(9000, 0x59)]);
  writeFileSync(join(source, 'bad.db'), bytes);
  writeFileSync(join(source, 'bad.db-wal'), 'whatever');
  const capture = captured(await capture1(source, 'bad.db', join(out, 'bad.db')));
  assert.equal(capture.way, 'raw-copy');
  assert.equal(capture.problem?.code, 'sqlite-damaged');
  assert.deepEqual(
    capture.parts.map((part) => part.suffix),
    ['', '-wal'],
  );
  assert.deepEqual(readFileSync(join(out, 'bad.db')), bytes);
  assert.equal(readFileSync(join(out, 'bad.db-wal'), 'utf8'), 'whatever');
});

test('names that are not UTF-8 or look like a URI', async (context) => {
  const { source, out } = folders(context);
  makeDatabase(join(source, 'plain.db'), 'wal');
  for (const name of ['caf\xe9.db', 'a?mode=rw#x%41.db', 'new\nline.db']) {
    const path = asBytePath(`${source}/${name}`);
    copyFileSync(join(source, 'plain.db'), toFsPath(path));
    const capture = captured(await captureSqlite(path, bytePathFromText(join(out, 'odd.db'))));
    assert.equal(capture.way, 'immutable');
    assert.equal(checkedRows(join(out, 'odd.db')), 300);
  }
  assert.equal(readdirSync(source).length, 4);
});

test('what is no database, and what is not there', async (context) => {
  const { source, out } = folders(context);
  writeFileSync(join(source, 'text.db'), 'just text');
  assert.equal((await capture1(source, 'text.db', join(out, 'x'))).kind, 'not-sqlite');
  assert.equal((await capture1(source, 'gone.db', join(out, 'x'))).kind, 'vanished');
  assert.deepEqual(readdirSync(out), []);
});

test('setFor names the files beside a database', () => {
  assert.deepEqual(setFor(asBytePath('a/b.sqlite')), [
    'a/b.sqlite-journal',
    'a/b.sqlite-shm',
    'a/b.sqlite-wal',
  ]);
});

type Folders = { readonly source: string; readonly out: string };

function folders(context: TestContext): Folders {
  const base = tempDir(context);
  const both = { source: join(base, 'source'), out: join(base, 'out') };
  mkdirSync(both.source);
  mkdirSync(both.out, { mode: 0o700 });
  return both;
}

const capture1 = (folder: string, name: string, target: string): Promise<SqliteCapture> =>
  captureSqlite(bytePathFromText(join(folder, name)), bytePathFromText(target));

function captured(capture: SqliteCapture): Extract<SqliteCapture, { kind: 'captured' }> {
  assert.equal(capture.kind, 'captured', JSON.stringify(capture, bigintText));
  assert.ok(capture.kind === 'captured');
  return capture;
}

const bigintText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;

function checkedRows(path: string): number {
  const database = new DatabaseSync(path);
  try {
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    return Number(database.prepare('SELECT count(*) AS n FROM turns').get()?.['n']);
  } finally {
    database.close();
  }
}

function makeDatabase(path: string, mode: string): void {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode=${mode}; CREATE TABLE turns (id INTEGER PRIMARY KEY, body)`);
  insertRows(database, 300);
  database.close();
}

function insertRows(database: DatabaseSync, count: number): void {
  const insert = database.prepare('INSERT INTO turns (body) VALUES (?)');
  database.exec('BEGIN');
  for (let row = 0; row < count; row++) insert.run('y'.repeat(200));
  database.exec('COMMIT');
}

/** Copies a live set aside and puts it back once closed, as a killed process would have left it. */
function leaveWal(path: string): void {
  makeDatabase(path, 'wal');
  const database = new DatabaseSync(path);
  insertRows(database, 20);
  const files = ['', '-wal', '-shm'];
  for (const suffix of files) copyFileSync(path + suffix, `${path}${suffix}.kept`);
  database.close();
  for (const suffix of files) renameSync(`${path}${suffix}.kept`, path + suffix);
}

function leaveHotJournal(folder: string): void {
  const path = join(folder, 'hot.db');
  makeDatabase(path, 'delete');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA cache_size=1; BEGIN; UPDATE turns SET body = body || body');
  for (const suffix of ['', '-journal']) copyFileSync(path + suffix, `${path}${suffix}.kept`);
  database.exec('ROLLBACK');
  database.close();
  for (const suffix of ['', '-journal']) renameSync(`${path}${suffix}.kept`, path + suffix);
}

function fingerprint(folder: string): Record<string, string> {
  const entries = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    const stat = statSync(path, { bigint: true });
    return [name, `${stat.mtimeNs} ${readFileSync(path).toString('base64')}`] as const;
  });
  assert.ok(entries.length > 0);
  return Object.fromEntries(entries);
}

const withoutShm = (files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith('-shm')));

async function startWriter(
  context: TestContext,
  path: string,
  mode: string,
): Promise<{ stop: () => Promise<void> }> {
  const script = join(import.meta.dirname, 'sqlite-writer.ts');
  const child = spawn(process.execPath, [script, path, mode], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  context.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return {
    stop: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
