/** Trees as they are found in the wild, pushed and restored: what survives, what is named, what stops a push. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { BytePath } from '../../src/base/byte-path.ts';
import { FerryError } from '../../src/base/errors.ts';
import type { PushedSnapshot } from '../../src/push/push.ts';
import {
  engineFolder,
  listAll,
  makeEngine,
  openReader,
  pushTree,
  restoreTo,
  type Engine,
  type PushOptions,
  type RestoreOptions,
} from '../support/engine.ts';
import { makeTree, noise, scanTree, treeDifferences } from '../support/tree.ts';
import { asNobody, NOBODY, nobodyAbsence } from '../support/nobody.ts';

type Scene = Engine & { readonly tree: string };

async function scene(context: TestContext): Promise<Scene> {
  const folder = engineFolder(context);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  return { ...(await makeEngine(folder)), tree };
}

let outs = 0;

async function pushAndRestore(
  at: Scene,
  options: PushOptions = {},
): Promise<{ pushed: PushedSnapshot; out: string }> {
  const pushed = await pushTree(at.store, at.machine, at.tree, options);
  return { pushed, out: await restoreNewest(at) };
}

async function restoreNewest(at: Scene, options: RestoreOptions = {}): Promise<string> {
  const reader = await openReader(at.store);
  const newest = (await listAll(reader)).at(-1);
  assert.ok(newest);
  const out = join(at.folder, `out-${++outs}`);
  const restored = await restoreTo(reader, newest, out, options);
  assert.deepEqual(restored.problems, []);
  return out;
}

test('an empty state dir is a snapshot like any other', async (context) => {
  const at = await scene(context);
  const { pushed, out } = await pushAndRestore(at);
  assert.equal(pushed.files, 0);
  assert.deepEqual(treeDifferences(at.tree, out), []);
});

test('a time that no snapshot can hold becomes the last one that it can, and stops no push', async (context) => {
  const at = await scene(context);
  const last = 2n ** 63n - 1n;
  mkdirSync(join(at.tree, 'folder'));
  symlinkSync('folder', join(at.tree, 'link'));
  for (const name of ['small', 'log.jsonl']) writeFileSync(join(at.tree, name), '{"a":1}\n');
  const names = readdirSync(at.tree);
  const timeOf = (...path: string[]): bigint => lstatSync(join(...path), { bigint: true }).mtimeNs;
  const year = ['-h', '-d', '2400-01-01 UTC'];
  spawnSync('touch', [...year, ...names.map((name) => join(at.tree, name))]);
  for (const name of names) assert.ok(timeOf(at.tree, name) > last, name);
  const { pushed, out } = await pushAndRestore(at);
  assert.deepEqual([pushed.problems, pushed.omissions], [[], []]);
  for (const name of names) {
    const off = last - timeOf(out, name);
    assert.ok(off >= 0n && off < 1_000_000_000n, `${name}: ${off}`);
  }
  assert.equal((await pushTree(at.store, at.machine, at.tree)).bytesNew, 0);
});

test('odd names, links, modes and times survive to the byte and the nanosecond', async (context) => {
  const at = await scene(context);
  const bytes = (text: string): Buffer => Buffer.from(`${at.tree}/${text}`, 'latin1');
  const names = [
    'new\nline',
    'not utf-8 \xff\xfe',
    'e\xcc\x81',
    '\xc3\xa9',
    ' spaced ',
    '-rf',
    '\x01\x7f',
  ];
  for (const name of [...names, 'n'.repeat(255)]) writeFileSync(bytes(name), name);
  mkdirSync(join(at.tree, 'a'));
  writeFileSync(join(at.tree, 'a/b'), 'b');
  // These sort around `a/b`, since a slash comes before every other byte.
  for (const name of ['a b', 'a!', 'a-b', 'a.txt']) writeFileSync(join(at.tree, name), name);
  symlinkSync('a/b', join(at.tree, 'relative'));
  symlinkSync('/etc/hostname', join(at.tree, 'absolute'));
  symlinkSync('loop', join(at.tree, 'loop'));
  linkSync(join(at.tree, 'a/b'), join(at.tree, 'hard'));
  linkSync(join(at.tree, 'a/b'), join(at.tree, 'zz-hard'));
  mkdirSync(join(at.tree, 'setgid'));
  chmodSync(join(at.tree, 'setgid'), 0o2755);
  mkdirSync(join(at.tree, 'sticky'));
  chmodSync(join(at.tree, 'sticky'), 0o1777);
  mkdirSync(join(at.tree, 'read-only'));
  writeFileSync(join(at.tree, 'read-only/x'), 'x', { mode: 0o400 });
  chmodSync(join(at.tree, 'read-only'), 0o500);
  const sparse = openSync(join(at.tree, 'sparse'), 'w');
  writeSync(sparse, Buffer.from('end'), 0, 3, 3 * 1024 * 1024);
  closeSync(sparse);
  spawnSync('touch', ['-h', '-d', '2001-02-03 04:05:06.789012345 UTC', join(at.tree, 'loop')]);
  spawnSync('touch', ['-d', '1969-12-31 23:59:58.000000001 UTC', join(at.tree, 'a.txt')]);

  const { pushed, out } = await pushAndRestore(at);
  assert.deepEqual(pushed.problems, []);
  assert.deepEqual(treeDifferences(at.tree, out), []);
  assert.ok(scanTree(out).size > 20);
  assert.equal(statSync(join(out, 'hard')).nlink, 3);
  const blocks = statSync(join(out, 'sparse')).blocks;
  assert.ok(blocks * 512 < 2 * 1024 * 1024, `${blocks} blocks`);
  // Nothing changed: next to nothing is stored.
  const again = await pushTree(at.store, at.machine, at.tree);
  assert.ok(again.bytesStored < 16 * 1024, `${again.bytesStored} bytes`);
});

test('a root that is not there is a problem of its own; when no root is there, nothing is pushed', async (context) => {
  const at = await scene(context);
  makeTree(at.tree, 1);
  const gone = join(at.folder, 'gone');
  const pushed = await pushTree(at.store, at.machine, at.tree, {
    roots: [{ tree: at.tree }, { tree: gone }],
  });
  assert.deepEqual(pushed.problems, [{ path: 'workspace-1', code: 'root-missing' }]);
  const out = await restoreNewest(at);
  assert.deepEqual(treeDifferences(at.tree, out), []);
  await assert.rejects(
    pushTree(at.store, at.machine, gone),
    (error) => error instanceof FerryError && error.code === 'install-not-found',
  );
  assert.equal((await listAll(await openReader(at.store))).length, 1);
});

test('a root that vanishes during the walk is named, and what was seen is pushed', async (context) => {
  const at = await scene(context);
  makeTree(at.tree, 2);
  const moved = join(at.folder, 'moved');
  // More than a walk may be ahead of what is captured.
  const many = join(at.tree, 'zz-many');
  mkdirSync(many);
  for (let at = 0; at < 8000; at++) writeFileSync(join(many, String(at)), '');
  const isSecret = (path: BytePath): boolean => {
    if (path === 'openclaw.json' && existsSync(at.tree)) renameSync(at.tree, moved);
    return false;
  };
  const pushed = await pushTree(at.store, at.machine, at.tree, {
    roots: [{ tree: at.tree, isSecret }],
  });
  assert.ok(pushed.problems.some(({ code }) => code === 'root-vanished'));
  await restoreNewest(at);
});

test('a file that vanishes after the walk saw it is named, and lives on under its other name', async (context) => {
  const at = await scene(context);
  makeTree(at.tree, 3);
  const victim = join(at.tree, 'victim');
  writeFileSync(victim, 'here');
  linkSync(victim, join(at.tree, 'victim-too'));
  const isSecret = (path: BytePath): boolean => {
    if (path === 'zero' && existsSync(victim)) rmSync(victim);
    return false;
  };
  const { pushed, out } = await pushAndRestore(at, { roots: [{ tree: at.tree, isSecret }] });
  assert.deepEqual(
    pushed.omissions.map(({ path }) => path),
    ['state/victim'],
  );
  // Its content lives on under the other name.
  assert.equal(readFileSync(join(out, 'victim-too'), 'utf8'), 'here');
  // The root itself was changed while it was walked.
  const differences = treeDifferences(at.tree, out).filter((one) => !one.startsWith(': mtimeNs'));
  assert.deepEqual(differences, []);
});

test('what only the owner may read is a problem for somebody else, not the end', async (context) => {
  const absence = nobodyAbsence();
  if (absence !== undefined) return context.skip(absence);
  const at = await scene(context);
  makeTree(at.tree, 4);
  writeFileSync(join(at.tree, 'closed'), 'secret', { mode: 0o000 });
  linkSync(join(at.tree, 'closed'), join(at.tree, 'closed-too'));
  mkdirSync(join(at.tree, 'closed-dir'), { mode: 0o000 });
  writeFileSync(join(at.tree, 'closed-journal'), 'beside what cannot be read');
  const pushed = await asTheirOwner(at, () => pushTree(at.store, at.machine, at.tree));
  assert.deepEqual(pushed.problems.map(({ path, code }) => `${path} ${code}`).toSorted(), [
    'state/closed EACCES',
    'state/closed-dir EACCES',
    'state/closed-too EACCES',
  ]);
  const out = await restoreNewest(at);
  assert.equal(readFileSync(join(out, 'closed-journal'), 'utf8'), 'beside what cannot be read');
  assert.deepEqual(
    treeDifferences(at.tree, out).filter((one) => !one.startsWith('closed')),
    [],
  );
});

/** As another user where we are root, for whom no file is closed; everything there is that user's. */
async function asTheirOwner<T>(at: Scene, work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return await work();
  spawnSync('chown', ['-R', `${NOBODY}`, at.folder]);
  try {
    return await asNobody(work);
  } finally {
    spawnSync('chown', ['-R', '0', at.folder]);
  }
}

