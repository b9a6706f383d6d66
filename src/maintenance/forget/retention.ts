/**
 * Keep rules: which snapshots stay, as a pure function. Rules count for each machine and install by itself, so that
 * nothing which one machine stores can push out what another one stored.
 *
 * What is trusted: the store's own time of each object (`storedMs`), the number of the snapshot in its writer's chain,
 * and the name of its machine. The time in the cover is what its writer says of the store's clock. It is believed
 * only where it lies between the snapshot before it and the moment the store took it; otherwise it would let a stolen
 * machine date new snapshots into days long past, where the newest of each day pushes out the good one. No clock of
 * ours counts, and nothing is measured from now: the newest snapshot of a group is where counting begins, so that a
 * machine which is switched off for a year loses nothing by it.
 *
 * Periods are those of UTC: a day that ended is over for every machine, summer and winter.
 */

import { DAY_MS } from '../../base/durations.ts';
import { unreachable } from '../../base/errors.ts';

/** What the rules look at. */
export type Ranked = {
  readonly id: string;
  readonly writer: string;
  /** Whose install it is: the writer's own name, or with it the name of a machine that it copied from. */
  readonly machine: string;
  readonly install: string;
  readonly label: string | null;
  readonly sequence: number;
  /** What its writer says. */
  readonly claimedMs: number;
  /** What the store says. */
  readonly storedMs: number;
};

/** How many of each to keep; absent: the rule does not apply. */
export type KeepRules = {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** Everything this much older than the newest of its group, or less. */
  readonly withinMs?: number;
  readonly labels?: readonly string[];
};

export const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof PERIODS)[number];

export type KeepReason =
  | { readonly rule: 'newest' }
  /** Its number is that of another one too, so nobody can say which of them is in its place. */
  | { readonly rule: 'forked' }
  | { readonly rule: 'last' }
  | { readonly rule: Period; readonly period: string }
  | { readonly rule: 'within' }
  | { readonly rule: 'label'; readonly label: string };

/** Why a rule does not keep it. */
export type ForgetReason =
  /** A newer one stands for this period. */
  | { readonly rule: Period; readonly period: string; readonly by: string }
  /** The rule has kept as many as it may, and all of them are newer. */
  | { readonly rule: 'last' | Period | 'within' }
  | { readonly rule: 'label' };

export type Verdict<T extends Ranked> = {
  readonly snapshot: T;
  /** The time that counts. */
  readonly timeMs: number;
} & (
  | { readonly keep: true; readonly reasons: readonly KeepReason[] }
  | { readonly keep: false; readonly reasons: readonly ForgetReason[] }
);

/**
 * One verdict for each snapshot, oldest first.
 * @param taken numbers of each writer whose snapshots are forgotten: a second one with such a number is a fork
 * @param nowMs the store's time: what it says to have stored later than that, it stored while its clock was wrong
 */
export function applyKeepRules<T extends Ranked>(
  snapshots: readonly T[],
  rules: KeepRules,
  taken: ReadonlyMap<string, ReadonlySet<number>> = new Map(),
  nowMs = Infinity,
): Verdict<T>[] {
  const byWriter = Map.groupBy(snapshots, ({ writer }) => writer);
  return [...byWriter].flatMap(([writer, own]) => {
    const forked = forkedNumbers(own, taken.get(writer));
    const newest = own.reduce((highest, { sequence }) => Math.max(highest, sequence), 0);
    const groups = Map.groupBy(own, ({ machine, install }) => JSON.stringify([machine, install]));
    const dated = [...groups.values()].map((group) => datedInOrder(group, nowMs));
    return dated.flatMap((group) =>
      judgeGroup(group, rules, {
        isForked: ({ snapshot }) => forked.has(snapshot.sequence),
        isNewest: (one) => one === group.at(-1) || one.snapshot.sequence === newest,
      }),
    );
  });
}

type Dated<T extends Ranked> = { readonly snapshot: T; readonly timeMs: number };

/** By number, which an honest chain has each once; with the time that counts for each. */
function datedInOrder<T extends Ranked>(group: readonly T[], nowMs: number): Dated<T>[] {
  let beforeMs = -Infinity;
  const inOrder = group.toSorted((a, b) => a.sequence - b.sequence || a.storedMs - b.storedMs);
  return inOrder.map((snapshot) => {
    const { claimedMs, storedMs } = snapshot;
    const isBelieved = claimedMs >= beforeMs && claimedMs <= storedMs;
    const saidMs = isBelieved ? claimedMs : storedMs;
    // From a future: when it really was nobody knows, and it must not be what the others count as old from.
    const timeMs = saidMs <= nowMs + CLOCKS_APART_MS ? saidMs : Math.max(beforeMs, FIRST_MS);
    // Where the store's own clock once ran ahead, what came after it is dated by the store alone.
    beforeMs = timeMs;
    return { snapshot, timeMs };
  });
}

