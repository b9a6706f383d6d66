import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FerryError, type ErrorCode } from '../../../src/base/errors.ts';
import type { FerryEvent } from '../../../src/base/events.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { retryStore, type RetryLimits } from '../../../src/store/retry-store.ts';
import { s3Error } from '../../../src/store/s3-errors.ts';
import { listAll, rejectsWith } from '../../contract/store-contract.ts';
import { faultStore, WorldStopped, type FaultPlan } from '../../support/fault-store.ts';

const never = new AbortController().signal;
const body = Buffer.from('body');
const limits: RetryLimits = {
  attemptsMax: 4,
  attemptsOnceAnsweredMax: 6,
  delayFirstMs: 100,
  delayMaxMs: 250,
};
const failure = (code: ErrorCode, retryAfterMs?: number): FerryError =>
  new FerryError(code, code, retryAfterMs === undefined ? {} : { details: { retryAfterMs } });

function retrying(inner: ObjectStore): {
  store: ObjectStore;
  events: FerryEvent[];
  sleeps: number[];
} {
  const events: FerryEvent[] = [];
  const sleeps: number[] = [];
  const clock = {
    sleep: async (delayMs: number): Promise<void> => {
      sleeps.push(delayMs);
    },
  };
  const deps = { clock, random: () => 1, emit: (event: FerryEvent) => void events.push(event) };
  return { store: retryStore(inner, deps, limits), events, sleeps };
}

const failing = (times: number, error: FerryError): FaultPlan => ({
  refuse: ({ number }) => (number <= times ? error : undefined),
});

describe('retry', () => {
  test('a passing failure is ridden out, with an event and a longer wait each time', async () => {
    const { store, events, sleeps } = retrying(
      faultStore(openMemoryStore(), failing(3, failure('store-busy'))),
    );
    assert.equal((await store.put('a', body, {}, never)).outcome, 'stored');
    assert.deepEqual(sleeps, [100, 200, 250]);
    assert.deepEqual(events[0], {
      type: 'retry',
      operation: 'put',
      name: 'a',
      attempt: 1,
      delayMs: 100,
      message: 'store-busy',
    });
  });

  test('it gives up with the last failure', async () => {
    const inner = faultStore(openMemoryStore(), failing(99, failure('store-unreachable')));
    const { store } = retrying(inner);
    await rejectsWith('store-unreachable', store.get('a', undefined, never));
    assert.equal(inner.operations.length, limits.attemptsMax);
  });

  test('a store that has answered before is waited for longer', async () => {
    const isDown = ({ number }: { readonly number: number }): boolean => number > 1;
    const inner = faultStore(openMemoryStore(), {
      refuse: (operation) => (isDown(operation) ? failure('store-unreachable') : undefined),
    });
    const { store } = retrying(inner);
    assert.equal(await store.stat('a', never), undefined);
    await rejectsWith('store-unreachable', store.stat('a', never));
    assert.equal(inner.operations.length, 1 + limits.attemptsOnceAnsweredMax);
  });

  test('a name that nobody knows is no reason to wait, until it has been known', async () => {
    const { code, errno, syscall } = { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo' };
    const cause = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code, errno, syscall });
    const unknown = s3Error(cause, { action: 'look', location: 's3://a' });
    for (const [answers, asked] of [
      [0, 1],
      [1, 1 + limits.attemptsOnceAnsweredMax],
    ] as const) {
      const inner = faultStore(openMemoryStore(), {
        refuse: ({ number }) => (number > answers ? unknown : undefined),
      });
      const { store } = retrying(inner);
      if (answers > 0) await store.stat('a', never);
      await rejectsWith('store-refused', store.stat('a', never));
      assert.equal(inner.operations.length, asked);
    }
  });

  for (const code of [
    'store-denied',
    'store-clock',
    'no-space',
    'repository-missing',
    'bug',
  ] as const) {
    test(`${code} is not tried again`, async () => {
      const inner = faultStore(openMemoryStore(), failing(1, failure(code)));
      await rejectsWith(code, retrying(inner).store.stat('a', never));
      assert.equal(inner.operations.length, 1);
    });
  }

  test('a damaged body is sent once more, not for ever', async () => {
    const inner = faultStore(openMemoryStore(), failing(99, failure('object-damaged')));
    await rejectsWith('object-damaged', retrying(inner).store.put('a', body, {}, never));
    assert.equal(inner.operations.length, 2);
    const read = faultStore(openMemoryStore(), failing(99, failure('object-damaged')));
    await rejectsWith('object-damaged', retrying(read).store.get('a', undefined, never));
    assert.equal(read.operations.length, 1);
  });

  test('a server that says when to come back is heeded, up to the longest wait', async () => {
    const asks = faultStore(openMemoryStore(), failing(1, failure('store-busy', 240)));
    const first = retrying(asks);
    await first.store.stat('a', never);
    assert.deepEqual(first.sleeps, [240]);
    const demands = faultStore(openMemoryStore(), failing(1, failure('store-busy', 3600_000)));
    const second = retrying(demands);
    await second.store.stat('a', never);
    assert.deepEqual(second.sleeps, [250]);
  });

  test('an abort during the wait ends it with interrupted', async () => {
    const controller = new AbortController();
    const inner = faultStore(openMemoryStore(), failing(9, failure('store-busy')));
    const clock = {
      sleep: (_: number, signal: AbortSignal): Promise<void> => {
        controller.abort();
        return Promise.reject(signal.reason as Error);
      },
    };
    const store = retryStore(inner, { clock, random: () => 0, emit: () => {} }, limits);
    await rejectsWith('interrupted', store.stat('a', controller.signal));
    assert.equal(inner.operations.length, 1);
  });

  test('what is no FerryError passes at once', async () => {
    const { store, events } = retrying(faultStore(openMemoryStore(), { stopAt: 1 }));
    await assert.rejects(store.stat('a', never), WorldStopped);
    assert.equal(events.length, 0);
  });
});

