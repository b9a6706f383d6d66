import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begunAhead } from '../../../src/base/lanes.ts';

async function* upTo(count: number): AsyncGenerator<number, void> {
  for (let number = 0; number < count; number++) yield number;
}

/** Work that ends in another order than it began in. */
function scene(fails?: number) {
  const seen = { running: 0, most: 0, ended: 0 };
  const begin = async (number: number): Promise<number> => {
    seen.running += 1;
    seen.most = Math.max(seen.most, seen.running);
    for (let turn = 0; turn < 10 - (number % 5) * 2; turn++) await Promise.resolve();
    seen.running -= 1;
    seen.ended += 1;
    if (number === fails) throw new Error(`number ${number}`);
    return number;
  };
  return { seen, begin };
}

test('what was begun comes in its order, never more at a time than asked for', async () => {
  const { seen, begin } = scene();
  const got = await Array.fromAsync(begunAhead(upTo(20), 3, begin));
  assert.deepEqual(got, [...Array(20).keys()]);
  assert.equal(seen.most, 3);
});

test('fewer than may be under way', async () => {
  assert.deepEqual(await Array.fromAsync(begunAhead(upTo(2), 9, scene().begin)), [0, 1]);
  assert.deepEqual(await Array.fromAsync(begunAhead(upTo(0), 9, scene().begin)), []);
});

test('a failure is thrown where its turn comes, when nothing is under way any more', async () => {
  const { seen, begin } = scene(4);
  const got: number[] = [];
  await assert.rejects(async () => {
    for await (const one of begunAhead(upTo(20), 3, begin)) got.push(one);
  }, /number 4/);
  assert.deepEqual(got, [0, 1, 2, 3]);
  assert.equal(seen.running, 0);
});

test('who stops early leaves nothing under way', async () => {
  const { seen, begin } = scene();
  for await (const one of begunAhead(upTo(20), 3, begin)) if (one === 5) break;
  assert.equal(seen.running, 0);
  assert.ok(seen.ended < 20, 'the rest was never begun');
});
