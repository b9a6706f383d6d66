/** What a forget plans: usual and unusual numbers, snapshots that tickets lead to, and what earlier runs left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOST_DIGEST } from '../../../../src/format/forget-record.ts';
import type { ObjectId, WriterId } from '../../../../src/format/names.ts';
import { planForget, type ForgetPlan } from '../../../../src/maintenance/forget/forget-plan.ts';
import type { KeepRules } from '../../../../src/maintenance/forget/retention.ts';
import type { StoredForgetRecord } from '../../../../src/repository/forget-records.ts';
import type { StoredSnapshot } from '../../../../src/repository/snapshot-list.ts';

const HOUR_MS = 60 * 60 * 1000;
const START_MS = Date.UTC(2026, 0, 1);
const WRITER = 'aa'.repeat(16) as WriterId;

const digestOf = (sequence: number, writer: string): string =>
  `${writer}${String(sequence).padStart(32, '0')}`;

/** Numbers `first` to `last` of a machine, one an hour. */
function chain(first: number, last: number, writer = WRITER, install = 'openclaw') {
  return Array.from({ length: last - first + 1 }, (_, index): StoredSnapshot => {
    const sequence = first + index;
    const storedMs = START_MS + sequence * HOUR_MS;
    const id = `${writer.slice(0, 16)}${String(sequence).padStart(16, '0')}` as ObjectId;
    const cover = {
      sequence,
      previous: sequence === 1 ? null : digestOf(sequence - 1, writer),
      time: new Date(storedMs - 1000).toISOString(),
      install,
      machine: 'harbour',
      label: null,
      files: 1,
      bytes: 1,
      packList: '0'.repeat(32),
    };
    const name = `snapshots/${writer}/${id}`;
    return {
      id,
      name,
      writer,
      machine: 'harbour',
      digest: digestOf(sequence, writer),
      cover,
      storedMs,
    };
  });
}

const record = (first: number, last: number, writer = WRITER): StoredForgetRecord => ({
  name: `forgets/${first}`,
  storedMs: START_MS + last * HOUR_MS,
  writer,
  snapshots: chain(first, last, writer).map(({ cover, digest }) => ({
    sequence: cover.sequence,
    digest,
  })),
});

type Given = {
  readonly snapshots: readonly StoredSnapshot[];
  readonly records?: readonly StoredForgetRecord[];
  readonly rules?: KeepRules;
  readonly granted?: ReadonlyMap<ObjectId, number>;
  /** Numbers of those that are not whole. */
  readonly torn?: readonly number[];
};

const plan = ({
  snapshots,
  records = [],
  rules = { last: 2 },
  granted,
  torn = [],
}: Given): ForgetPlan =>
  planForget({
    history: { snapshots, records, authors: new Map(), drills: [], unreadable: new Map() },
    rules,
    isMeant: () => true,
    tickets: { granted: granted ?? new Map<ObjectId, number>(), dead: [] },
    torn: new Set(
      snapshots.flatMap(({ id, cover }) => (torn.includes(cover.sequence) ? [id] : [])),
    ),
    nowMs: START_MS,
  });

const numbers = (all: readonly { readonly snapshot: StoredSnapshot }[]): number[] =>
  all.map(({ snapshot }) => snapshot.cover.sequence);

test('a month of nights is nothing unusual, one more is', () => {
  assert.deepEqual(plan({ snapshots: chain(1, 32) }).unusual, []);
  assert.deepEqual(plan({ snapshots: chain(1, 33) }).unusual, [
    { writer: WRITER, machine: 'harbour', count: 31, usual: 0 },
  ]);
});

test('usual is what the last runs took, four times over; one large run makes no other one usual', () => {
  const steady = [1, 11, 21, 31, 41].map((first) => record(first, first + 9));
  const flooded = [record(1, 400), ...[401, 411, 421].map((first) => record(first, first + 9))];
  assert.deepEqual(plan({ snapshots: chain(51, 92), records: steady }).unusual, []);
  assert.equal(plan({ snapshots: chain(51, 93), records: steady }).unusual[0]?.usual, 10);
  assert.equal(plan({ snapshots: chain(431, 473), records: flooded }).unusual[0]?.count, 41);
});

