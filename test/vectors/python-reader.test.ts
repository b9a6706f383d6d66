/**
 * The format through other eyes: reader.py knows FORMAT.md and nothing else, and reads what we wrote. The repository is
 * a fresh one with keys of its own.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  type BigIntStats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { SEALED_HEADER_BYTES } from '../../src/format/header.ts';
import { visitDirectory } from '../../src/format/pack.ts';
import { rememberVerified } from '../../src/repository/adoption.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { joinRepository } from '../../src/repository/create.ts';
import { withLanded, type MachineState } from '../../src/repository/machine.ts';
import { openSnapshot } from '../../src/repository/snapshot-reader.ts';
import { openFolderStore } from '../../src/store/folder-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { PIPELINE } from '../../src/workers/limits.ts';
import {
  allObjects,
  listAll,
  machineIn,
  makeEngine,
  NO_ABORT,
  openReader,
  PASSPHRASE,
  pushTree,
  restoreTo,
} from '../support/engine.ts';
import { later, pruneWorld, runPrune } from '../support/prune-world.ts';
import { nights, runRepack } from '../support/repack-world.ts';
import { ring } from '../support/rings.ts';
import { VECTORS_FOLDER } from './generate.ts';
import { findPythonForReader, type Python } from './python.ts';
import { fixedBytes } from './stream.ts';

const MIB = 1024 * 1024;
const found = await findPythonForReader();
const absent = 'absent' in found ? found.absent : undefined;

ring('python-reader', absent, () => {
  if ('absent' in found) return;
  const python = found;
  const env = { STATEFERRY_PASSPHRASE: PASSPHRASE };
  let made: Made;
  before(async () => {
    made = await makeRepository();
  });
  after(() => rmSync(made.folder, { recursive: true, force: true }));

  test('it reads the good vectors and refuses the bad ones', async () => {
    const answer: unknown = JSON.parse(await python.run('check_vectors.py', [VECTORS_FOLDER]));
    const bad = readdirSync(join(VECTORS_FOLDER, 'bad')).length;
    assert.ok(typeof answer === 'object' && answer !== null && 'refused' in answer);
    assert.equal(answer.refused, bad);
  });

  test('the repository has what the test is about', async () => {
    const layout = await layoutOf(made.store);
    assert.ok(layout.packs > 1, 'the database spans packs');
    assert.ok(layout.sharedSegments > 0, 'small files share a segment');
    assert.ok(layout.lists > 0, 'a file has more chunks than fit its entry');
  });

  test('it lists and verifies everything', async () => {
    const list: unknown = JSON.parse(await python.run('reader.py', [made.repository, 'list'], env));
    assert.ok(Array.isArray(list) && list.length === 2);
    const verified = await python.run('reader.py', [made.repository, 'verify'], env);
    assert.match(verified, /"snapshots": 2/);
  });

  test('it restores the database over several packs, byte for byte', async () => {
    const target = join(made.folder, 'restored.sqlite');
    await restore(python, made, env, 'agents/memory.sqlite', target);
    assert.ok(readFileSync(target).equals(readFileSync(join(made.ours, 'agents/memory.sqlite'))));
    const database = new DatabaseSync(target, { readOnly: true });
    const check = database.prepare('PRAGMA integrity_check').get();
    const rows = database.prepare('SELECT count(*) AS n, sum(length(noise)) AS bytes FROM t').get();
    database.close();
    assert.deepEqual({ ...check }, { integrity_check: 'ok' });
    assert.deepEqual({ ...rows }, { n: ROWS, bytes: ROWS * ROW_BYTES });
  });

  test('it restores one small file that shares its frame, and one secret, byte for byte', async () => {
    for (const path of ['sessions/s3.jsonl', 'credentials/token.json']) {
      const target = join(made.folder, path.replaceAll('/', '-'));
      await restore(python, made, env, path, target);
      assert.ok(readFileSync(target).equals(readFileSync(join(made.tree, path))), path);
    }
  });

  test('it restores the whole root with odd names, links and modes, from the recovery code', async () => {
    const target = join(made.folder, 'whole');
    const code = { STATEFERRY_RECOVERY_CODE: made.recoveryCode.toLowerCase().replaceAll('-', ' ') };
    await restore(python, made, code, '', target);
    assert.deepEqual(describe(target), describe(made.ours));
    // The database is copied while it may be in use, so the snapshot need not have the very bytes of the file.
    const others = (line: string): boolean => !line.startsWith('"agents/memory.sqlite"');
    assert.deepEqual(describe(target).filter(others), describe(made.tree).filter(others));
  });

  test('it reads what was repacked, from the new packs alone', async (context) => {
    const world = await pruneWorld(context);
    await nights(world, 4);
    const { emptied } = await runRepack(world);
    assert.ok(emptied >= 2);
    for (const _ of [1, 2]) {
      await runPrune(world);
      later(world, 15);
    }
    const folder = join(world.folder, 'as files');
    for (const [name, bytes] of await allObjects(world.store, '')) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
    const verified: unknown = JSON.parse(await python.run('reader.py', [folder, 'verify'], env));
    assert.ok(typeof verified === 'object' && verified !== null);
    assert.ok('snapshots' in verified && 'repacks' in verified && 'bytes' in verified);
    assert.deepEqual([verified.snapshots, verified.repacks], [2, 1]);
    assert.ok(Number(verified.bytes) > 1_000_000);
  });

  test('it restores what another machine pushed on packs that it adopted', async () => {
    const { store, folder } = made;
    const bob = machineIn(folder, await joined(store));
    const landed = join(folder, 'landed');
    const cache = LocalCache.open(bob.cache, bob.state.repository, () => undefined);
    const reader = await openReader(store);
    const from = (await listAll(reader)).find(({ id }) => id === made.snapshot);
    assert.ok(from);
    const onVerified = rememberVerified(cache);
    const { snapshot } = await restoreTo(reader, from, landed, { onVerified });
    cache.close();
    const { chunkIdKey } = snapshot;
    bob.state = withLanded(bob.state, { install: 'openclaw', source: 'openclaw', chunkIdKey });
    const pushed = await pushTree(store, bob, landed, { packBytes: PIPELINE.packBytes });
    assert.ok(pushed.bytesStored < pushed.bytes / 10);
    const target = join(folder, 'adopted');
    await restore(python, { ...made, snapshot: pushed.id }, env, '', target);
    assert.deepEqual(describe(target), describe(landed));
  });

  test('it refuses a wrong passphrase and damaged packs', async () => {
    const refused = (change: Readonly<Record<string, string>>, repository = made.repository) =>
      assert.rejects(python.run('reader.py', [repository, 'verify'], change), /refused: /);
    await refused({ STATEFERRY_PASSPHRASE: `${PASSPHRASE}!` });
    const copy = join(made.folder, 'damaged');
    cpSync(made.repository, copy, { recursive: true });
    const packs = readdirSync(join(copy, 'packs'), { recursive: true, encoding: 'utf8' })
      .map((name) => join(copy, 'packs', name))
      .filter((path) => statSync(path).isFile());
    assert.ok(packs.length > 1, 'both snapshots brought a pack');
    for (const pack of packs) {
      const bytes = readFileSync(pack);
      const damaged = Buffer.from(bytes);
      const middle = bytes.length >> 1;
      damaged[middle] = (damaged[middle] ?? 0) ^ 0x10;
      writeFileSync(pack, damaged);
      await refused(env, copy);
      writeFileSync(pack, bytes);
      truncateSync(pack, bytes.length - 1);
      await refused(env, copy);
      writeFileSync(pack, bytes);
    }
  });
});

async function joined(store: ObjectStore): Promise<MachineState> {
  const { id, identity } = await openReader(store);
  return joinRepository(store, id, identity, 'bob', systemRandom, NO_ABORT);
}

const ROWS = 320;
const ROW_BYTES = 64 * 1024;

type Made = {
  readonly folder: string;
  readonly repository: string;
  readonly tree: string;
  /** The same root, restored by our own code. */
  readonly ours: string;
  readonly store: ObjectStore;
  readonly recoveryCode: string;
  readonly snapshot: string;
};

