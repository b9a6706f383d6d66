/** Golden cases of the keep rules: days, gaps and clocks as they come, with the reason for each snapshot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applyKeepRules,
  periodOf,
  type KeepRules,
  type Ranked,
  type Verdict,
} from '../../../../src/maintenance/forget/retention.ts';

type Given = Partial<Ranked> & { readonly time: string; readonly stored?: string };

/** In the order of their numbers; stored a minute after what they say, unless told otherwise. */
function chain(...given: readonly (string | Given)[]): Ranked[] {
  return given.map((one, index) => {
    const { time, stored, ...rest } = typeof one === 'string' ? { time: one } : one;
    const claimedMs = Date.parse(time);
    assert.ok(!Number.isNaN(claimedMs), time);
    return {
      id: String(index + 1),
      writer: 'a',
      machine: 'harbour',
      install: 'openclaw',
      label: null,
      sequence: index + 1,
      claimedMs,
      storedMs: stored === undefined ? claimedMs + 60_000 : Date.parse(stored),
      ...rest,
    };
  });
}

const keptIds = (snapshots: readonly Ranked[], rules: KeepRules): string[] =>
  applyKeepRules(snapshots, rules).flatMap(({ keep, snapshot }) => (keep ? [snapshot.id] : []));

/** `id: reason, reason`; a forgotten one has a minus in front. */
const told = (verdicts: readonly Verdict<Ranked>[]): string[] =>
  verdicts.map(({ keep, snapshot, reasons }) => {
    const words = reasons.map((reason) =>
      [
        reason.rule,
        ...('period' in reason ? [reason.period] : []),
        ...('by' in reason ? [`by ${reason.by}`] : []),
      ].join(' '),
    );
    return `${keep ? '' : '-'}${snapshot.id}: ${words.join(', ')}`;
  });

test('the last of each of the last days stays, with the reason for every one', () => {
  const snapshots = chain(
    '2026-11-18T23:00:00Z',
    '2026-11-19T01:00:00Z',
    '2026-11-19T23:59:59Z',
    '2026-11-20T00:00:00Z',
    '2026-11-21T12:00:00Z',
  );
  assert.deepEqual(told(applyKeepRules(snapshots, { daily: 3 })), [
    '-1: daily',
    '-2: daily 2026-11-19 by 3',
    '3: daily 2026-11-19',
    '4: daily 2026-11-20',
    '5: newest, daily 2026-11-21',
  ]);
});

test('rules add up, and each one that keeps a snapshot is named', () => {
  const snapshots = chain(
    '2025-12-31T12:00:00Z',
    '2026-10-31T12:00:00Z',
    '2026-11-20T12:00:00Z',
    '2026-11-20T12:30:00Z',
    '2026-11-21T12:00:00Z',
  );
  const rules = { last: 1, hourly: 2, monthly: 2, yearly: 9 };
  assert.deepEqual(told(applyKeepRules(snapshots, rules)), [
    '1: yearly 2025',
    '2: monthly 2026-10',
    '-3: last, hourly 2026-11-20T12 by 4, monthly 2026-11 by 5, yearly 2026 by 5',
    '4: hourly 2026-11-20T12',
    '5: newest, last, hourly 2026-11-21T12, monthly 2026-11, yearly 2026',
  ]);
});

test('days without a snapshot do not count: a laptop that slept loses nothing', () => {
  const snapshots = chain(
    '2026-01-01T03:00:00Z',
    '2026-01-02T03:00:00Z',
    '2026-06-01T03:00:00Z',
    '2026-11-21T03:00:00Z',
  );
  assert.deepEqual(keptIds(snapshots, { daily: 4 }), ['1', '2', '3', '4']);
  assert.deepEqual(keptIds(snapshots, { daily: 2 }), ['3', '4']);
});