test('a transcript that grows meanwhile ends in a whole record', async (context) => {
  const at = await scene(context);
  const transcript = join(at.tree, 'session.jsonl');
  writeFileSync(transcript, '{"n":1}\n{"n":2}\n{"n":3,"half":"wri');
  // However long it takes until the file is read, it was written to a moment ago.
  utimesSync(transcript, new Date(), new Date(Date.now() + 3_600_000));
  const { pushed, out } = await pushAndRestore(at);
  assert.equal(readFileSync(join(out, 'session.jsonl'), 'utf8'), '{"n":1}\n{"n":2}\n');
  assert.match(pushed.omissions[0]?.reason ?? '', /still being written/);
  appendFileSync(transcript, 'tten"}\n');
  const later = await pushAndRestore(at);
  assert.equal(
    readFileSync(join(later.out, 'session.jsonl'), 'utf8'),
    readFileSync(transcript, 'utf8'),
  );
  assert.deepEqual(later.pushed.omissions, []);
});

const IS_WHOLE = [{ integrity_check: 'ok' }];

test('a database with a live writer is one consistent file', async (context) => {
  const at = await scene(context);
  const path = join(at.tree, 'memory.sqlite');
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT)');
  const insert = db.prepare('INSERT INTO notes VALUES (?)');
  for (let row = 0; row < 500; row++) insert.run(noise(row, 200).toString('hex'));
  assert.ok(existsSync(`${path}-wal`));
  const timer = setInterval(() => insert.run('meanwhile'), 1);
  const { pushed, out } = await pushAndRestore(at).finally(() => clearInterval(timer));
  db.close();
  assert.deepEqual(pushed.problems, []);
  assert.deepEqual([...scanTree(out).keys()], ['', 'memory.sqlite']);
  const copy = new DatabaseSync(join(out, 'memory.sqlite'));
  assert.deepEqual(
    copy
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => ({ ...row })),
    IS_WHOLE,
  );
  const [count] = copy.prepare('SELECT count(*) AS n FROM notes').all();
  assert.ok(Number(count?.['n']) >= 500);
  copy.close();
});

