import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { asBytePath, bytePathFromText, toFsPath } from '../../../src/base/byte-path.ts';
import type { BytePath } from '../../../src/base/byte-path.ts';
import { walkTree } from '../../../src/fs/walk.ts';
import type { WalkEntry, WalkItem } from '../../../src/fs/walk.ts';
import { tempDir } from './temp-dir.ts';
import { nobodyAbsence } from '../../support/nobody.ts';

test('children come directly after their directory, in byte order', (context) => {
  const root = tempDir(context);
  for (const folder of ['a', 'a-b', 'B']) mkdirSync(join(root, folder));
  for (const file of ['a/x', 'a/-', 'a-b/y', 'a.txt', 'B/z', 'b', 'aa']) {
    writeFileSync(join(root, file), '');
  }
  assert.deepEqual(
    walked(root).map((item) => item.path),
    ['', 'B', 'B/z', 'a', 'a/-', 'a/x', 'a-b', 'a-b/y', 'a.txt', 'aa', 'b'],
  );
});

test('odd names survive as bytes', (context) => {
  const root = tempDir(context);
  const names = [
    'caf\xe9',
    'new\nline',
    'caf\xc3\xa9',
    'cafe\xcc\x81',
    'x'.repeat(255),
    ' ',
    '\xff\x01',
  ];
  for (const name of names) writeFileSync(toFsPath(asBytePath(`${root}/${name}`)), name, 'latin1');
  const paths = entries(walked(root)).map((entry) => entry.path);
  assert.deepEqual(paths, ['', ...names.toSorted()]);
});

test('links are reported and never followed', (context) => {
  const root = tempDir(context);
  mkdirSync(join(root, 'dir'));
  writeFileSync(join(root, 'dir/file'), 'x');
  symlinkSync('dir', join(root, 'to-dir'));
  symlinkSync('/nowhere/caf\u00e9', join(root, 'dangling'));
  symlinkSync('loop', join(root, 'loop'));
  linkSync(join(root, 'dir/file'), join(root, 'twin'));
  const found = byPath(walked(root));
  assert.deepEqual(
    ['to-dir', 'dangling', 'loop'].map((path) => found.get(path)?.linkTarget),
    ['dir', '/nowhere/caf\xc3\xa9', 'loop'],
  );
  assert.equal(found.has('to-dir/file'), false);
  assert.equal(found.get('twin')?.nlink, 2);
  assert.equal(found.get('twin')?.ino, found.get('dir/file')?.ino);
});

test('modes, times to the nanosecond, sizes and holes', (context) => {
  const root = tempDir(context);
  const file = join(root, 'file');
  writeFileSync(file, 'hello');
  chmodSync(file, 0o4751);
  mkdirSync(join(root, 'dir'));
  chmodSync(join(root, 'dir'), 0o3770);
  const touched = spawnSync('touch', ['-d', '2024-05-06 07:08:09.123456789 UTC', file]);
  assert.equal(touched.status, 0);
  const older = spawnSync('touch', ['-d', '1969-12-31 23:59:57.500000001 UTC', join(root, 'dir')]);
  assert.equal(older.status, 0);
  writeFileSync(join(root, 'sparse'), '');
  truncateSync(join(root, 'sparse'), 10_000_000);
  const found = byPath(walked(root));
  assert.equal(found.get('file')?.mtimeNs, 1_714_979_289_123_456_789n);
  assert.equal(found.get('file')?.mode, 0o4751);
  assert.equal(found.get('file')?.size, 5);
  assert.equal(found.get('dir')?.mode, 0o3770);
  assert.equal(found.get('dir')?.mtimeNs, -2_499_999_999n);
  assert.deepEqual([found.get('sparse')?.sparse, found.get('file')?.sparse], [true, false]);
});

test('sockets and pipes are omissions with a reason', async (context) => {
  const root = tempDir(context);
  const server = createServer().listen(join(root, 'socket'));
  await once(server, 'listening');
  context.after(() => server.close());
  assert.equal(spawnSync('mkfifo', [join(root, 'pipe')]).status, 0);
  const omitted = walked(root).filter((item) => item.kind === 'omission');
  assert.deepEqual(
    omitted.map((item) => [item.path, item.reason]),
    [
      ['pipe', 'named pipe'],
      ['socket', 'socket'],
    ],
  );
});

