import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { asBytePath, bytePathFromText, toFsPath } from '../../../src/base/byte-path.ts';
import { FerryError } from '../../../src/base/errors.ts';
import { createPlacer, isAllZero } from '../../../src/fs/place.ts';
import type { Placer } from '../../../src/fs/place.ts';
import { tempDir } from './temp-dir.ts';
import { nobodyAbsence } from '../../support/nobody.ts';

const p = asBytePath;

test('small files, directories and links, with their modes', (context) => {
  const { stage, placer } = staged(context);
  placer.placeFile(p('a/b/file'), Buffer.from('hello'), { mode: 0o640 });
  placer.placeFile(p('caf\xe9'), Buffer.alloc(0), { mode: 0o4755 });
  placer.placeDirectory(p('dir/sub'));
  placer.placeSymlink(p('dir/link'), p('../nowhere'), undefined);
  placer.placeHardLink(p('dir/twin'), p('a/b/file'));
  placer.finishDirectory(p('dir'), { mode: 0o2750 });
  placer.finishDirectory(p(''), { mode: 0o755 });
  placer.close();
  assert.equal(readFileSync(join(stage, 'a/b/file'), 'utf8'), 'hello');
  assert.equal(modeOf(join(stage, 'a/b/file')), 0o640);
  assert.equal(modeOf(toFsPath(p(`${stage}/caf\xe9`))), 0o755, 'setuid is dropped');
  assert.equal(modeOf(join(stage, 'a')), 0o700);
  assert.equal(modeOf(join(stage, 'dir')), 0o2750);
  assert.equal(modeOf(stage), 0o755);
  assert.equal(readlinkSync(join(stage, 'dir/link')), '../nowhere');
  assert.equal(statSync(join(stage, 'dir/twin')).ino, statSync(join(stage, 'a/b/file')).ino);
});

test('setuid stays when it was asked for', (context) => {
  const { stage } = staged(context);
  const placer = createPlacer({ stage: bytePathFromText(stage), setIdAllowed: true });
  placer.placeFile(p('tool'), Buffer.from('x'), { mode: 0o6755 });
  assert.equal(modeOf(join(stage, 'tool')), 0o6755);
});

test('an owner is given where we may', (context) => {
  if (process.getuid?.() !== 0) {
    context.skip('only root gives files away');
    return;
  }
  const { stage, placer } = staged(context);
  const owner = { uid: 1234, gid: 2345 };
  placer.placeFile(p('file'), Buffer.from('x'), { mode: 0o644, owner });
  placer.placeSymlink(p('link'), p('file'), owner);
  placer.placeDirectory(p('dir'));
  placer.finishDirectory(p('dir'), { mode: 0o3770, owner });
  for (const name of ['file', 'link', 'dir']) {
    const stat = lstatSync(join(stage, name));
    assert.deepEqual([stat.uid, stat.gid], [1234, 2345]);
  }
  assert.equal(modeOf(join(stage, 'dir')), 0o3770);
});

test('chunks in any order, through more files than are kept open, with holes', (context) => {
  const stage = join(tempDir(context), 'stage');
  const placer = createPlacer({
    stage: bytePathFromText(stage),
    setIdAllowed: false,
    openFilesMax: 2,
  });
  const chunkBytes = 64 * 1024;
  const contents = [0, 1, 2, 3].map((file) =>
    Buffer.concat([
      Buffer.alloc(chunkBytes, file + 1),
      Buffer.alloc(chunkBytes * 16),
      Buffer.alloc(100, 7),
      Buffer.alloc(chunkBytes * 4),
    ]),
  );
  for (const file of contents.keys()) placer.beginFile(p(`f${file}`));
  for (let position = chunkBytes * 24; position >= 0; position -= chunkBytes) {
    for (const [file, bytes] of contents.entries()) {
      const chunk = bytes.subarray(position, position + chunkBytes);
      if (chunk.length > 0) placer.writeChunk(p(`f${file}`), position, chunk, true);
    }
  }
  for (const [file, bytes] of contents.entries()) {
    placer.finishFile(p(`f${file}`), bytes.length, { mode: 0o644 });
    assert.deepEqual(readFileSync(join(stage, `f${file}`)), bytes);
    assert.ok(statSync(join(stage, `f${file}`)).blocks * 512 < bytes.length / 2);
    assert.equal(modeOf(join(stage, `f${file}`)), 0o644);
  }
  placer.close();
});