test('a database that SQLite cannot open is kept as its files, side by side', async (context) => {
  const at = await scene(context);
  const path = join(at.tree, 'broken.sqlite');
  const db = new DatabaseSync(path);
  db.exec('CREATE TABLE notes (text TEXT)');
  for (let row = 0; row < 100; row++) {
    db.prepare('INSERT INTO notes VALUES (?)').run(noise(row, 300).toString('hex'));
  }
  db.close();
  truncateSync(path, 12_288 + 100);
  writeFileSync(`${path}-wal`, noise(7, 5000));
  const { pushed, out } = await pushAndRestore(at);
  assert.equal(pushed.problems.length, 1, 'it is named');
  for (const name of ['broken.sqlite', 'broken.sqlite-wal']) {
    assert.deepEqual(readFileSync(join(out, name)), readFileSync(join(at.tree, name)), name);
  }
});

test('files that only look like part of a database are kept', async (context) => {
  const at = await scene(context);
  for (const name of ['notes', 'notes-wal', 'notes-journal', 'lone-wal', 'x.db-shm']) {
    writeFileSync(join(at.tree, name), name);
  }
  const { pushed, out } = await pushAndRestore(at);
  assert.deepEqual(pushed.omissions, []);
  assert.deepEqual(treeDifferences(at.tree, out), []);
});