/** Two snapshots of a tree; the second is the one that is restored. */
async function makeRepository(): Promise<Made> {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-python-'));
  const [repository, tree, ours] = ['repository', 'tree', 'ours'].map((name) => join(folder, name));
  assert.ok(repository && tree && ours);
  for (const path of [repository, tree, ours]) mkdirSync(path);
  makeTree(tree);
  const store = await openFolderStore(repository, {});
  const { machine, recoveryCode } = await makeEngine(folder, store);
  const packBytes = PIPELINE.packBytes;
  const first = await pushTree(store, machine, tree, { packBytes });
  writeFileSync(join(tree, 'sessions/s3.jsonl'), '{"changed":true}\n');
  const second = await pushTree(store, machine, tree, { packBytes });
  assert.deepEqual([first.problems, second.problems], [[], []]);
  const reader = await openReader(store);
  const newest = (await listAll(reader)).find((one) => one.cover.sequence === 2);
  assert.ok(newest);
  await restoreTo(reader, newest, ours);
  return { folder, repository, tree, ours, store, recoveryCode, snapshot: newest.id };
}

function makeTree(tree: string): void {
  for (const folder of ['agents', 'credentials', 'sessions', 'empty']) {
    mkdirSync(join(tree, folder), { mode: 0o750 });
  }
  const database = new DatabaseSync(join(tree, 'agents/memory.sqlite'));
  database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, noise BLOB)');
  const insert = database.prepare('INSERT INTO t (noise) VALUES (?)');
  database.exec('BEGIN');
  for (let row = 0; row < ROWS; row++) insert.run(fixedBytes(`row ${row}`, ROW_BYTES));
  database.exec('COMMIT');
  database.close();
  for (let number = 0; number < 20; number++) {
    const record = JSON.stringify({ number, text: `line ${number} `.repeat(number * 9) });
    writeFileSync(join(tree, `sessions/s${number}.jsonl`), `${record}\n`);
  }
  writeFileSync(join(tree, 'credentials/token.json'), '{"token":"only a test"}\n', { mode: 0o600 });
  writeFileSync(join(tree, 'credentials/long.json'), fixedBytes('secret', 300_000), {
    mode: 0o600,
  });
  writeFileSync(join(tree, 'large.bin'), fixedBytes('large', 700_001));
  writeFileSync(join(tree, 'sparse.img'), 'front');
  truncateSync(join(tree, 'sparse.img'), 20 * MIB);
  writeFileSync(join(tree, 'nothing'), '');
  // Sorts before and after the directory `sessions` in different orders, depending on what `/` counts as.
  for (const name of ['sessions.txt', 'sessions-old', 'sessions!'])
    writeFileSync(join(tree, name), name);
  for (const name of ODD_NAMES) writeFileSync(Buffer.from(join(tree, name), 'latin1'), name);
  symlinkSync('../sessions/s1.jsonl', join(tree, 'agents/latest'));
  symlinkSync(Buffer.from('/nowhere/\xff', 'latin1'), join(tree, 'dangling'));
  linkSync(join(tree, 'large.bin'), join(tree, 'zz-same'));
  chmodSync(join(tree, 'nothing'), 0o400);
  chmodSync(join(tree, 'empty'), 0o700);
}

