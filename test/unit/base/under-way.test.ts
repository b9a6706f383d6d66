import assert from 'node:assert/strict';
import test from 'node:test';
import { UnderWay } from '../../../src/base/under-way.ts';

test('the first failure is told once everything else has ended too', async () => {
  const underWay = new UnderWay();
  const slow = Promise.withResolvers<void>();
  let hasEnded = false;
  underWay.add(slow.promise.then(() => void (hasEnded = true)));
  underWay.add(Promise.reject(new Error('first')));
  await assert.rejects(underWay.one(), /first/);
  underWay.add(Promise.reject(new Error('second')));
  const all = underWay.all();
  assert.equal(hasEnded, false);
  slow.resolve();
  await assert.rejects(all, /first/);
  assert.equal(hasEnded, true);
  assert.equal(underWay.size, 0);
});

test('a failure stops what must stop before anybody waits', async () => {
  let stops = 0;
  const underWay = new UnderWay(() => void (stops += 1));
  underWay.add(Promise.reject(new Error('no')));
  await new Promise(setImmediate);
  assert.equal(stops, 1);
  assert.equal(underWay.hasFailed, true);
  assert.throws(() => underWay.rethrow(), /no/);
});

test('waiting for room lets go on as soon as fewer are under way', async () => {
  const underWay = new UnderWay();
  const [one, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  for (const { promise } of [one, other]) underWay.add(promise);
  one.resolve();
  await underWay.fewerThan(2);
  assert.equal(underWay.size, 1);
  other.resolve();
  await underWay.all();
  assert.equal(underWay.size, 0);
});
