/** Puts of random names where the server keeps create-only: over nothing, and not lost to a retry. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { retryStore } from '../../src/store/retry-store.ts';
import { never, openDouble } from './double-fixture.ts';
import { rejectsWith } from './store-contract.ts';

const body = Buffer.from('what a push stores');
const FRESH = { isFresh: true } as const;
const STRICT = { refusesReplacing: /packs/ } as const;

describe('a fresh name', () => {
  test('is created in a bucket that wants create-only, and a plain put is refused there', async () => {
    const { store } = await openDouble(STRICT, { createOnly: 'atomic' });
    await rejectsWith('store-denied', store.put('packs/a', body, {}, never));
    assert.equal((await store.put('packs/a', body, FRESH, never)).outcome, 'stored');
    assert.equal((await store.stat('packs/a', never))?.size, body.length);
  });

  test('in parts too', async () => {
    const options = { createOnly: 'racy', partBytes: 5 * 1024 * 1024 } as const;
    const { store } = await openDouble(STRICT, options);
    const large = Buffer.alloc(options.partBytes + 1);
    assert.equal((await store.put('packs/a', large, FRESH, never)).outcome, 'stored');
    assert.equal((await store.stat('packs/a', never))?.size, large.length);
  });

  test('is created by who has not probed, too', async () => {
    const { store } = await openDouble(STRICT);
    assert.equal((await store.put('packs/a', body, FRESH, never)).outcome, 'stored');
  });

  test('is put plainly where create-only is refused, without another request', async () => {
    const { double, store } = await openDouble({ profile: 'swift' }, { createOnly: 'none' });
    assert.equal((await store.put('packs/a', body, FRESH, never)).outcome, 'stored');
    const asked = double.requests.map(({ operation }) => operation);
    assert.deepEqual(asked, ['put']);
  });

  test('that is taken by our own earlier try is stored', async () => {
    const { double, store } = await openDouble(STRICT, { createOnly: 'atomic' });
    await store.put('packs/a', body, FRESH, never);
    const again = await store.put('packs/a', body, FRESH, never);
    assert.equal(again.outcome, 'stored');
    assert.equal(double.requests.at(-1)?.status, 412);
  });

  test('is stored once when the answer is lost, for a credential that may not read it too', async () => {
    const denied = { kind: 'denied', operation: ['get', 'head'], times: Infinity } as const;
    const lost = { kind: 'internal-error-after', operation: 'put' } as const;
    const faults = [denied, lost];
    const { double, store } = await openDouble({ ...STRICT, faults }, { createOnly: 'atomic' });
    const clock = { sleep: (): Promise<void> => Promise.resolve() };
    const limits = { attemptsMax: 3, attemptsOnceAnsweredMax: 3, delayFirstMs: 1, delayMaxMs: 1 };
    const retrying = retryStore(store, { clock, random: () => 0, emit: () => undefined }, limits);
    assert.equal((await retrying.put('packs/a', body, FRESH, never)).outcome, 'stored');
    const puts = double.requests.filter(({ operation }) => operation === 'put');
    assert.deepEqual(
      puts.map(({ status }) => status),
      [500, 412],
    );
  });
});
