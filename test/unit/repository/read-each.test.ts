/** Many small objects at once: in the order of the listing, eight at a time, and large ones alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { readEach } from '../../../src/repository/read-each.ts';
import type { ListedObject } from '../../../src/store/object-store.ts';
import { NO_ABORT } from '../../support/engine.ts';

async function* listing(sizes: readonly number[]): AsyncGenerator<ListedObject> {
  for (const [at, size] of sizes.entries()) {
    yield { name: `things/${at}`, size, modifiedMs: 0, dateMs: undefined };
  }
}

/** Each takes a few turns, the first ones the longest. */
async function takeTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

test('what is read comes in the order of the listing, and so do faults', async () => {
  const faults: string[] = [];
  const read = await readEach(
    listing(Array.from({ length: 40 }, () => 100)),
    async ({ name }) => {
      const number = Number(name.slice(7));
      await takeTurns(100 - number);
      if (number % 10 === 3) throw new FerryError('object-damaged', name);
      return number % 10 === 4 ? undefined : number;
    },
    ({ name }) => void faults.push(name),
    NO_ABORT,
  );
  assert.deepEqual(
    read,
    Array.from({ length: 40 }, (_, at) => at).filter((at) => at % 10 !== 3 && at % 10 !== 4),
  );
  assert.deepEqual(faults, ['things/3', 'things/13', 'things/23', 'things/33']);
});

test('eight at once, and never two large ones', async () => {
  const large = 2 * 1024 * 1024;
  const sizes = Array.from({ length: 30 }, (_, at) => (at > 15 && at % 3 === 0 ? large : 100));
  let smallMost = 0;
  let largeMost = 0;
  const now = { small: 0, large: 0 };
  await readEach(
    listing(sizes),
    async ({ size }) => {
      const kind = size === large ? 'large' : 'small';
      now[kind] += 1;
      if (kind === 'small') smallMost = Math.max(smallMost, now.small);
      else largeMost = Math.max(largeMost, now.large + now.small);
      await takeTurns(5);
      now[kind] -= 1;
    },
    () => assert.fail('no fault'),
    NO_ABORT,
  );
  assert.deepEqual([smallMost, largeMost], [8, 1]);
});

test('what is no fault of one object ends it, when those that were begun have ended', async () => {
  let under = 0;
  const reading = readEach(
    listing([1, 1, 1]),
    async ({ name }) => {
      under += 1;
      await takeTurns(name === 'things/0' ? 1 : 20);
      under -= 1;
      throw new FerryError('store-denied', name);
    },
    () => undefined,
    NO_ABORT,
  );
  await assert.rejects(reading, { code: 'store-denied', message: 'things/0' });
  assert.equal(under, 0);
});

test('a fault that nobody catches is no fault of one object either', async () => {
  const reading = readEach(
    listing([1, 1, 1]),
    () => Promise.reject(new FerryError('store-denied', 'no')),
    () => undefined,
    NO_ABORT,
  );
  await assert.rejects(reading, { code: 'store-denied' });
});
