/** Keep rules over any history, an honest one and a thief's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  applyKeepRules,
  PERIODS,
  type KeepRules,
  type Ranked,
} from '../../../../src/maintenance/forget/retention.ts';

const keptIds = (snapshots: readonly Ranked[], rules: KeepRules): string[] =>
  applyKeepRules(snapshots, rules).flatMap(({ keep, snapshot }) => (keep ? [snapshot.id] : []));

const NOON_MS = Date.parse('2026-11-21T12:00:00Z');
const HOUR_MS = 60 * 60 * 1000;

/** Honest chains of a few machines, in any order. */
const histories = fc
  .array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(20_000)), { maxLength: 60 })
  .map((points) => {
    const counts = new Map<string, number>();
    return points
      .toSorted(([, left], [, right]) => left - right)
      .map(([writer, hours], index): Ranked => {
        const sequence = (counts.get(writer) ?? 0) + 1;
        counts.set(writer, sequence);
        const storedMs = NOON_MS + hours * HOUR_MS;
        const rest = {
          machine: 'harbour',
          install: 'openclaw',
          label: null,
          claimedMs: storedMs - 1,
          storedMs,
        };
        return { id: `${index}`, writer, sequence, ...rest };
      });
  });
const keepRules = fc.record(
  Object.fromEntries(['last', ...PERIODS].map((rule) => [rule, fc.nat(12)])),
  { requiredKeys: [] },
) as fc.Arbitrary<KeepRules>;

test('any history: every snapshot has a verdict with a reason, and the newest stay', () => {
  fc.assert(
    fc.property(histories, keepRules, (snapshots, rules) => {
      const verdicts = applyKeepRules(snapshots, { ...rules, labels: ['x'] });
      assert.equal(verdicts.length, snapshots.length);
      assert.ok(verdicts.every(({ reasons }) => reasons.length > 0));
      for (const [, own] of Map.groupBy(verdicts, ({ snapshot }) => snapshot.writer)) {
        assert.equal(own.at(-1)?.keep, true);
      }
    }),
  );
});

test('any history: what is forgotten is not missed the next time, and more rules keep more', () => {
  fc.assert(
    fc.property(histories, keepRules, fc.nat(12), (snapshots, rules, more) => {
      const kept = new Set(keptIds(snapshots, rules));
      const left = snapshots.filter(({ id }) => kept.has(id));
      assert.deepEqual(keptIds(left, rules).toSorted(), [...kept].toSorted());
      const wider = keptIds(snapshots, { ...rules, last: (rules.last ?? 0) + more });
      assert.ok([...kept].every((id) => wider.includes(id)));
    }),
  );
});

const GOOD = 'g';

/** A machine's good past, the hours since, and what a thief with its keys stores within one hour. */
const thefts = fc.record({
  good: fc.uniqueArray(fc.nat(3000), { minLength: 1, maxLength: 40 }),
  silentHours: fc.nat(100),
  /** Each is dated shortly after a good one, and numbered near it or after all of them. */
  evil: fc.array(
    fc.record({
      like: fc.nat(39),
      plusHours: fc.nat(40),
      shift: fc.oneof(fc.integer({ min: -1, max: 1 }), fc.integer({ min: 40, max: 80 })),
      minute: fc.nat(59),
    }),
    { maxLength: 60 },
  ),
});

test('any flood of a stolen machine costs no more than if it had pushed every hour since', () => {
  const one = (sequence: number, id: string, claimedMs: number, storedMs: number): Ranked => {
    const rest = { writer: 'a', machine: 'harbour', install: 'openclaw', label: null };
    return { id, sequence, claimedMs, storedMs, ...rest };
  };
  const hour = (hours: number): number => NOON_MS + hours * HOUR_MS;
  fc.assert(
    fc.property(thefts, keepRules, ({ good, silentHours, evil }, typed) => {
      // Counting alone is what a flood can fill.
      const rules = { ...typed, last: 1 };
      const hours = good.toSorted((a, b) => a - b);
      const ours = hours.map((at, index) => one(index + 1, `${GOOD}${index}`, hour(at), hour(at)));
      const newest = hours.at(-1) ?? 0;
      const now = newest + silentHours + 1;
      const theirs = evil.map(({ like, plusHours, shift, minute }, index) => {
        const at = like % hours.length;
        const claimedMs = hour((hours[at] ?? 0) + plusHours);
        return one(
          Math.max(1, at + 1 + shift),
          `e${index}`,
          claimedMs,
          hour(now) + minute * 60_000,
        );
      });
      // The first of them right after its last good one: within the hour of that one, a thief may say as much.
      const honest = Array.from({ length: now - newest + 1 }, (__, index) => {
        const at = hour(newest + index);
        return one(hours.length + index + 1, `h${index}`, at, at);
      });
      const goodOf = (others: readonly Ranked[]): string[] =>
        keptIds([...ours, ...others], { ...rules, labels: ['x'] }).filter((id) =>
          id.startsWith(GOOD),
        );
      const kept = new Set(goodOf(theirs));
      assert.deepEqual(
        goodOf(honest).filter((id) => !kept.has(id)),
        [],
      );
    }),
    {
      numRuns: 300,
      examples: [
        // A thief within the hour of the last good one, and before midnight.
        [
          {
            good: [2747, 0],
            silentHours: 0,
            evil: [{ like: 15, plusHours: 0, shift: 1, minute: 0 }],
          },
          { daily: 2 },
        ],
      ],
    },
  );
});
