import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { archiveOf, extractRaw, member, paxMember, readFileTar, readRaw } from './raw-tar.ts';

const has = (tool: string): false | string =>
  spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0
    ? false
    : `there is no ${tool} here`;

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-read-tar-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function pack(tool: string, folder: string, ...args: readonly string[]): string {
  const file = `${folder}/archive`;
  const ran = spawnSync(tool, ['-C', folder, '-cf', file, ...args], { encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
  return file;
}

describe('archives of other tars', () => {
  for (const format of ['v7', 'ustar', 'gnu', 'pax']) {
    test(`GNU tar, --format=${format}`, { skip: has('tar') }, async (context) => {
      const folder = folderFor(context);
      const deep = `tree/${'directory/'.repeat(8)}`;
      mkdirSync(`${folder}/${deep}`, { recursive: true });
      writeFileSync(`${folder}/${deep}file`, 'content');
      linkSync(`${folder}/${deep}file`, `${folder}/tree/hard`);
      symlinkSync('directory', `${folder}/tree/soft`);
      const read = await readFileTar(pack('tar', folder, `--format=${format}`, 'tree'));
      const types = new Map(read.map(({ entry }) => [entry.path as string, entry.type]));
      assert.equal(types.get('tree'), 'dir');
      assert.equal(types.get('tree/soft'), 'symlink');
      assert.equal(types.size, 12);
      const file = read.find(({ entry }) => entry.type === 'file');
      assert.equal(file?.content.toString(), 'content');
      assert.equal(read.filter(({ entry }) => entry.type === 'hardlink').length, 1);
    });
  }

  const sparseTools = [
    ['tar', '--format=pax', '--sparse', '--sparse-version=1.0'],
    ['bsdtar', '--format=pax'],
  ] as const;
  for (const [tool, ...args] of sparseTools) {
    test(`${tool}: a file with holes`, { skip: has(tool) }, async (context) => {
      const folder = folderFor(context);
      writeFileSync(`${folder}/holes`, 'begin');
      truncateSync(`${folder}/holes`, 9_000_000);
      writeFileSync(`${folder}/holes`, 'end', { flag: 'a' });
      truncateSync(`${folder}/holes`, 12_000_000);
      const read = await readFileTar(pack(tool, folder, ...args, 'holes'));
      const [first] = read;
      assert.equal(first?.entry.path, 'holes');
      const expected = Buffer.alloc(12_000_000);
      expected.write('begin');
      expected.write('end', 9_000_000);
      assert.ok(first?.content.equals(expected));
    });
  }

  test('bsdtar, with names that are no text', { skip: has('bsdtar') }, async (context) => {
    const folder = folderFor(context);
    writeFileSync(Buffer.from(`${folder}/caf\xe9`, 'latin1'), '1');
    writeFileSync(`${folder}/näme`, '2');
    const read = await readFileTar(
      pack('bsdtar', folder, '--format=pax', '--exclude', 'archive', '.'),
    );
    const names = read.map(({ entry }) => entry.path as string).toSorted();
    assert.deepEqual(names, ['', 'caf\xe9', 'n\xc3\xa4me']);
  });
});

describe('details', () => {
  test('zstd', async () => {
    const read = await readRaw(zstdCompressSync(archiveOf(member({ name: 'a' }))));
    assert.deepEqual(
      read.map(({ entry }) => entry.path),
      ['a'],
    );
  });

  test('what means nothing in a name is dropped; the top is the empty path', async () => {
    const names = ['./', './a//b', 'c/./d', 'e/', './f/'];
    const read = await readRaw(archiveOf(...names.map((name) => member({ name }))));
    assert.deepEqual(
      read.map(({ entry }) => entry.path),
      ['', 'a/b', 'c/d', 'e', 'f'],
    );
  });

  test('global pax records count until they are replaced', async () => {
    const record = paxMember({ uname: 'mara', mtime: '5.5' });
    record[156] = 0x67;
    record.fill(' ', 148, 156);
    const sum = record.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    record.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const own = paxMember({ mtime: '-1.25' });
    const read = await readRaw(
      archiveOf(record, member({ name: 'a' }), own, member({ name: 'b' })),
    );
    assert.deepEqual(
      read.map(({ entry }) => [entry.path, entry.owner, entry.mtimeNs]),
      [
        ['a', 'mara', 5_500_000_000n],
        ['b', 'mara', -1_250_000_000n],
      ],
    );
  });

  test('a volume label is no file', async () => {
    const read = await readRaw(
      archiveOf(member({ name: 'my backup', type: 'V' }), member({ name: 'a' })),
    );
    assert.deepEqual(
      read.map(({ entry }) => entry.path),
      ['a'],
    );
  });

  test('attributes that macOS packs as files are left out, and files of such a name are not', async (context) => {
    const double = Buffer.concat([Buffer.from('0005160700020000', 'hex'), Buffer.alloc(100)]);
    const bytes = archiveOf(
      member({ name: '._a', content: double }),
      member({ name: 'b/._c', content: double }),
      member({ name: '._own', content: Buffer.from('text') }),
      member({ name: 'plain', content: double }),
    );
    const extracted = await extractRaw(bytes, `${folderFor(context)}/stage`);
    assert.equal(extracted.files, 2);
    assert.deepEqual(
      extracted.omissions.map(({ path }) => path),
      ['._a', 'b/._c'],
    );
  });

  test('a later archive of the same name wins', async (context) => {
    const stage = `${folderFor(context)}/stage`;
    await extractRaw(archiveOf(member({ name: 'd/a', content: Buffer.from('old') })), stage);
    await extractRaw(archiveOf(member({ name: 'd/a', content: Buffer.from('new') })), stage);
    const read = spawnSync('cat', [`${stage}/d/a`], { encoding: 'utf8' });
    assert.equal(read.stdout, 'new');
  });
});