test('29 February is a day like any other, and weeks go on across it', () => {
  const days = ['02-27', '02-28', '02-29', '03-01', '03-02'];
  const snapshots = chain(...days.map((day) => `2028-${day}T12:00:00Z`));
  assert.deepEqual(keptIds(snapshots, { daily: 3 }), ['3', '4', '5']);
  assert.deepEqual(keptIds(snapshots, { monthly: 2 }), ['3', '5']);
  // The 27th is a Sunday.
  assert.deepEqual(
    snapshots.map(({ claimedMs }) => periodOf('weekly', claimedMs)),
    ['2028-W08', ...days.slice(1).map(() => '2028-W09')],
  );
});

test('weeks are those of ISO 8601: week 53 and week 1 across the years', () => {
  const weeks = {
    '2020-12-28': '2020-W53',
    '2021-01-03': '2020-W53',
    '2021-01-04': '2021-W01',
    '2024-12-29': '2024-W52',
    '2024-12-30': '2025-W01',
    '2026-12-31': '2026-W53',
    '2027-01-03': '2026-W53',
    '2027-01-04': '2027-W01',
    '1969-12-31': '1970-W01',
    '1969-12-28': '1969-W52',
    '2100-03-01': '2100-W09',
  };
  for (const [day, week] of Object.entries(weeks)) {
    for (const time of ['T00:00:00Z', 'T23:59:59.999Z']) {
      assert.equal(periodOf('weekly', Date.parse(day + time)), week, day + time);
    }
  }
  // 31 December and 1 January: two years, one week.
  const snapshots = chain('2020-12-31T12:00:00Z', '2021-01-01T12:00:00Z', '2021-01-04T12:00:00Z');
  assert.deepEqual(keptIds(snapshots, { weekly: 2 }), ['2', '3']);
  assert.deepEqual(keptIds(snapshots, { yearly: 2 }), ['1', '3']);
});

test('days are those of UTC, whatever time zone and summer time this machine has', () => {
  const before = process.env['TZ'];
  // 25 October 2026 has 25 hours in Berlin, and Kiritimati is 14 hours ahead.
  const snapshots = chain(
    '2026-10-24T22:30:00Z',
    '2026-10-25T00:30:00Z',
    '2026-10-25T01:30:00Z',
    '2026-10-25T23:30:00Z',
  );
  try {
    for (const zone of ['UTC', 'Europe/Berlin', 'Pacific/Kiritimati', 'America/St_Johns']) {
      process.env['TZ'] = zone;
      assert.deepEqual(keptIds(snapshots, { daily: 2 }), ['1', '4'], zone);
      assert.deepEqual(keptIds(snapshots, { hourly: 4 }), ['1', '2', '3', '4'], zone);
    }
  } finally {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  }
});

test('within counts from the newest of the same machine and install, not from now', () => {
  const day = 24 * 60 * 60 * 1000;
  const snapshots = chain('2020-01-01T00:00:00Z', '2020-01-02T00:00:00Z', '2020-02-01T00:00:00Z', {
    time: '2026-11-21T00:00:00Z',
    writer: 'b',
    sequence: 1,
  });
  assert.deepEqual(keptIds(snapshots, { withinMs: 30 * day }), ['2', '3', '4']);
});

test('labels that are named stay, however old', () => {
  const snapshots = chain(
    { time: '2026-01-01T00:00:00Z', label: 'before the move' },
    { time: '2026-01-02T00:00:00Z', label: 'nightly' },
    '2026-01-03T00:00:00Z',
    '2026-01-04T00:00:00Z',
  );
  const rules = { last: 1, labels: ['before the move', 'gold'] };
  assert.deepEqual(told(applyKeepRules(snapshots, rules)), [
    '1: label',
    '-2: last, label',
    '-3: last, label',
    '4: newest, last',
  ]);
});

test('two machines and two installs count each by itself, also under one name', () => {
  const snapshots = [
    ...chain('2026-11-20T01:00:00Z', '2026-11-21T01:00:00Z'),
    ...chain('2026-11-20T02:00:00Z', '2026-11-21T02:00:00Z').map((one) => ({
      ...one,
      id: `b${one.id}`,
      writer: 'b',
    })),
    ...chain('2026-11-19T03:00:00Z').map((one) => ({
      ...one,
      id: 'work',
      install: 'openclaw:work',
      sequence: 3,
    })),
  ];
  assert.deepEqual(keptIds(snapshots, { last: 1 }).toSorted(), ['2', 'b2', 'work']);
});

