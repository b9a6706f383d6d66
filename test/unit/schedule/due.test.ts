/** When jobs are due and overdue: by the hour, through sleep, clock changes and failures. The tests run in UTC. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  isDue,
  isOverdue,
  isSilent,
  isToTell,
  lastTime,
  nextDue,
} from '../../../src/schedule/due.ts';
import type { Job, JobName, Went } from '../../../src/schedule/record.ts';

const PUSH: Job = { job: 'push', every: 'daily', words: [] };
const CHECK: Job = { job: 'check', every: 'weekly', words: [] };
const at = (text: string): number => Date.parse(`2026-11-${text}:00Z`);
const text = (ms: number): string => new Date(ms).toISOString();
const iso = (short: string): string => text(at(short));

const question = (now: string, went: Partial<Record<JobName, Went>> = {}) => ({
  schedule: { at: '03:30', installed: iso('02T16:00'), went },
  nowMs: at(now),
});

test('the time of day that was last passed', () => {
  assert.equal(text(lastTime('03:30', at('10T03:30'))), iso('10T03:30'));
  assert.equal(text(lastTime('03:30', at('10T03:29'))), iso('09T03:30'));
  assert.equal(text(lastTime('00:00', at('01T00:00'))), iso('01T00:00'));
});

describe('a daily push', () => {
  const pushed = { push: { ok: iso('09T03:32') } };

  test('hour by hour for three days: once a day', () => {
    let went: Partial<Record<JobName, Went>> = { push: { ok: iso('02T16:00') } };
    const ran: string[] = [];
    for (let hour = 0; hour < 72; hour++) {
      const nowMs = at('02T16:33') + hour * 3_600_000;
      const asked = { ...question('02T16:33', went), nowMs };
      if (!isDue(PUSH, asked)) continue;
      ran.push(text(nowMs));
      went = { push: { ok: text(nowMs) } };
      assert.ok(!isDue(PUSH, { ...asked, schedule: { ...asked.schedule, went } }), 'fired twice');
    }
    assert.deepEqual(ran, [iso('03T03:33'), iso('04T03:33'), iso('05T03:33')]);
  });

  test('made up for after a sleep, whenever that ends', () => {
    assert.ok(!isDue(PUSH, question('10T03:29', pushed)));
    assert.ok(isDue(PUSH, question('10T11:31', pushed)));
    const late = { push: { ok: iso('10T11:31') } };
    assert.ok(!isDue(PUSH, question('11T03:29', late)));
    assert.ok(isDue(PUSH, question('11T03:31', late)));
  });

  test('that failed is tried again at the next hour', () => {
    const failed = { push: { ok: iso('09T03:32'), failed: iso('10T03:31') } };
    assert.ok(isDue(PUSH, question('10T04:31', failed)));
  });

  test('a success from the future is none: the clock was wrong', () => {
    assert.ok(isDue(PUSH, question('10T03:31', { push: { ok: iso('29T00:00') } })));
    assert.ok(isOverdue(PUSH, question('10T03:31', { push: { ok: iso('29T00:00') } })));
  });

  test('is overdue after two days and a little', () => {
    assert.ok(!isOverdue(PUSH, question('11T05:00', pushed)));
    assert.ok(isOverdue(PUSH, question('11T06:00', pushed)));
    assert.ok(isOverdue(PUSH, question('05T00:00')), 'never since it was installed');
  });
});

describe('a weekly check', () => {
  test('begins at the first time of day after it was installed', () => {
    assert.ok(!isDue(CHECK, question('02T17:30')));
    assert.ok(isDue(CHECK, question('03T03:31')));
  });

  test('on the same day of the week, although each run ends later than it was due', () => {
    const done = { check: { ok: iso('03T05:10') } };
    assert.ok(!isDue(CHECK, question('09T23:30', done)));
    assert.ok(isDue(CHECK, question('10T03:31', done)));
    assert.equal(text(nextDue(CHECK, question('05T12:00', done))), iso('10T03:30'));
  });

  test('that failed waits for the next day', () => {
    const failed = { check: { ok: iso('03T05:10'), failed: iso('10T03:40') } };
    assert.ok(!isDue(CHECK, question('10T04:31', failed)));
    assert.ok(isDue(CHECK, question('11T03:31', failed)));
  });

  test('is overdue after nine days', () => {
    const done = { check: { ok: iso('03T05:10') } };
    assert.ok(!isOverdue(CHECK, question('12T05:00', done)));
    assert.ok(isOverdue(CHECK, question('12T06:00', done)));
  });
});

test('a timer that starts nothing is noticed; one that fails, or has little to do, is not that', () => {
  const silent = (jobs: Job[], ...asked: Parameters<typeof question>): boolean => {
    const { schedule, nowMs } = question(...asked);
    return isSilent({ schedule: { ...schedule, jobs }, nowMs });
  };
  assert.ok(!silent([PUSH], '03T12:00'));
  assert.ok(silent([PUSH], '04T12:00'));
  assert.ok(silent([PUSH, CHECK], '04T12:00'));
  assert.ok(!silent([PUSH], '04T12:00', { push: { failed: iso('04T11:30') } }));
  assert.ok(!silent([CHECK], '09T12:00'));
  assert.ok(silent([CHECK], '09T23:00'));
});

test('a failure that lasts is told once a day, another one at once', () => {
  const told: Went = { failed: iso('10T03:31'), code: 'store-denied', told: iso('10T03:31') };
  assert.ok(isToTell({}, 'store-denied', at('10T03:31')));
  assert.ok(!isToTell(told, 'store-denied', at('10T12:31')));
  assert.ok(isToTell(told, 'no-space', at('10T12:31')));
  assert.ok(isToTell(told, 'store-denied', at('11T03:31')));
});
