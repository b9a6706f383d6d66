/** Which names go, and when: the rules of P1 to P3 as a function of what the store shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, GRACE, planPrune, type PruneFacts } from '../../../src/maintenance/prune-plan.ts';
import type { Tombstone } from '../../../src/repository/tombstones.ts';

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

test('what was announced long enough ago is deleted, and named by a tombstone that outlives it', () => {
  const facts = { stored: stored({ old: 60 }), tombstones: [tombstone('t', 14, 'old')] };
  assert.deepEqual(plan(facts), { sweep: ['old'], condemn: ['old'], spent: ['t'] });
});

test('a run that was killed while it deleted needs no other tombstone than the one it stored', () => {
  const tombstones = [tombstone('first', 20, 'gone', 'old'), tombstone('own', 1, 'gone', 'old')];
  assert.deepEqual(plan({ stored: stored({ old: 60 }), tombstones }), {
    sweep: ['old'],
    spent: ['first'],
  });
  const late = [tombstone('first', 20, 'gone', 'old'), tombstone('own', 7, 'gone', 'old')];
  assert.deepEqual(plan({ stored: stored({ old: 60 }), tombstones: late }).condemn, ['old']);
});

test('what a snapshot needs is never deleted, and its announcement stays as long as it does', () => {
  const facts = {
    stored: stored({ used: 60, other: 60 }),
    used: new Set(['used']),
    tombstones: [tombstone('t', 400, 'used', 'other')],
  };
  assert.deepEqual(plan(facts), { sweep: ['other'], condemn: ['other'], needed: ['used'] });
});

test('a tombstone goes once it is old and nothing that it names is left', () => {
  const tombstones = [tombstone('spent', 14, 'gone'), tombstone('young', 13, 'gone')];
  assert.deepEqual(plan({ tombstones }), { spent: ['spent'] });
});

test('another grace period moves both ages', () => {
  const facts = {
    graceMs: GRACE.leastMs,
    stored: stored({ a: 8, b: 60, c: 7 }),
    tombstones: [tombstone('t', 8, 'b')],
  };
  assert.deepEqual(plan(facts), {
    announce: ['a'],
    sweep: ['b'],
    condemn: ['a', 'b'],
    spent: ['t'],
    young: ['c'],
  });
});

test('an object from the future is new', () => {
  assert.deepEqual(plan({ stored: stored({ tomorrow: -1 }) }), { young: ['tomorrow'] });
});