/** One character per byte: UTF-8, Latin-1, control characters, a backslash, a blank at the end. */
const ODD_NAMES = [
  'caf\xc3\xa9',
  'caf\xe9',
  'new\nline',
  'back\\slash',
  '\x1b[31m',
  ' blank ',
  '\xff\xfe',
];

async function restore(
  python: Python,
  made: Made,
  env: Readonly<Record<string, string>>,
  path: string,
  target: string,
): Promise<void> {
  const args = [made.repository, 'restore', made.snapshot, 'state', path, target];
  await python.run('reader.py', args, env);
}

/** Every path below a folder with mode, number of names, time, and content or target; names are bytes. */
function describe(folder: string): string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    const at = Buffer.from(path === '' ? folder : `${folder}/${path}`, 'latin1');
    const stat = lstatSync(at, { bigint: true });
    const isLink = stat.isSymbolicLink();
    // Nobody sets the mode of a link, and the number of names of a directory is its file system's.
    const mode = isLink ? '' : (stat.mode & 0o7777n).toString(8);
    const names = stat.isFile() ? `${stat.nlink} ${stat.mtimeNs}` : '';
    lines.push(`${JSON.stringify(path)} ${mode} ${names} ${contentOf(at, stat)}`);
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(at, 'latin1').toSorted()) {
      visit(path === '' ? name : `${path}/${name}`);
    }
  };
  visit('');
  return lines;
}

function contentOf(at: Buffer, stat: BigIntStats): string {
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return `-> ${JSON.stringify(readlinkSync(at, 'latin1'))}`;
  return createHash('sha256').update(readFileSync(at)).digest('hex');
}

type Layout = { packs: number; sharedSegments: number; lists: number };

/** What lies how in the packs of the newest snapshot. */
async function layoutOf(store: ObjectStore): Promise<Layout> {
  const reader = await openReader(store);
  const newest = (await listAll(reader)).find((one) => one.cover.sequence === 2);
  assert.ok(newest);
  const snapshot = await openSnapshot(reader, newest, () => undefined, NO_ABORT);
  const layout = { packs: snapshot.packs.length, sharedSegments: 0, lists: 0 };
  for (const pack of snapshot.packs) {
    let inSegment = 0;
    visitDirectory(pack.directory, SEALED_HEADER_BYTES, 'directory', {
      segment: () => {
        inSegment = 0;
      },
      chunk: () => {
        inSegment += 1;
        if (inSegment === 2) layout.sharedSegments += 1;
      },
    });
  }
  const root = snapshot.body.roots[0];
  assert.ok(root);
  for await (const entry of snapshot.entries(root)) {
    if (entry.type === 'file' && entry.depth > 0) layout.lists += 1;
  }
  return layout;
}