/** The machines behind one address may differ by as much. */
const CLOCKS_APART_MS = DAY_MS;
const FIRST_MS = 0;

function forkedNumbers(
  own: readonly Ranked[],
  taken: ReadonlySet<number> | undefined,
): ReadonlySet<number> {
  const seen = new Set(taken);
  const forked = new Set<number>();
  for (const { sequence } of own) {
    if (seen.has(sequence)) forked.add(sequence);
    seen.add(sequence);
  }
  return forked;
}

type Judging<T extends Ranked> = {
  readonly isForked: (one: Dated<T>) => boolean;
  readonly isNewest: (one: Dated<T>) => boolean;
};

/** @param group of one writer and install, in order */
function judgeGroup<T extends Ranked>(
  group: readonly Dated<T>[],
  rules: KeepRules,
  { isForked, isNewest }: Judging<T>,
): Verdict<T>[] {
  // A forked one takes nobody's place, and nobody its own.
  const counted = group
    .filter((one) => !isForked(one))
    .toSorted((a, b) => b.timeMs - a.timeMs || b.snapshot.sequence - a.snapshot.sequence);
  const judges = judgesOf(rules, counted[0]?.timeMs ?? 0);
  const judged = new Map(counted.map((one) => [one, judges.map((judge) => judge(one))]));
  return group.map((one) => {
    const answers = judged.get(one) ?? [];
    const kept: KeepReason[] = answers.flatMap((answer) => ('keep' in answer ? answer.keep : []));
    if (isNewest(one)) kept.unshift({ rule: 'newest' });
    if (isForked(one)) kept.push({ rule: 'forked' });
    if (kept.length > 0) return { ...one, keep: true, reasons: kept };
    return {
      ...one,
      keep: false,
      reasons: answers.flatMap((a) => ('forget' in a ? a.forget : [])),
    };
  });
}

type Answer = { readonly keep: KeepReason } | { readonly forget: ForgetReason };
/** Asked about each snapshot of a group, newest first. */
type Judge = (one: Dated<Ranked>) => Answer;

function judgesOf(rules: KeepRules, newestMs: number): Judge[] {
  const judges: Judge[] = [];
  if (rules.last !== undefined) judges.push(lastJudge(rules.last));
  for (const period of PERIODS) {
    const count = rules[period];
    if (count !== undefined) judges.push(periodJudge(period, count));
  }
  const { withinMs, labels } = rules;
  if (withinMs !== undefined) {
    judges.push(({ timeMs }) =>
      newestMs - timeMs <= withinMs ? { keep: { rule: 'within' } } : { forget: { rule: 'within' } },
    );
  }
  if (labels && labels.length > 0) {
    judges.push(({ snapshot: { label } }) =>
      label !== null && labels.includes(label)
        ? { keep: { rule: 'label', label } }
        : { forget: { rule: 'label' } },
    );
  }
  return judges;
}

function lastJudge(count: number): Judge {
  let left = count;
  return () => (left-- > 0 ? { keep: { rule: 'last' } } : { forget: { rule: 'last' } });
}

/** The newest of each of the last `count` periods in which there are any. */
function periodJudge(rule: Period, count: number): Judge {
  let left = count;
  let current: { readonly period: string; readonly by: string } | undefined;
  return ({ snapshot, timeMs }) => {
    const period = periodOf(rule, timeMs);
    if (current?.period === period) return { forget: { rule, ...current } };
    if (left === 0) return { forget: { rule } };
    left -= 1;
    current = { period, by: snapshot.id };
    return { keep: { rule, period } };
  };
}

/** `2026-11-21T05`, `2026-11-21`, `2026-W47`, `2026-11`, `2026`: in UTC. */
export function periodOf(rule: Period, timeMs: number): string {
  const text = new Date(timeMs).toISOString();
  // Beyond the year 9999 a date has more digits.
  const year = text.slice(0, text.indexOf('-', 1));
  switch (rule) {
    case 'hourly':
      return text.slice(0, year.length + 9);
    case 'daily':
      return text.slice(0, year.length + 6);
    case 'weekly':
      return isoWeek(timeMs);
    case 'monthly':
      return text.slice(0, year.length + 3);
    case 'yearly':
      return year;
    default:
      return unreachable(rule);
  }
}

/** Weeks begin on Monday and belong to the year that has their Thursday. */
function isoWeek(timeMs: number): string {
  const day = Math.floor(timeMs / DAY_MS);
  // 1 January 1970 was a Thursday.
  const weekday = (((day + 3) % 7) + 7) % 7;
  const thursday = new Date((day - weekday + 3) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const dayOfYear = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS);
  const week = Math.floor(dayOfYear / 7) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
