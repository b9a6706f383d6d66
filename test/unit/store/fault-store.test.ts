import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import { listAll } from '../../contract/store-contract.ts';
import { faultStore, WorldStopped } from '../../support/fault-store.ts';

const never = new AbortController().signal;
const body = Buffer.from('body');

describe('fault store', () => {
  for (const stop of ['before', 'after'] as const) {
    test(`the world stops ${stop} the second put had its effect, and stays stopped`, async () => {
      const memory = openMemoryStore();
      const store = faultStore(memory, { stopAt: 2, stop });
      await store.put('a', body, {}, never);
      await assert.rejects(store.put('b', body, {}, never), WorldStopped);
      await assert.rejects(store.stat('a', never), WorldStopped);
      await assert.rejects(listAll(store, ''), WorldStopped);
      const names = (await listAll(memory, '')).map(({ name }) => name);
      assert.deepEqual(names, stop === 'after' ? ['a', 'b'] : ['a']);
      assert.equal(store.operations.length, 4);
    });
  }

  test('what was under way when the world stopped does not come back either', async () => {
    const store = faultStore(openMemoryStore(), { stopAt: 2, stop: 'after' });
    const answers = await Promise.allSettled([
      store.put('a', body, {}, never),
      store.put('b', body, {}, never),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
  });

  test('a lost put answers as if it had stored', async () => {
    const store = faultStore(openMemoryStore(), { lose: ({ name }) => name === 'b' });
    assert.equal((await store.put('b', body, {}, never)).outcome, 'stored');
    assert.equal(await store.stat('b', never), undefined);
  });
});
