import assert from 'node:assert/strict';
import { test } from 'node:test';
import { padme, paddedSize } from '../../../src/codec/padding.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

test('Padmé sizes of the paper’s formula', () => {
  // L = 9: E = 3, S = 2, multiples of 2. L = 1 000: E = 9, S = 4, multiples of 32.
  const sizes = [0, 1, 2, 3, 8, 9, 1000, 1023, 1024, 1025, 16 * MIB, 16 * MIB + 1];
  assert.deepEqual(sizes.map(padme), [
    0,
    1,
    2,
    3,
    8,
    10,
    1024,
    1024,
    1024,
    1088,
    16 * MIB,
    16 * MIB + 512 * KIB,
  ]);
});

test('a Padmé size is never smaller, at most an eighth larger, and its own Padmé size', () => {
  let last = 0;
  for (let size = 2; size < 64 * MIB; size = Math.ceil(size * 1.01 + 1)) {
    const padded = padme(size);
    assert.ok(padded >= size && padded <= size * 1.125 && padded >= last, `${size}`);
    assert.equal(padme(padded), padded);
    last = padded;
  }
});

test('packs are multiples of 64 KiB below 1 MiB and Padmé sizes above', () => {
  const sizes = [1, 64 * KIB, 64 * KIB + 1, MIB - 1, MIB, MIB + 1];
  assert.deepEqual(sizes.map(paddedSize), [
    64 * KIB,
    64 * KIB,
    128 * KIB,
    MIB,
    MIB,
    padme(MIB + 1),
  ]);
});