test('a changed mode, a replaced file and a touched one are seen by the next push', async (context) => {
  const at = await scene(context);
  makeTree(at.tree, 5);
  await pushTree(at.store, at.machine, at.tree);
  chmodSync(join(at.tree, 'openclaw.json'), 0o640);
  rmSync(join(at.tree, 'zero'));
  mkdirSync(join(at.tree, 'zero'));
  writeFileSync(join(at.tree, 'agents/main/sessions/s1.jsonl'), '{"other":true}\n');
  const { out } = await pushAndRestore(at);
  assert.deepEqual(treeDifferences(at.tree, out), []);
});

test('a restore over an older one leaves nothing of it where zeros belong', async (context) => {
  const at = await scene(context);
  const path = join(at.tree, 'image');
  const content = Buffer.alloc(4 * 256 * 1024);
  noise(1, 1000).copy(content, 10);
  noise(2, 1000).copy(content, 2 * 256 * 1024);
  writeFileSync(path, content);
  const { out } = await pushAndRestore(at);
  // The same file with a hole where there was something.
  rmSync(path);
  const sparse = openSync(path, 'w');
  writeSync(sparse, content, 0, 1024, 0);
  writeSync(sparse, Buffer.of(1), 0, 1, content.length - 1);
  closeSync(sparse);
  assert.ok(lstatSync(path).blocks * 512 < content.length);
  await pushTree(at.store, at.machine, at.tree);
  const reader = await openReader(at.store);
  const newest = (await listAll(reader)).at(-1);
  assert.ok(newest);
  await restoreTo(reader, newest, out);
  assert.deepEqual(treeDifferences(at.tree, out), []);
});

test('a chosen name of a hard-linked file brings its content along', async (context) => {
  const at = await scene(context);
  makeTree(at.tree, 6);
  linkSync(join(at.tree, 'openclaw.json'), join(at.tree, 'openclaw.json.old'));
  await pushTree(at.store, at.machine, at.tree);
  const out = await restoreNewest(at, { only: (path) => /\.(bak|old)$/.test(path) });
  const names = [...scanTree(out).keys()].filter((name) => name !== '');
  assert.deepEqual(names, ['openclaw.json.bak', 'openclaw.json.old']);
  assert.equal(statSync(join(out, 'openclaw.json.bak')).nlink, 2);
  assert.deepEqual(
    readFileSync(join(out, 'openclaw.json.bak')),
    readFileSync(join(at.tree, 'openclaw.json')),
  );
});
