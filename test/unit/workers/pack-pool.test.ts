import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEALED_HEADER_BYTES } from '../../../src/format/header.ts';
import { PackPool } from '../../../src/workers/pack-pool.ts';
import { noise } from '../../support/tree.ts';

const seed = (ordinal: number): Parameters<PackPool['freeAs']>[1] => ({
  header: noise(ordinal, SEALED_HEADER_BYTES),
  objectKey: { key: noise(ordinal + 100, 32), headerHash: noise(ordinal + 200, 32) },
  ordinal,
});

test('a buffer is taken once, waited for, and comes with its address', async () => {
  const pool = PackPool.create(2, 64 * 1024);
  assert.equal(pool.size, 2);
  assert.equal(pool.packBytes, 64 * 1024);
  const waiting = pool.take();
  pool.freeAs(1, seed(9));
  const taken = await waiting;
  assert.equal(taken, 1);
  assert.deepEqual(pool.seedOf(1), { objectKey: seed(9).objectKey, ordinal: 9 });
  assert.deepEqual(pool.bytes(1).subarray(0, SEALED_HEADER_BYTES), seed(9).header);
  const next = pool.take();
  pool.free(1);
  assert.equal(await next, 1);
});

test('once it is stopped nobody waits any more', async () => {
  const pool = PackPool.create(1, 64 * 1024);
  const waiting = [pool.take(), pool.take()];
  pool.stop();
  assert.deepEqual(await Promise.all(waiting), [-1, -1]);
  assert.equal(pool.takeSync(), -1);
  assert.ok(pool.stopped);
});
