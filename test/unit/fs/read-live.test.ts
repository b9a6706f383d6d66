import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import { statFile } from '../../../src/fs/file-stat.ts';
import { readLive, READS_MAX } from '../../../src/fs/read-live.ts';
import type { ReadLiveOptions, ReadLiveResult } from '../../../src/fs/read-live.ts';
import { tempDir } from './temp-dir.ts';

const CHUNK_BYTES = 1024;
const BUFFER_BYTES = 4 * CHUNK_BYTES;

for (const size of [0, 1, 1023, 1024, 1025, 4095, 4096, 4097, 10_000, 12_288]) {
  test(`${size} bytes come in whole chunks, with and without what the walk saw`, (context) => {
    const path = join(tempDir(context), 'file');
    writeFileSync(path, pattern(size));
    makeOld(path);
    for (const expected of [undefined, statFile(bytePathFromText(path))]) {
      const { result, bytes, sizes } = read(path, expected ? { expected } : {});
      assert.deepEqual(bytes, pattern(size));
      assert.ok(sizes.every((each, at) => each === CHUNK_BYTES || at === sizes.length - 1));
      assert.equal(sizes.length, Math.ceil(size / CHUNK_BYTES));
      assert.ok(result.kind === 'read' && result.bytesRead === size && result.stat.size === size);
    }
  });
}

test('growing while it is read: the length at the start counts', (context) => {
  const path = join(tempDir(context), 'huge.log');
  const start = pattern(5 * 1024 * 1024);
  writeFileSync(path, start);
  const { result, bytes, restarts } = read(path, {}, (at) => {
    if (at === 2) appendFileSync(path, 'more');
  });
  assert.equal(restarts, 0);
  assert.deepEqual(bytes, start);
  assert.ok(result.kind === 'read' && !result.stable);
});

test('rewritten in place while it is read: read again', (context) => {
  const path = join(tempDir(context), 'file');
  writeFileSync(path, Buffer.alloc(9_000, 0x61));
  // Where stamps are coarse, who writes in the same moment would leave the same ones.
  makeOld(path);
  let touched = false;
  const { result, bytes, restarts } = read(path, {}, (at) => {
    if (at !== 1 || touched) return;
    touched = true;
    writeFileSync(path, Buffer.alloc(9_000, 0x62), { flag: 'r+' });
  });
  assert.equal(restarts, 1);
  assert.deepEqual(bytes, Buffer.alloc(9_000, 0x62));
  assert.equal(result.kind, 'read');
});

test('truncated while it is read: read again, and not for ever', (context) => {
  const path = join(tempDir(context), 'file');
  writeFileSync(path, pattern(9_000));
  let truncated = false;
  const once = read(path, {}, () => {
    if (!truncated) truncateSync(path, 5_000);
    truncated = true;
  });
  assert.equal(once.restarts, 1);
  assert.deepEqual(once.bytes, pattern(5_000));
  writeFileSync(path, pattern(64_000));
  let size = 64_000;
  const always = read(path, {}, () => {
    size -= 100;
    truncateSync(path, size);
  });
  assert.equal(always.restarts, READS_MAX - 1);
  assert.ok(always.result.kind === 'read' && !always.result.stable);
  assert.equal(always.result.bytesRead, always.bytes.length);
});

test('replaced by a rename while it is read: the old content, whole', (context) => {
  const path = join(tempDir(context), 'file');
  writeFileSync(path, pattern(9_000));
  const { bytes } = read(path, {}, (at) => {
    if (at !== 1) return;
    writeFileSync(`${path}.tmp`, 'new');
    renameSync(`${path}.tmp`, path);
  });
  assert.deepEqual(bytes, pattern(9_000));
});

test('changed since the walk: still right', (context) => {
  const path = join(tempDir(context), 'file');
  writeFileSync(path, pattern(100));
  const expected = statFile(bytePathFromText(path));
  assert.ok(expected);
  for (const size of [50, 150, 20_000]) {
    writeFileSync(path, pattern(size));
    const { result, bytes } = read(path, { expected });
    assert.deepEqual(bytes, pattern(size));
    assert.ok(result.kind === 'read' && result.stat.size === size);
  }
});

test('gone, a link, a directory', (context) => {
  const folder = tempDir(context);
  mkdirSync(join(folder, 'dir'));
  symlinkSync('dir', join(folder, 'link'));
  const kinds = ['gone', 'link', 'dir'].map((name) => read(join(folder, name)).result.kind);
  assert.deepEqual(kinds, ['vanished', 'replaced', 'replaced']);
});