test('the newest of a machine and of each of its installs stays, whatever the rules say', () => {
  const snapshots = chain(
    { time: '2026-01-01T00:00:00Z', install: 'resonix' },
    '2026-01-02T00:00:00Z',
    '2026-01-03T00:00:00Z',
  );
  assert.deepEqual(told(applyKeepRules(snapshots, { labels: ['none has it'] })), [
    '1: newest',
    '-2: label',
    '3: newest',
  ]);
});

test('a store whose clock once ran ahead, or began at 1970, costs nobody else a place', () => {
  const ahead = '2099-01-01T00:00:00Z';
  const behind = '1970-01-01T00:00:05Z';
  for (const wrong of [ahead, behind]) {
    const snapshots = chain(
      '2026-11-18T03:00:00Z',
      '2026-11-19T03:00:00Z',
      wrong,
      '2026-11-20T03:00:00Z',
      '2026-11-21T03:00:00Z',
    );
    const kept = keptIds(snapshots, { daily: 5 });
    assert.deepEqual(kept, ['1', '2', '3', '4', '5'], wrong);
  }
});

test('what says that it is from long ago, after newer ones, is as old as the store says', () => {
  const good = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-20'];
  const stolen = ['2026-11-01', '2026-11-02', '2026-11-03'].map((day) => ({
    time: `${day}T23:59:59Z`,
    stored: '2026-11-21T02:00:00Z',
  }));
  const snapshots = chain(...good.map((day) => `${day}T12:00:00Z`), ...stolen);
  assert.deepEqual(keptIds(snapshots, { daily: 5 }), ['1', '2', '3', '4', '7']);
});

test('copies of two machines by one writer keep their times, each machine by itself', () => {
  const days = ['2026-11-01T12:00:00Z', '2026-11-02T12:00:00Z', '2026-11-03T12:00:00Z'];
  const stored = '2026-11-21T02:00:00Z';
  const copies = ['harbour~vps', 'island~vps'].flatMap((machine) =>
    days.map((time) => ({ time, stored, machine })),
  );
  assert.deepEqual(keptIds(chain(...copies), { daily: 3 }), ['1', '2', '3', '4', '5', '6']);
  assert.deepEqual(keptIds(chain(...copies), { last: 1 }), ['3', '6']);
});

test('what says that it is from the future is as old as the store says', () => {
  const snapshots = chain('2026-11-19T12:00:00Z', '2026-11-20T12:00:00Z', {
    time: '2031-01-01T00:00:00Z',
    stored: '2026-11-20T13:00:00Z',
  });
  assert.deepEqual(told(applyKeepRules(snapshots, { daily: 2, withinMs: 3_600_000 })), [
    '1: daily 2026-11-19',
    '2: within',
    '3: newest, daily 2026-11-20, within',
  ]);
});

test('one with the number of another takes nobody’s place, and neither is forgotten', () => {
  const good = chain('2026-11-01T12:00:00Z', '2026-11-02T12:00:00Z', '2026-11-20T12:00:00Z');
  const second = {
    ...chain('2026-11-01T23:00:00Z')[0],
    id: 'x',
    sequence: 1,
    storedMs: Date.parse('2026-11-21T00:00:00Z'),
  } as Ranked;
  assert.deepEqual(told(applyKeepRules([...good, second], { daily: 1 })), [
    '1: forked',
    'x: forked',
    '-2: daily',
    '3: newest, daily 2026-11-20',
  ]);
  // The other one with this number was forgotten before.
  const taken = new Map([['a', new Set([2])]]);
  assert.deepEqual(told(applyKeepRules(good, { daily: 1 }, taken)), [
    '-1: daily',
    '2: forked',
    '3: newest, daily 2026-11-20',
  ]);
});
