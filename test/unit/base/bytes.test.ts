import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader, ByteWriter, fromHex, toHex } from '../../../src/base/bytes.ts';
import { FerryError } from '../../../src/base/errors.ts';

const isDamage = (error: unknown): boolean =>
  error instanceof FerryError && error.code === 'object-damaged' && error.message.startsWith('it ');

test('integers are little-endian', () => {
  const bytes = new ByteWriter(1)
    .u8(1)
    .u16(0x0203)
    .u32(0x04050607)
    .u64(0x08_090a0b0c)
    .i64(-2n)
    .take();
  const parts = ['01', '0302', '07060504', '0c0b0a0908000000', 'feffffffffffffff'];
  assert.equal(toHex(bytes), parts.join(''));
  const reader = new ByteReader(bytes, 'it');
  assert.deepEqual(
    [reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.i64()],
    [1, 0x0203, 0x04050607, 0x08_090a0b0c, -2n],
  );
  reader.end();
});

test('a reader never reads past the end, whatever is asked', () => {
  for (let length = 0; length < 8; length++) {
    const reader = (): ByteReader => new ByteReader(new Uint8Array(length), 'it');
    assert.throws(() => reader().u64(), isDamage);
    assert.throws(() => reader().i64(), isDamage);
    assert.throws(() => reader().bytes(length + 1), isDamage);
    assert.throws(() => reader().latin1(0xffff_ffff), isDamage);
    if (length < 4) assert.throws(() => reader().u32(), isDamage);
    if (length < 2) assert.throws(() => reader().u16(), isDamage);
    if (length < 1) assert.throws(() => reader().u8(), isDamage);
  }
});

test('a number beyond 2^53 − 1 is damage', () => {
  const largest = new ByteReader(fromHex('ffffffffffff1f00'), 'it');
  assert.equal(largest.u64(), Number.MAX_SAFE_INTEGER);
  assert.throws(() => new ByteReader(fromHex('0000000000002000'), 'it').u64(), isDamage);
});

test('bytes left over and padding that is not zero are damage', () => {
  const reader = new ByteReader(fromHex('010000'), 'it');
  assert.throws(() => reader.end(), isDamage);
  reader.u8();
  reader.zeros();
  reader.end();
  assert.throws(() => new ByteReader(fromHex('000001'), 'it').zeros(), isDamage);
});

test('a reader of a view in the middle of memory sees only its part', () => {
  const memory = fromHex('ff0102ff');
  const reader = new ByteReader(memory.subarray(1, 3), 'it');
  assert.equal(reader.u16(), 0x0201);
  assert.throws(() => reader.u8(), isDamage);
});

test('a writer grows, keeps what it has, and starts over', () => {
  const writer = new ByteWriter(2);
  for (let at = 0; at < 1000; at++) writer.u16(at);
  assert.equal(writer.length, 2000);
  assert.equal(writer.view().readUInt16LE(1998), 999);
  writer.reset();
  assert.equal(writer.latin1('\xff').take().toString('hex'), 'ff');
});