test('a failure of the one who takes the bytes is not a problem of the file', (context) => {
  const path = join(tempDir(context), 'file');
  writeFileSync(path, 'x');
  assert.throws(
    () =>
      read(path, {}, () => {
        throw new Error('no room');
      }),
    /no room/,
  );
});

test('a database is told apart before any chunk; a short file after it is not mistaken for one', (context) => {
  const folder = tempDir(context);
  const database = new DatabaseSync(join(folder, 'a.db'));
  database.exec('CREATE TABLE t (x)');
  database.close();
  writeFileSync(join(folder, 'short'), 'hi');
  const buffer = new Uint8Array(BUFFER_BYTES * 4);
  for (const withStat of [true, false]) {
    const options = (name: string): Partial<ReadLiveOptions> => {
      const expected = statFile(bytePathFromText(join(folder, name)));
      return { buffer, sqliteApart: true, ...(withStat && expected ? { expected } : {}) };
    };
    const found = read(join(folder, 'a.db'), options('a.db'));
    assert.deepEqual([found.result.kind, found.sizes.length], ['sqlite', 0]);
    assert.equal(read(join(folder, 'short'), options('short')).result.kind, 'read');
  }
});

test('JSON Lines', async (context) => {
  const path = join(tempDir(context), 'session.jsonl');
  const whole = '{"a":1}\n{"b":2}\n';
  const long = `{"text":"${'x'.repeat(6_000)}"}\n`;
  const cases = [
    { name: 'whole', text: whole, kept: whole },
    { name: 'empty', text: '', kept: '' },
    { name: 'half a record', text: `${whole}{"c":`, kept: whole },
    {
      name: 'half a record, longer than the buffer',
      text: `${whole}${long}{"c":"${'y'.repeat(9_000)}`,
      kept: whole + long,
    },
    {
      name: 'a whole record without its newline',
      text: `${whole}{"c":3}`,
      kept: `${whole}{"c":3}`,
    },
    { name: 'a number may go on', text: `${whole}12`, kept: whole },
    { name: 'nothing but half a record', text: '{"c"', kept: '' },
    { name: 'half a character', text: `${whole}{"c":"\u00e9`, kept: whole },
  ];
  for (const { name, text, kept } of cases) {
    await context.test(name, () => {
      writeFileSync(path, text);
      makeFresh(path);
      const { result, bytes } = read(path);
      assert.equal(bytes.toString('utf8'), kept);
      assert.ok(result.kind === 'read');
      assert.equal(result.bytesCut, Buffer.byteLength(text) - Buffer.byteLength(kept));
      if (result.bytesCut > 0) assert.equal(result.stable, false);
    });
  }
  await context.test('an old leftover keeps every byte', () => {
    writeFileSync(path, `${whole}{"c":`);
    makeOld(path);
    assert.equal(read(path).bytes.toString('utf8'), `${whole}{"c":`);
  });
  await context.test('growth while it is read changes nothing', () => {
    writeFileSync(path, whole.repeat(600));
    const { bytes, restarts } = read(path, {}, () => appendFileSync(path, '{"half'));
    assert.equal(bytes.toString('utf8'), whole.repeat(600));
    assert.equal(restarts, 0);
  });
});

type Seen = {
  readonly result: ReadLiveResult;
  readonly bytes: Buffer;
  readonly sizes: readonly number[];
  readonly restarts: number;
};

function read(
  path: string,
  options: Partial<ReadLiveOptions> = {},
  onChunk: (at: number) => void = () => undefined,
): Seen {
  let pieces: Buffer[] = [];
  let restarts = 0;
  const buffer = new Uint8Array(BUFFER_BYTES);
  const result = readLive(
    bytePathFromText(path),
    { buffer, chunkBytes: CHUNK_BYTES, ...options },
    {
      onChunk: (bytes) => {
        pieces.push(Buffer.from(bytes));
        onChunk(pieces.length);
      },
      onRestart: () => {
        pieces = [];
        restarts += 1;
      },
    },
  );
  return {
    result,
    bytes: Buffer.concat(pieces),
    sizes: pieces.map((each) => each.length),
    restarts,
  };
}

const pattern = (size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_each, at) => (at * 31) % 251));

/** An hour ago, by the only stamp that a program can set. */
const makeOld = (path: string): void =>
  utimesSync(path, new Date(), new Date(Date.now() - 3_600_000));

/** However long it takes until it is read: written to a moment ago. */
const makeFresh = (path: string): void =>
  utimesSync(path, new Date(), new Date(Date.now() + 3_600_000));
