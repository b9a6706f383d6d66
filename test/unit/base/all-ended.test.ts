import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allEnded } from '../../../src/base/all-ended.ts';

async function after(turns: number, answer: () => number): Promise<number> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  return answer();
}

test('all answers, in the order of the work', async () => {
  assert.deepEqual(await allEnded([after(9, () => 1), after(1, () => 2)]), [1, 2]);
});

test('a failure waits for the others, and the first in order is told', async () => {
  let ended = 0;
  const fail = (turns: number, message: string): Promise<number> =>
    after(turns, () => {
      ended += 1;
      throw new Error(message);
    });
  const all = allEnded([fail(9, 'one'), fail(1, 'two'), after(20, () => (ended += 1))]);
  await assert.rejects(all, { message: 'one' });
  assert.equal(ended, 3);
});