test('a rule leaves out a directory with all below it', (context) => {
  const root = tempDir(context);
  mkdirSync(join(root, 'cache/deep'), { recursive: true });
  writeFileSync(join(root, 'keep'), '');
  const items = [
    ...walkTree(bytePathFromText(root), {
      omit: (path) => (path === 'cache' ? 'cache' : undefined),
    }),
  ];
  assert.deepEqual(
    items.map((item) => [item.kind, item.path]),
    [
      ['entry', ''],
      ['omission', 'cache'],
      ['entry', 'keep'],
    ],
  );
});

test('what vanishes after the listing is an omission', (context) => {
  const root = tempDir(context);
  for (const name of ['a', 'b', 'c']) writeFileSync(join(root, name), '');
  const items: WalkItem[] = [];
  for (const item of walkTree(bytePathFromText(root))) {
    items.push(item);
    if (item.path === 'a') rmSync(join(root, 'b'));
  }
  assert.deepEqual(
    items.map((item) => [item.kind, item.path]),
    [
      ['entry', ''],
      ['entry', 'a'],
      ['omission', 'b'],
      ['entry', 'c'],
    ],
  );
});

test('a root that vanishes during the walk is one problem, not a thousand omissions', (context) => {
  for (const how of ['removed', 'replaced']) {
    const root = join(tempDir(context), 'root');
    mkdirSync(root);
    for (let file = 0; file < 20; file++) writeFileSync(join(root, `f${file}`), '');
    const items: WalkItem[] = [];
    for (const item of walkTree(bytePathFromText(root))) {
      items.push(item);
      if (items.length === 3) renameSync(root, `${root}-gone`);
      if (items.length === 3 && how === 'replaced') mkdirSync(root);
    }
    const last = items.at(-1);
    assert.equal(items.length, 4);
    assert.ok(last?.kind === 'problem' && last.code === 'root-vanished' && last.path === '');
  }
});

test('a root that is not there, or a link, is a problem', (context) => {
  const root = tempDir(context);
  symlinkSync('.', join(root, 'link'));
  const codes = ['missing', 'link'].map((name) => {
    const items = walked(join(root, name));
    assert.equal(items.length, 1);
    return items[0]?.kind === 'problem' ? items[0].code : '';
  });
  assert.deepEqual(codes, ['root-missing', 'root-is-link']);
});

test('a root may be one file', (context) => {
  const root = tempDir(context);
  writeFileSync(join(root, 'one'), 'x');
  assert.deepEqual(
    entries(walked(join(root, 'one'))).map((entry) => [entry.path, entry.type]),
    [['', 'file']],
  );
});

test('a directory that cannot be listed is an entry and a problem', (context) => {
  const absence = nobodyAbsence();
  if (absence !== undefined) return context.skip(absence);
  const root = tempDir(context);
  mkdirSync(join(root, 'locked/inside'), { recursive: true });
  chmodSync(join(root, 'locked'), 0);
  try {
    assert.equal(walkAsOrdinaryUser(root), 'entry  \nentry locked \nproblem locked EACCES\n');
  } finally {
    chmodSync(join(root, 'locked'), 0o700);
  }
});

test('the files beside a database are part of it; the same names beside anything else are not', (context) => {
  const root = tempDir(context);
  const database = new DatabaseSync(join(root, 'real.db'));
  context.after(() => database.close());
  database.exec('PRAGMA journal_mode=wal; CREATE TABLE t (x); INSERT INTO t VALUES (1)');
  for (const name of ['notes', 'notes-wal', 'orphan-journal']) writeFileSync(join(root, name), 'x');
  mkdirSync(join(root, 'real.db-journal'));
  const items = [...walkTree(bytePathFromText(root), { sqliteSets: true })];
  assert.deepEqual(
    items.filter((item) => item.kind === 'omission'),
    ['real.db-shm', 'real.db-wal'].map((path) => ({
      kind: 'omission',
      path,
      reason: 'part of the database real.db',
    })),
  );
  assert.equal(entries(items).length, 6);
});

/** Root may list everything, so root lets nobody do it. */
function walkAsOrdinaryUser(root: string): string {
  chmodSync(root, 0o755);
  const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const script = join(import.meta.dirname, 'walk-print.ts');
  const done = spawnSync(process.execPath, [script, root], { ...owner, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

const walked = (root: string): WalkItem[] => [...walkTree(bytePathFromText(root))];

const entries = (items: readonly WalkItem[]): WalkEntry[] =>
  items.filter((item) => item.kind === 'entry');

const byPath = (items: readonly WalkItem[]): Map<string, WalkEntry> =>
  new Map<BytePath, WalkEntry>(entries(items).map((entry) => [entry.path, entry]));
