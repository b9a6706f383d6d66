import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { compress, decompress } from '../../../src/codec/zstd.ts';

const isDamage = (error: unknown): boolean =>
  error instanceof FerryError && error.code === 'object-damaged';

test('what was compressed comes back', () => {
  for (const bytes of [
    Buffer.from('x'),
    Buffer.alloc(1024 * 1024, 7),
    Buffer.from('ahoy '.repeat(99)),
  ]) {
    assert.deepEqual(decompress(compress(bytes), bytes.length), bytes);
  }
});

test('another length than recorded is damage', () => {
  const stored = compress(Buffer.from('ahoy '.repeat(99)));
  for (const length of [0, 1, 494, 496, 1024 * 1024]) {
    assert.throws(() => decompress(stored, length), isDamage, `${length}`);
  }
});

test('a small input that unpacks to gigabytes is refused at the recorded length', () => {
  // 64 run-length blocks of 128 KiB each in a few hundred bytes.
  const blocks = Buffer.alloc(64 * 4);
  for (let block = 0; block < 64; block++) {
    blocks.writeUIntLE(((128 * 1024) << 3) | 2 | (block === 63 ? 1 : 0), block * 4, 3);
  }
  const bomb = Buffer.concat([Buffer.from('28b52ffd0068', 'hex'), blocks]);
  assert.equal(decompress(bomb, 8 * 1024 * 1024).length, 8 * 1024 * 1024);
  assert.throws(() => decompress(bomb, 1000), isDamage);
});

test('no zstd, nothing at all and a cut frame are damage', () => {
  const stored = compress(Buffer.from('ahoy '.repeat(99)));
  for (const bytes of [
    Buffer.from('no zstd'),
    Buffer.alloc(0),
    stored.subarray(0, -1),
    stored.subarray(1),
  ]) {
    assert.throws(() => decompress(bytes, 495), isDamage);
  }
});