test('what was accepted as lost is no forget that was usual, and takes no number', () => {
  const { snapshots, ...rest } = record(1, 400);
  const places = snapshots.map((one) => ({ ...one, digest: LOST_DIGEST }));
  const { unusual, kept } = plan({
    snapshots: chain(395, 430),
    records: [{ ...rest, snapshots: places }],
    rules: { last: 1 },
  });
  assert.deepEqual([unusual[0]?.count, unusual[0]?.usual], [35, 0]);
  assert.deepEqual(numbers(kept), [430]);
});

test('one that is torn takes nobody’s place, and goes no sooner for it', () => {
  const { kept, doomed } = plan({ snapshots: chain(1, 9), torn: [2, 8, 9], rules: { last: 2 } });
  assert.deepEqual(
    [numbers(kept), numbers(doomed)],
    [
      [6, 7, 8, 9],
      [1, 2, 3, 4, 5],
    ],
  );
  assert.deepEqual(
    kept.map(({ reasons }) => reasons.map(({ rule }) => rule)),
    [['last'], ['whole', 'last'], ['last', 'torn'], ['newest', 'last', 'torn']],
  );
});

test('where all are torn the rules count as ever', () => {
  const { kept } = plan({ snapshots: chain(1, 4), torn: [1, 2, 3, 4], rules: { last: 1 } });
  assert.deepEqual(numbers(kept), [4]);
});

test('a flood of one machine counts for that machine, and costs another one nothing', () => {
  const other = 'bb'.repeat(16) as WriterId;
  const { unusual, doomed } = plan({ snapshots: [...chain(1, 5), ...chain(1, 1000, other)] });
  assert.deepEqual(
    unusual.map(({ writer, count }) => [writer, count]),
    [[other, 998]],
  );
  const ours = doomed.filter(({ snapshot }) => snapshot.writer === WRITER);
  assert.deepEqual(numbers(ours), [1, 2, 3]);
});

test('what a record names goes, whatever the rules say now, and takes nobody’s place', () => {
  const { kept, doomed, unusual } = plan({ snapshots: chain(1, 60), records: [record(50, 59)] });
  assert.deepEqual(numbers(kept), [49, 60]);
  const recorded = doomed.filter(({ reasons }) => reasons[0]?.rule === 'recorded');
  assert.deepEqual(
    numbers(recorded),
    Array.from({ length: 10 }, (_, index) => 50 + index),
  );
  assert.equal(unusual[0]?.count, 48, 'and is not counted once more');
});

test('one that a record names is kept once it is the newest, and as itself', () => {
  const { kept, doomed } = plan({ snapshots: chain(5, 9), records: [record(8, 9)] });
  assert.deepEqual(numbers(kept), [7, 9]);
  assert.deepEqual(
    kept.map(({ reasons }) => reasons.map(({ rule }) => rule)),
    [['last'], ['newest', 'last']],
  );
  assert.deepEqual(numbers(doomed), [5, 6, 8]);
});

test('one that a living grant names is kept, also when a record names it', () => {
  const snapshots = chain(1, 6);
  const granted = new Map(snapshots.slice(0, 2).map(({ id }) => [id, START_MS + HOUR_MS]));
  const { kept, doomed } = plan({ snapshots, records: [record(2, 3)], granted });
  assert.deepEqual(numbers(kept), [1, 2, 5, 6]);
  assert.deepEqual(
    kept.slice(0, 2).map(({ reasons }) => reasons),
    [1, 2].map(() => [{ rule: 'granted', untilMs: START_MS + HOUR_MS }]),
  );
  assert.deepEqual(numbers(doomed), [3, 4]);
});

test('the default profile is one install, however its name is written', () => {
  const snapshots = [...chain(1, 3), ...chain(4, 6, WRITER, 'openclaw:default')];
  assert.deepEqual(numbers(plan({ snapshots }).kept), [5, 6]);
});
