/** A directory that says less than its pack, and says nothing wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEALED_HEADER_BYTES } from '../../../src/format/header.ts';
import { CODECS, encodeDirectory, visitDirectory } from '../../../src/format/pack.ts';
import { bothVouched, isVouched, vouchedDirectory } from '../../../src/format/vouched-directory.ts';

const chunk = (byte: number, length: number) => ({ id: Buffer.alloc(32, byte), length });
const segment = (...chunks: ReturnType<typeof chunk>[]) => {
  const length = chunks.reduce((sum, one) => sum + one.length, 0);
  return { codec: CODECS.stored, storedLength: length, rawLength: length, chunks };
};
/** Three chunks in two frames. */
const WHOLE = encodeDirectory([
  { storedLength: 46, segments: [segment(chunk(1, 10), chunk(2, 20))] },
  { storedLength: 56, segments: [segment(chunk(3, 40))] },
]);
const only = (...vouched: number[]): Uint8Array =>
  vouchedDirectory(WHOLE, Uint8Array.from(vouched), 'a directory');

/** First byte of the id, offset in the segment and length of every chunk. */
function chunksOf(directory: Uint8Array): number[][] {
  const chunks: number[][] = [];
  visitDirectory(directory, SEALED_HEADER_BYTES, 'a directory', {
    chunk: (id, offset, length) => {
      chunks.push([id[0] ?? 0, offset, length]);
      assert.equal(isVouched(id), id[0] !== 0);
    },
  });
  return chunks;
}

test('what nobody vouches for keeps its place and loses its id', () => {
  const before = Buffer.from(WHOLE);
  assert.deepEqual(chunksOf(only(1, 0, 1)), [
    [1, 0, 10],
    [0, 10, 20],
    [3, 0, 40],
  ]);
  assert.deepEqual(chunksOf(only(0, 0, 0)), [
    [0, 0, 10],
    [0, 10, 20],
    [0, 0, 40],
  ]);
  assert.deepEqual(only(1, 1, 1), Buffer.from(WHOLE));
  assert.ok(before.equals(WHOLE));
});

test('two of one pack together say what either says', () => {
  assert.deepEqual(bothVouched(only(1, 0, 0), only(0, 0, 1)), only(1, 0, 1));
  assert.deepEqual(bothVouched(only(1, 0, 1), WHOLE), Buffer.from(WHOLE));
  assert.deepEqual(bothVouched(only(0, 1, 0), only(0, 1, 0)), only(0, 1, 0));
});

test('two that contradict each other, or are none, say nothing together', () => {
  const lie = Buffer.from(only(0, 1, 0));
  lie.fill(9, lie.indexOf(Buffer.alloc(32, 2)), lie.indexOf(Buffer.alloc(32, 2)) + 32);
  assert.equal(bothVouched(lie, only(1, 1, 0)), undefined);
  const elsewhere = encodeDirectory([
    { storedLength: 46, segments: [segment(chunk(1, 20), chunk(2, 10))] },
    { storedLength: 56, segments: [segment(chunk(3, 40))] },
  ]);
  assert.equal(bothVouched(elsewhere, WHOLE), undefined);
  assert.equal(bothVouched(WHOLE.subarray(0, 40), WHOLE), undefined);
  assert.equal(bothVouched(WHOLE, new Uint8Array()), undefined);
});