describe('retry of create-only', () => {
  /** Stores, then loses the answer, so often. */
  const losingAnswers = (inner: ObjectStore, times: number): ObjectStore => {
    let left = times;
    return {
      ...inner,
      put: async (...parts) => {
        const answer = await inner.put(...parts);
        if (left-- > 0) throw failure('store-unreachable');
        return answer;
      },
    };
  };

  test('"exists" after a lost answer is ours when the content is', async () => {
    const { store } = retrying(losingAnswers(openMemoryStore(), 2));
    assert.equal((await store.put('a', body, { createOnly: true }, never)).outcome, 'stored');
    assert.equal((await store.put('a', body, { createOnly: true }, never)).outcome, 'exists');
  });

  test('"exists" after a lost answer is theirs when the content is', async () => {
    const memory = openMemoryStore();
    await memory.put('a', Buffer.from('them'), {}, never);
    const { store } = retrying(losingAnswers(memory, 1));
    assert.equal((await store.put('a', body, { createOnly: true }, never)).outcome, 'exists');
  });

  test('who may not read is told what the server said', async () => {
    const denied = async (): Promise<never> => Promise.reject(failure('store-denied'));
    const inner = { ...losingAnswers(openMemoryStore(), 1), stat: denied, getInto: denied };
    const { store } = retrying(inner);
    assert.equal((await store.put('a', body, { createOnly: true }, never)).outcome, 'exists');
  });
});

describe('retry of a listing', () => {
  test('it goes on without repeating a name, and counts only tries that bring nothing', async () => {
    const memory = openMemoryStore();
    for (let at = 0; at < 20; at++) await memory.put(`l/${at}`, body, {}, never);
    let listings = 0;
    const breaking: ObjectStore = {
      ...memory,
      async *list(prefix, signal) {
        listings += 1;
        let left = listings;
        for await (const object of memory.list(prefix, signal)) {
          if (left-- === 0) throw failure('store-unreachable');
          yield object;
        }
      },
    };
    const { store, events } = retrying(breaking);
    const names = (await listAll(store, 'l/')).map(({ name }) => name);
    assert.equal(names.length, 20);
    assert.equal(new Set(names).size, 20);
    assert.equal(events.length, 19);
    assert.ok(listings > limits.attemptsMax);
  });

  test('a listing that never brings anything is given up', async () => {
    const inner = faultStore(openMemoryStore(), failing(99, failure('store-busy')));
    await rejectsWith('store-busy', listAll(retrying(inner).store, ''));
    assert.equal(inner.operations.length, limits.attemptsMax);
  });
});
