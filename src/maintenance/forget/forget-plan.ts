/** What a forget will do, from what the repository shows. A pure function: P4 of "Write order" in ARCHITECTURE.md. */
import { LOST_DIGEST } from '../../format/forget-record.ts';
import type { WriterId } from '../../format/names.ts';
import type { StoredForgetRecord } from '../../repository/forget-records.ts';
import { forgottenOf, type History } from '../../repository/history.ts';
import type { StoredSnapshot } from '../../repository/snapshot-list.ts';
import type { TicketsLeft } from '../../repository/tickets-left.ts';
import type { StoredObject } from '../prune/prune-plan.ts';
import {
  applyKeepRules,
  type ForgetReason,
  type KeepReason,
  type KeepRules,
  type Verdict,
} from './retention.ts';

/**
 * More than usual is more than this, a month of nights, and more than so many times the usual of that machine: the
 * median of what the last few forgets took of it, so that one large one makes no other large one usual.
 */
export const USUAL = { leastCount: 30, times: 4, records: 8 } as const;

export type Kept = {
  readonly snapshot: StoredSnapshot;
  /** The time that counts, which is not always the one that its writer says. */
  readonly timeMs: number;
  readonly reasons: readonly (
    | KeepReason
    /** The newest of its install that is whole, as far as can be seen. */
    | { readonly rule: 'whole' }
    /** A pack or the list of its packs is missing: rules keep another one for it too. */
    | { readonly rule: 'torn' }
    /** A ticket may still fetch it. */
    | { readonly rule: 'granted'; readonly untilMs: number }
  )[];
};

export type Doomed = {
  readonly snapshot: StoredSnapshot;
  readonly timeMs: number;
  readonly reasons: readonly (
    | ForgetReason
    /** A record names it already: an earlier run was interrupted, or was refused the deletion. */
    | { readonly rule: 'recorded' }
    /** By a person, by its id. */
    | { readonly rule: 'named' }
  )[];
};

/** A machine of which this run would forget more than usual. */
export type Unusual = {
  readonly writer: WriterId;
  readonly machine: string;
  readonly count: number;
  /** 0: nothing of it was ever forgotten. */
  readonly usual: number;
};

export type ForgetPlan = {
  /** Both oldest first. */
  readonly kept: readonly Kept[];
  readonly doomed: readonly Doomed[];
  /** Dead grants, claims and receipts. */
  readonly tickets: readonly StoredObject[];
  readonly unusual: readonly Unusual[];
  /** The store's time. */
  readonly nowMs: number;
};

export type ForgetFacts = {
  readonly history: History;
  readonly rules: KeepRules;
  /** Of which installs; the others are not touched and not in the plan. */
  readonly isMeant: (snapshot: StoredSnapshot) => boolean;
  readonly tickets: TicketsLeft;
  /** Ids of snapshots that cannot be restored whole. */
  readonly torn: ReadonlySet<string>;
  readonly nowMs: number;
};

export function planForget(facts: ForgetFacts): ForgetPlan {
  const { history, tickets, nowMs } = facts;
  const verdicts = judge(facts).filter(({ snapshot }) => facts.isMeant(snapshot));
  const kept: Kept[] = [];
  const doomed: Doomed[] = [];
  for (const verdict of verdicts) {
    const { snapshot, timeMs } = verdict;
    const untilMs = tickets.granted.get(snapshot.id);
    const granted = untilMs === undefined ? [] : [{ rule: 'granted', untilMs } as const];
    if (verdict.keep) kept.push({ snapshot, timeMs, reasons: [...verdict.reasons, ...granted] });
    else if (granted.length > 0) kept.push({ snapshot, timeMs, reasons: granted });
    else doomed.push({ snapshot, timeMs, reasons: verdict.reasons });
  }
  const unusual = findUnusual(doomed, history.records);
  return { kept, doomed, tickets: tickets.dead, unusual, nowMs };
}

type Judged = { readonly snapshot: StoredSnapshot; readonly timeMs: number } & (
  | { readonly keep: true; readonly reasons: Kept['reasons'] }
  | { readonly keep: false; readonly reasons: Doomed['reasons'] }
);