test('what a killed run left is replaced, or read again for its hashes', (context) => {
  const { stage, placer } = staged(context);
  const old = Buffer.from('0123456789');
  placer.placeFile(p('file'), old, { mode: 0o600 });
  const reading = { buffer: new Uint8Array(8), chunkBytes: 4 };
  const seen: [number, string][] = [];
  const onChunk = (position: number, bytes: Uint8Array): void =>
    void seen.push([position, Buffer.from(bytes).toString()]);
  assert.equal(placer.readExisting(p('file'), 100, { ...reading, onChunk }), 10);
  assert.deepEqual(seen, [
    [0, '0123'],
    [4, '4567'],
    [8, '89'],
  ]);
  assert.equal(placer.readExisting(p('file'), 6, { ...reading, onChunk }), 6);
  assert.equal(placer.readExisting(p('none'), 6, { ...reading, onChunk }), 0);
  placer.placeSymlink(p('link'), p('file'), undefined);
  assert.equal(placer.readExisting(p('link'), 6, { ...reading, onChunk }), 0);

  placer.placeFile(p('file'), Buffer.from('new'), { mode: 0o600 });
  placer.placeFile(p('link'), Buffer.from('no link any more'), { mode: 0o600 });
  placer.placeSymlink(p('link'), p('elsewhere'), undefined);
  placer.beginFile(p('file'));
  placer.finishFile(p('file'), 3, { mode: 0o600 });
  assert.deepEqual(readFileSync(join(stage, 'file')), Buffer.alloc(3));
  assert.equal(readlinkSync(join(stage, 'link')), 'elsewhere');
});

test('what an earlier run left is seen, in its directories and beside them', (context) => {
  const { stage, placer } = staged(context);
  assert.equal(placer.isThere(p('a/b/file')), false);
  placer.placeFile(p('a/b/file'), Buffer.from('hello'), { mode: 0o600 });
  placer.close();
  const later = createPlacer({ stage: bytePathFromText(stage), setIdAllowed: false });
  assert.equal(later.isThere(p('a/b/file')), true);
  assert.equal(later.isThere(p('a/b/other')), false);
  assert.equal(later.isThere(p('a/c/file')), false);
  later.close();
});

test('nothing is written outside the stage, whatever the snapshot holds', (context) => {
  const base = tempDir(context);
  const outside = join(base, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'victim'), 'untouched');
  const stage = join(base, 'stage');
  const placer = createPlacer({ stage: bytePathFromText(stage), setIdAllowed: false });
  placer.placeSymlink(p('door'), p('../outside'), undefined);
  placer.placeSymlink(p('victim'), p('../outside/victim'), undefined);
  const bytes = Buffer.from('evil');
  const attempts: [string, (placer: Placer) => void][] = [
    ['file through a link', (at) => at.placeFile(p('door/new'), bytes, { mode: 0o644 })],
    ['file through a link, below', (at) => at.placeFile(p('door/x/y'), bytes, { mode: 0o644 })],
    ['directory through a link', (at) => at.placeDirectory(p('door/dir'))],
    ['directory on a link', (at) => at.finishDirectory(p('door'), { mode: 0o777 })],
    ['begin through a link', (at) => at.beginFile(p('door/victim'))],
    ['chunk through a link', (at) => at.writeChunk(p('door/victim'), 0, bytes, false)],
    ['chunk on a link', (at) => at.writeChunk(p('victim'), 0, bytes, false)],
    ['link through a link', (at) => at.placeSymlink(p('door/l'), p('x'), undefined)],
    ['hard link to a link', (at) => at.placeHardLink(p('h'), p('victim'))],
    ['hard link through a link', (at) => at.placeHardLink(p('h'), p('door/victim'))],
    ['up', (at) => at.placeFile(p('../outside/new'), bytes, { mode: 0o644 })],
    ['up in the middle', (at) => at.placeFile(p('a/../../outside/new'), bytes, { mode: 0o644 })],
    ['absolute', (at) => at.placeFile(p(`${outside}/new`), bytes, { mode: 0o644 })],
    ['NUL', (at) => at.placeFile(p('a\0b'), bytes, { mode: 0o644 })],
    ['too long', (at) => at.placeFile(p('x'.repeat(256)), bytes, { mode: 0o644 })],
    ['empty', (at) => at.placeFile(p(''), bytes, { mode: 0o644 })],
    ['read through a link', (at) => void at.readExisting(p('door/victim'), 4, reading)],
  ];
  const reading = { buffer: new Uint8Array(4), chunkBytes: 4, onChunk: () => assert.fail('read') };
  for (const [what, attempt] of attempts) {
    // A fresh one as well: what was proven before must not matter.
    for (const each of [
      placer,
      createPlacer({ stage: bytePathFromText(stage), setIdAllowed: false }),
    ]) {
      assert.throws(() => attempt(each), isFerryError, what);
    }
  }
  assert.deepEqual(readdirSync(outside), ['victim']);
  assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'untouched');
  assert.equal(existsSync(join(base, 'stage/h')), false);
});

