import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asBytePath, bytePathFromText, joinBytes, toFsPath } from '../../../src/base/byte-path.ts';
import type { BytePath } from '../../../src/base/byte-path.ts';
import { diskSpace } from '../../../src/fs/disk-space.ts';
import { renameDurable, syncTree, writeFileDurable } from '../../../src/fs/sync.ts';
import type { SystemTools } from '../../../src/fs/system-tools.ts';
import { setTimes } from '../../../src/fs/times.ts';
import type { TimesWay } from '../../../src/fs/times.ts';
import { runProcess } from '../../../src/process/run.ts';
import { tempDir } from './temp-dir.ts';

/** Tools of this system, without those named. */
const toolsWithout = (...missing: string[]): SystemTools => ({
  signal: new AbortController().signal,
  run: (command, args, options) =>
    runProcess(missing.includes(command) ? '/nonexistent/tool' : command, args, options),
});

const WAYS: readonly [TimesWay, SystemTools][] =
  process.platform === 'linux'
    ? [
        ['perl', toolsWithout()],
        ['python', toolsWithout('perl')],
        ['node', toolsWithout('perl', 'python3')],
      ]
    : [['node', toolsWithout()]];

for (const [way, tools] of WAYS) {
  test(`times are set by ${way}, links themselves included, failures named`, async (context) => {
    const root = bytePathFromText(tempDir(context));
    const names = ['file', 'caf\xe9 \n x', 'link', 'dangling', 'dir'];
    for (const name of names.slice(0, 2)) writeFileSync(full(root, name), '');
    symlinkSync('file', full(root, 'link'));
    symlinkSync('nowhere', full(root, 'dangling'));
    mkdirSync(full(root, 'dir'));
    const records = names.map((name, at) => ({
      path: joinBytes(root, asBytePath(name)),
      mtimeNs:
        [1_714_979_289_123_456_789n, -1_500_000_001n, 0n, 4_102_444_800_000_000_001n, 1n][at] ?? 0n,
    }));
    const gone = { path: joinBytes(root, asBytePath('gone')), mtimeNs: 5n };
    const report = await setTimes([...records.slice(0, 2), gone, ...records.slice(2)], tools);
    if (report.way !== way) {
      context.skip(`this system has no ${way}; ${report.way} was used`);
      return;
    }
    assert.deepEqual(report, { way, recordsSet: 5, failed: [{ path: gone.path, code: 'ENOENT' }] });
    for (const { path, mtimeNs } of records) {
      const found = lstatSync(toFsPath(path), { bigint: true }).mtimeNs;
      const off = found > mtimeNs ? found - mtimeNs : mtimeNs - found;
      // Without a tool: a double of seconds, and milliseconds before 1970.
      assert.ok(
        off <= (way === 'node' ? (mtimeNs < 0n ? 1_000_000n : 1_000n) : 0n),
        `${path}: ${found}`,
      );
    }
  });
}

test('what failed is named whichever batch it was in', async (context) => {
  const root = bytePathFromText(tempDir(context));
  writeFileSync(full(root, 'file'), '');
  const file = { path: joinBytes(root, asBytePath('file')), mtimeNs: 1_714_979_289_123_456_789n };
  const gone = { path: joinBytes(root, asBytePath('gone')), mtimeNs: 5n };
  const records = Array.from({ length: 17_000 }, (_, at) => (at === 12_345 ? gone : file));
  const { recordsSet, failed } = await setTimes(records, toolsWithout());
  assert.equal(recordsSet, 16_999);
  assert.deepEqual(failed, [{ path: gone.path, code: 'ENOENT' }]);
});

test('no records, no work', async () => {
  const report = await setTimes([], toolsWithout('perl', 'python3'));
  assert.equal(report.recordsSet, 0);
});

test('a tree is synced with and without the tool', async (context) => {
  const root = tempDir(context);
  mkdirSync(join(root, 'dir'));
  writeFileSync(join(root, 'dir/file'), 'x');
  symlinkSync('nowhere', join(root, 'link'));
  assert.equal(await syncTree(bytePathFromText(root), toolsWithout('sync')), 'fsync');
  const way = await syncTree(bytePathFromText(root), toolsWithout());
  assert.ok(way === 'syncfs' || process.platform !== 'linux');
});

test('a file is written whole or not at all, 0600', (context) => {
  const root = tempDir(context);
  const path = bytePathFromText(join(root, 'settings.json'));
  writeFileDurable(path, 'one');
  writeFileDurable(path, Buffer.from('two'));
  assert.equal(readFileSync(toFsPath(path), 'utf8'), 'two');
  assert.equal(lstatSync(toFsPath(path)).mode & 0o777, 0o600);
  mkdirSync(join(root, 'folder/inside'), { recursive: true });
  assert.throws(() => writeFileDurable(bytePathFromText(join(root, 'folder')), 'x'));
  assert.deepEqual(readdirSync(root).toSorted(), ['folder', 'settings.json']);
});

test('a durable rename moves between directories', (context) => {
  const root = tempDir(context);
  mkdirSync(join(root, 'to'));
  writeFileSync(join(root, 'from'), 'x');
  renameDurable(bytePathFromText(join(root, 'from')), bytePathFromText(join(root, 'to/there')));
  assert.ok(existsSync(join(root, 'to/there')) && !existsSync(join(root, 'from')));
});

test('disk space of what is there and of what will be', (context) => {
  const root = tempDir(context);
  const there = diskSpace(bytePathFromText(root));
  assert.ok(there.totalBytes > 0 && there.freeBytes <= there.totalBytes);
  assert.equal(diskSpace(bytePathFromText(join(root, 'not/yet'))).totalBytes, there.totalBytes);
});

const full = (root: BytePath, name: string): string | Buffer =>
  toFsPath(joinBytes(root, asBytePath(name)));
