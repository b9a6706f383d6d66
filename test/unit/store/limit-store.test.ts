import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limitStore } from '../../../src/store/limit-store.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { rejectsWith } from '../../contract/store-contract.ts';

const never = new AbortController().signal;

/** A store whose stats wait until they are let go. */
function slowStore(): {
  store: ObjectStore;
  inFlight: () => number;
  order: string[];
  letGo: () => void;
} {
  const waiting: (() => void)[] = [];
  const order: string[] = [];
  const memory = openMemoryStore();
  const store: ObjectStore = {
    ...memory,
    stat: async (name) => {
      order.push(name);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return undefined;
    },
  };
  return { store, inFlight: () => waiting.length, order, letGo: () => waiting.shift()?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('limit', () => {
  test('so many in flight and no more, the rest in order', async () => {
    const slow = slowStore();
    const store = limitStore(slow.store, 2);
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => store.stat(name, never));
    for (let done = 0; done < 5; done++) {
      await turn();
      assert.equal(slow.inFlight(), Math.min(2, 5 - done));
      slow.letGo();
    }
    await Promise.all(all);
    assert.deepEqual(slow.order, ['a', 'b', 'c', 'd', 'e']);
  });

  test('an abort takes a waiting one out of the queue, and its place is not lost', async () => {
    const slow = slowStore();
    const store = limitStore(slow.store, 1);
    const controller = new AbortController();
    const first = store.stat('first', never);
    const aborted = rejectsWith('interrupted', store.stat('aborted', controller.signal));
    const third = store.stat('third', never);
    await turn();
    controller.abort();
    await aborted;
    assert.equal(slow.inFlight(), 1);
    slow.letGo();
    await first;
    await turn();
    slow.letGo();
    await third;
    assert.deepEqual(slow.order, ['first', 'third']);
    const fourth = store.stat('fourth', never);
    await turn();
    slow.letGo();
    await fourth;
  });

  test('a failure gives its place back', async () => {
    const memory = openMemoryStore();
    const store = limitStore(memory, 1);
    await rejectsWith('bug', store.stat('not a name', never));
    assert.equal(await store.stat('a', never), undefined);
  });
});