test('a hard link that leads out of the stage is not written to', (context) => {
  const { stage, placer } = staged(context);
  const victim = `${stage}-victim`;
  writeFileSync(victim, 'untouched');
  linkSync(victim, join(stage, 'link'));
  assert.throws(() => placer.writeChunk(p('link'), 0, Buffer.from('evil'), false), isFerryError);
  placer.placeFile(p('link'), Buffer.from('own'), { mode: 0o600 });
  assert.equal(readFileSync(victim, 'utf8'), 'untouched');
});

test('a stage that is a link, and a file in the way of a directory', (context) => {
  const { stage, placer } = staged(context);
  symlinkSync(stage, `${stage}-link`);
  assert.throws(
    () => createPlacer({ stage: bytePathFromText(`${stage}-link`), setIdAllowed: false }),
    (error) => error instanceof FerryError && error.code === 'target-unsafe',
  );
  placer.placeFile(p('a'), Buffer.from('x'), { mode: 0o600 });
  assert.throws(() => placer.placeFile(p('a/b'), Buffer.from('x'), { mode: 0o600 }), isFerryError);
  placer.placeDirectory(p('d'));
  assert.throws(() => placer.placeFile(p('d'), Buffer.from('x'), { mode: 0o600 }), isFerryError);
});

test('a resumed run gets past what it had made read-only, root or not', (context) => {
  const absence = nobodyAbsence();
  if (absence !== undefined) return context.skip(absence);
  const folder = tempDir(context);
  chmodSync(folder, 0o777);
  const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const script = join(import.meta.dirname, 'place-resume.ts');
  const stage = join(folder, 'stage');
  const done = spawnSync(process.execPath, [script, stage], { ...owner, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  chmodSync(join(stage, 'dir'), 0o700);
  assert.equal(readFileSync(join(stage, 'dir/file'), 'utf8'), 'again');
  assert.equal(modeOf(join(stage, 'dir/file')), 0o444);
  assert.equal(modeOf(join(stage, 'dir/small')), 0);
});

test('isAllZero', () => {
  assert.ok(isAllZero(new Uint8Array(0)));
  for (const size of [1, 65_536, 65_537, 262_144, 300_001]) {
    const bytes = new Uint8Array(size);
    assert.ok(isAllZero(bytes));
    for (const at of [0, size >> 1, size - 1]) {
      bytes[at] = 1;
      assert.equal(isAllZero(bytes), false);
      bytes[at] = 0;
    }
  }
});

function staged(context: TestContext): { readonly stage: string; readonly placer: Placer } {
  const stage = join(tempDir(context), 'stage');
  return { stage, placer: createPlacer({ stage: bytePathFromText(stage), setIdAllowed: false }) };
}

const modeOf = (path: string | Buffer): number => lstatSync(path).mode & 0o7777;

const isFerryError = (error: unknown): boolean =>
  error instanceof FerryError && ['target-unsafe', 'file-write'].includes(error.code);
