/** Which names go, and when: the rules of P1 to P3 as a function of what the store shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../../../src/base/durations.ts';
import { GRACE, planPrune, type PruneFacts } from '../../../../src/maintenance/prune/prune-plan.ts';
import type { Tombstone } from '../../../../src/repository/tombstones.ts';

const NOW = 1000 * DAY_MS;

/** Objects by name and age in days. */
const stored = (ages: Readonly<Record<string, number>>): PruneFacts['stored'] =>
  new Map(
    Object.entries(ages).map(([name, days]) => [
      name,
      { name, size: 10, modifiedMs: NOW - days * DAY_MS },
    ]),
  );

const tombstone = (name: string, days: number, ...condemned: string[]): Tombstone => ({
  name,
  size: 200,
  modifiedMs: NOW - days * DAY_MS,
  condemned,
});

const plan = (facts: Partial<PruneFacts>): Record<string, readonly string[]> => {
  const {
    condemn,
    waitingUntilMs: _,
    ...lists
  } = planPrune({
    graceMs: GRACE.defaultMs,
    nowMs: NOW,
    tombstones: [],
    stored: new Map(),
    used: new Set(),
    ...facts,
  });
  const named = Object.entries(lists).map(([what, objects]): [string, string[]] => [
    what,
    objects.map(({ name }) => name),
  ]);
  const all = [...named, ['condemn', [...condemn]] as const];
  return Object.fromEntries(all.filter(([, names]) => names.length > 0));
};

test('what is unused and old enough is announced; what is new or used is not', () => {
  const facts = { stored: stored({ old: 14, new: 13.9, used: 90 }), used: new Set(['used']) };
  assert.deepEqual(plan(facts), { announce: ['old'], condemn: ['old'], young: ['new'] });
});

test('what is announced is not announced again, and stays until the announcement is old enough', () => {
  const facts = { stored: stored({ old: 60 }), tombstones: [tombstone('t', 13.9, 'old')] };
  assert.deepEqual(plan(facts), { waiting: ['old'] });
  const at = planPrune({ ...facts, graceMs: 14 * DAY_MS, nowMs: NOW, used: new Set() });
  assert.equal(at.waitingUntilMs, NOW + 0.1 * DAY_MS);
});

test('what was announced long enough ago is deleted, and its tombstone outlives it', () => {
  const facts = { stored: stored({ old: 60 }), tombstones: [tombstone('t', 14, 'old')] };
  assert.deepEqual(plan(facts), { sweep: ['old'] });
});

test('what was announced too long ago is announced again, and deleted by a run a day later', () => {
  const first = tombstone('first', 47, 'old');
  const objects = stored({ old: 60 });
  const again = { condemn: ['old'], waiting: ['old'] };
  assert.deepEqual(plan({ stored: objects, tombstones: [first] }), again);
  const at = (days: number): Record<string, readonly string[]> =>
    plan({ stored: objects, tombstones: [first, tombstone('second', days, 'old')] });
  assert.deepEqual(at(0.9), { waiting: ['old'] });
  assert.deepEqual(at(1), { sweep: ['old'] });
  assert.deepEqual(at(46), { sweep: ['old'] });
  // The first one may be gone by then: what it was deleted under is still named by the second.
  const old = tombstone('first', 48, 'old');
  const covered = { stored: objects, tombstones: [old, tombstone('second', 1, 'old')] };
  assert.deepEqual(plan(covered), { sweep: ['old'], spent: ['first'] });
});

test('of a tombstone that is still too new to cover, nothing is swept, and nothing old goes', () => {
  const old = tombstone('old', 400, 'pack');
  const facts = { stored: stored({ pack: 500 }), tombstones: [old, tombstone('new', 0.1, 'pack')] };
  assert.deepEqual(plan(facts), { waiting: ['pack'] });
});

test('what a snapshot needs is never deleted, and its announcement stays as long as it does', () => {
  const facts = {
    stored: stored({ used: 60, other: 60 }),
    used: new Set(['used']),
    tombstones: [tombstone('t', 400, 'used', 'other'), tombstone('u', 30, 'other')],
  };
  assert.deepEqual(plan(facts), { sweep: ['other'], needed: ['used'] });
});

test('a tombstone goes once it is old and nothing that it names is left', () => {
  const tombstones = [tombstone('spent', 48, 'gone'), tombstone('young', 47, 'gone')];
  assert.deepEqual(plan({ tombstones }), { spent: ['spent'] });
});

test('another grace period moves the ages of what is announced and of what is deleted', () => {
  const facts = {
    graceMs: GRACE.leastMs,
    stored: stored({ a: 8, b: 60, c: 7 }),
    tombstones: [tombstone('t', 8, 'b')],
  };
  assert.deepEqual(plan(facts), { announce: ['a'], sweep: ['b'], condemn: ['a'], young: ['c'] });
});

test('a grace period that is longer than a tombstone covers deletes too, a day after it ends', () => {
  const graceMs = 90 * DAY_MS;
  const objects = stored({ b: 300 });
  const first = tombstone('t', 90, 'b');
  const again = { condemn: ['b'], waiting: ['b'] };
  assert.deepEqual(plan({ graceMs, stored: objects, tombstones: [first] }), again);
  const tombstones = [tombstone('t', 91, 'b'), tombstone('u', 1, 'b')];
  assert.deepEqual(plan({ graceMs, stored: objects, tombstones }), { sweep: ['b'], spent: ['t'] });
});

test('an object from the future is new', () => {
  assert.deepEqual(plan({ stored: stored({ tomorrow: -1 }) }), { young: ['tomorrow'] });
});
