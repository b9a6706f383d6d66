/**
 * What a prune will do, from what the store shows. A pure function: P1 to P3 of "Write order" in ARCHITECTURE.md stand
 * here as rules about names and ages, all by the store's own time.
 */
import { DAY_MS } from '../../base/durations.ts';
import type { Tombstone } from '../../repository/tombstones.ts';

/** The grace period: for how long what is announced stays, and what is new is left alone. */
export const GRACE = { defaultMs: 14 * DAY_MS, leastMs: 8 * DAY_MS } as const;
/**
 * What is deleted is named by a tombstone that every listing shows by then, and that stays until no listing shows what
 * was deleted: one day for a listing that lags, one in which the deleting ends. Long enough that a prune which comes
 * once a month still finds what it announced covered. The same for whoever prunes.
 */
const COVER = { fromMs: DAY_MS, untilMs: 46 * DAY_MS } as const;
const TOMBSTONE_LIFE_MS = COVER.untilMs + 2 * DAY_MS;

export type StoredObject = {
  readonly name: string;
  readonly size: number;
  readonly modifiedMs: number;
};

export type PruneFacts = {
  readonly graceMs: number;
  /** The store's, before anything was listed. */
  readonly nowMs: number;
  /** Valid ones, read before the rest was listed. */
  readonly tombstones: readonly Tombstone[];
  /** Packs and pack lists, listed before the snapshots. */
  readonly stored: ReadonlyMap<string, StoredObject>;
  /** Packs and pack lists that snapshots need. */
  readonly used: ReadonlySet<string>;
};

export type PrunePlan = {
  /** P1: unused and old enough; announced by this run. */
  readonly announce: readonly StoredObject[];
  /** P2: announced long enough ago, still unused and still covered; deleted by this run. */
  readonly sweep: readonly StoredObject[];
  /** What the tombstone of this run names; empty: it needs none. */
  readonly condemn: readonly string[];
  /** P3: tombstones of which nothing is left afterwards. */
  readonly spent: readonly Tombstone[];
  /** Announced by an earlier run, and not for long enough; or so long ago that this run does it again. */
  readonly waiting: readonly StoredObject[];
  /** When the first of them may be deleted. */
  readonly waitingUntilMs: number | undefined;
  /** Unused, and too new to be announced: a push may be about to use it. */
  readonly young: readonly StoredObject[];
  /** Announced, and needed by a snapshot: never deleted. */
  readonly needed: readonly StoredObject[];
};

export function planPrune(facts: PruneFacts): PrunePlan {
  const { graceMs, nowMs, tombstones, used } = facts;
  const ageOf = ({ modifiedMs }: { readonly modifiedMs: number }): number => nowMs - modifiedMs;
  const ripe = namesOf(tombstones.filter((one) => ageOf(one) >= graceMs));
  const announced = namesOf(tombstones);
  const stored = [...facts.stored.values()];
  const unused = stored.filter(({ name }) => !used.has(name));
  const fresh = unused.filter(({ name }) => !announced.has(name));
  const announce = fresh.filter((one) => ageOf(one) >= graceMs);
  const lasting = tombstones.filter((one) => ageOf(one) <= COVER.untilMs);
  const covering = namesOf(lasting.filter((one) => ageOf(one) >= COVER.fromMs));
  const sweep = unused.filter(({ name }) => ripe.has(name) && covering.has(name));
  const going = namesIn(sweep);
  const waiting = unused.filter(({ name }) => announced.has(name) && !going.has(name));
  const soonCovering = namesOf(lasting);
  const uncovered = waiting.filter(({ name }) => !soonCovering.has(name));
  const stays = (name: string): boolean => facts.stored.has(name) && !going.has(name);
  return {
    announce,
    sweep,
    condemn: [...announce, ...uncovered].map(({ name }) => name),
    spent: tombstones.filter(
      (one) => ageOf(one) >= TOMBSTONE_LIFE_MS && !one.condemned.some(stays),
    ),
    waiting,
    waitingUntilMs: sweepableMs(facts, waiting, ripe),
    young: fresh.filter((one) => ageOf(one) < graceMs),
    needed: stored.filter(({ name }) => used.has(name) && announced.has(name)),
  };
}

const namesIn = (objects: readonly StoredObject[]): ReadonlySet<string> =>
  new Set(objects.map(({ name }) => name));

const namesOf = (tombstones: readonly Tombstone[]): ReadonlySet<string> =>
  new Set(tombstones.flatMap(({ condemned }) => condemned));

/** When the first of what waits may be deleted. */
function sweepableMs(
  { graceMs, nowMs, tombstones }: PruneFacts,
  waiting: readonly StoredObject[],
  ripe: ReadonlySet<string>,
): number | undefined {
  if (waiting.length === 0) return undefined;
  // What lacks only its cover has it in a day.
  if (waiting.some(({ name }) => ripe.has(name))) return nowMs + COVER.fromMs;
  const names = namesIn(waiting);
  const holding = tombstones.filter(({ condemned }) => condemned.some((name) => names.has(name)));
  return Math.min(...holding.map(({ modifiedMs }) => modifiedMs)) + graceMs;
}