/** What a record names already goes whatever the rules say now, and takes nobody's place; but never the newest. */
function judge({ history, rules, torn, nowMs }: ForgetFacts): Judged[] {
  const forgotten = forgottenOf(history.records);
  const newest = new Map<WriterId, number>();
  for (const { writer, cover } of history.snapshots) {
    newest.set(writer, Math.max(cover.sequence, newest.get(writer) ?? 0));
  }
  const isGoing = ({ writer, digest, cover }: StoredSnapshot): boolean =>
    forgotten.get(writer)?.has(digest) === true && cover.sequence !== newest.get(writer);
  const [going, counted] = split(history.snapshots, isGoing);
  const taken = new Map([...forgotten].map(([writer, own]) => [writer, new Set(own.values())]));
  const ranked = counted.map((snapshot) => ({ ...rankOf(snapshot), snapshot }));
  const others = withoutPresent(taken, counted, forgotten);
  const judged = (some: typeof ranked): Judged[] =>
    applyKeepRules(some, rules, others, nowMs).map(unwrapped);
  const ofAll = judged(ranked);
  const whole = ranked.filter(({ id }) => !torn.has(id));
  const ofWhole = whole.length === ranked.length ? [] : judged(whole);
  const recorded = going.map((snapshot): Judged => ({
    snapshot,
    timeMs: Date.parse(snapshot.cover.time),
    keep: false,
    reasons: [{ rule: 'recorded' }],
  }));
  return [...recorded, ...keptByEither(ofAll, ofWhole, torn)].toSorted(byTime);
}

/** One that is torn takes nobody's place: what rules keep without it stays too, and it goes no sooner than it would. */
function keptByEither(
  ofAll: readonly Judged[],
  ofWhole: readonly Judged[],
  torn: ReadonlySet<string>,
): Judged[] {
  const whole = new Map(ofWhole.map((one) => [one.snapshot.id, one]));
  return ofAll.map((one): Judged => {
    if (one.keep) {
      const isTorn = torn.has(one.snapshot.id);
      return isTorn ? { ...one, reasons: [...one.reasons, { rule: 'torn' }] } : one;
    }
    const other = whole.get(one.snapshot.id);
    if (other?.keep !== true) return one;
    const reasons = other.reasons.map((reason) =>
      reason.rule === 'newest' ? ({ rule: 'whole' } as const) : reason,
    );
    return { ...one, keep: true, reasons };
  });
}

/** A newest one that a record names is no fork of itself. */
function withoutPresent(
  taken: ReadonlyMap<WriterId, ReadonlySet<number>>,
  counted: readonly StoredSnapshot[],
  forgotten: ReadonlyMap<WriterId, ReadonlyMap<string, number>>,
): ReadonlyMap<WriterId, ReadonlySet<number>> {
  const own = counted.filter(({ writer, digest }) => forgotten.get(writer)?.has(digest));
  const present = Map.groupBy(own, ({ writer }) => writer);
  return new Map(
    [...taken].map(([writer, numbers]) => {
      const there = new Set(present.get(writer)?.map(({ cover }) => cover.sequence));
      return [writer, numbers.difference(there)];
    }),
  );
}

const rankOf = ({ id, writer, machine, cover, storedMs }: StoredSnapshot) => ({
  id,
  writer,
  machine,
  install: cover.install.replace(/:default$/, ''),
  label: cover.label,
  sequence: cover.sequence,
  claimedMs: Date.parse(cover.time),
  storedMs,
});

type Wrapped = ReturnType<typeof rankOf> & { readonly snapshot: StoredSnapshot };

function unwrapped(verdict: Verdict<Wrapped>): Judged {
  const { snapshot } = verdict.snapshot;
  const { timeMs } = verdict;
  return verdict.keep
    ? { snapshot, timeMs, keep: true, reasons: verdict.reasons }
    : { snapshot, timeMs, keep: false, reasons: verdict.reasons };
}

const byTime = (a: Judged, b: Judged): number =>
  a.timeMs - b.timeMs || a.snapshot.cover.sequence - b.snapshot.cover.sequence;

function findUnusual(doomed: readonly Doomed[], records: readonly StoredForgetRecord[]): Unusual[] {
  const fresh = doomed.filter(({ reasons }) => reasons.every(({ rule }) => rule !== 'recorded'));
  const byWriter = Map.groupBy(fresh, ({ snapshot }) => snapshot.writer);
  return [...byWriter].flatMap(([writer, going]) => {
    const count = going.length;
    const own = records.filter((record) => record.writer === writer);
    const sizes = own.flatMap(({ snapshots }) => {
      const { length } = snapshots.filter(({ digest }) => digest !== LOST_DIGEST);
      return length > 0 ? [length] : [];
    });
    const usual = median(sizes.slice(-USUAL.records));
    if (count <= Math.max(USUAL.leastCount, USUAL.times * usual)) return [];
    return [{ writer, machine: going[0]?.snapshot.machine ?? '', count, usual }];
  });
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [first: T[], second: T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}
