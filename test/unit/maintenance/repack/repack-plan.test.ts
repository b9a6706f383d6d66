/** Which packs a repack chooses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectId, WriterId } from '../../../../src/format/names.ts';
import { choosePacks, type PackLife } from '../../../../src/maintenance/repack/repack-plan.ts';

const NO_LIMIT = { movedBytesMax: Infinity, deadShareMax: 0.1 };

const life = (name: string, livingBytes: number, mayGo = true): PackLife => ({
  name,
  pack: { writer: 'a'.repeat(32) as WriterId, pack: name.repeat(32) as ObjectId, size: 1000 },
  livingBytes,
  mayGo,
});
const namesOf = (packs: readonly PackLife[], limits = NO_LIMIT): string[] =>
  choosePacks(packs, limits).chosen.map(({ name }) => name);

test('the least living share goes first, and only until the target is reached', () => {
  const packs = [life('a', 900), life('b', 100), life('c', 990), life('d', 500), life('e', 0)];
  assert.deepEqual(namesOf(packs), ['e', 'b', 'd']);
  assert.deepEqual(namesOf([life('a', 950), life('b', 920)]), []);
});

test('what may not go stays, and what stays counts', () => {
  const packs = [life('a', 0, false), life('b', 800), life('c', 1000)];
  const { chosen, deadBytes, storedBytes } = choosePacks(packs, NO_LIMIT);
  assert.deepEqual(
    chosen.map(({ name }) => name),
    ['b'],
  );
  assert.deepEqual([deadBytes, storedBytes], [1200, 3000]);
});

test('no more is moved than the limit says, read and stored together', () => {
  const packs = [life('a', 100), life('b', 200), life('c', 300)];
  const plan = choosePacks(packs, { ...NO_LIMIT, movedBytesMax: 2300 });
  assert.deepEqual(
    plan.chosen.map(({ name }) => name),
    ['a', 'b'],
  );
  assert.ok(plan.isLimited);
  assert.deepEqual([plan.readBytes, plan.writtenBytes, plan.freedBytes], [2000, 300, 1700]);
  assert.ok(!choosePacks(packs, NO_LIMIT).isLimited);
});

test('of nothing nothing is chosen', () => {
  assert.deepEqual(namesOf([]), []);
});
