/**
 * What a prune will do, from what the store shows. A pure function: P1 to P3 of "Write order" in ARCHITECTURE.md stand
 * here as rules about names and ages, all by the store's own time.
 */
import type { Tombstone } from '../repository/tombstones.ts';

export const DAY_MS = 24 * 60 * 60 * 1000;
/** The grace period: for how long what is announced stays, and what is new is left alone. */
export const GRACE = { defaultMs: 14 * DAY_MS, leastMs: 8 * DAY_MS } as const;
/**
 * What is deleted stays announced for two days more: one in which the deleting ends, and one for which a listing may
 * still show it to a push. No tombstone goes before the least grace period, whoever prunes.
 */
const COVER_AGE_MAX_MS = GRACE.leastMs - 2 * DAY_MS;

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
  /** P2: announced long enough ago and still unused; deleted by this run. */
  readonly sweep: readonly StoredObject[];
  /** What the tombstone of this run names; empty: it needs none. */
  readonly condemn: readonly string[];
  /** P3: tombstones of which nothing is left afterwards. */
  readonly spent: readonly Tombstone[];
  /** Announced by an earlier run, and not for long enough. */
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
  const isRipe = ({ modifiedMs }: Tombstone): boolean => nowMs - modifiedMs >= graceMs;
  const ripe = namesOf(tombstones.filter(isRipe));
  const announced = namesOf(tombstones);
  const stored = [...facts.stored.values()];
  const unused = stored.filter(({ name }) => !used.has(name));
  const fresh = unused.filter(({ name }) => !announced.has(name));
  const isOld = ({ modifiedMs }: StoredObject): boolean => nowMs - modifiedMs >= graceMs;
  const announce = fresh.filter(isOld);
  const sweep = unused.filter(({ name }) => ripe.has(name));
  const waiting = unused.filter(({ name }) => announced.has(name) && !ripe.has(name));
  const covered = namesOf(tombstones.filter((one) => nowMs - one.modifiedMs <= COVER_AGE_MAX_MS));
  const uncovered = sweep.filter(({ name }) => !covered.has(name));
  const going = new Set(sweep.map(({ name }) => name));
  const stays = (name: string): boolean => facts.stored.has(name) && !going.has(name);
  return {
    announce,
    sweep,
    condemn: [...announce, ...uncovered].map(({ name }) => name),
    spent: tombstones.filter((one) => isRipe(one) && !one.condemned.some(stays)),
    waiting,
    waitingUntilMs: ripeAtMs(tombstones, waiting, graceMs),
    young: fresh.filter((one) => !isOld(one)),
    needed: stored.filter(({ name }) => used.has(name) && announced.has(name)),
  };
}

const namesOf = (tombstones: readonly Tombstone[]): ReadonlySet<string> =>
  new Set(tombstones.flatMap(({ condemned }) => condemned));

function ripeAtMs(
  tombstones: readonly Tombstone[],
  waiting: readonly StoredObject[],
  graceMs: number,
): number | undefined {
  if (waiting.length === 0) return undefined;
  const names = new Set(waiting.map(({ name }) => name));
  const holding = tombstones.filter(({ condemned }) => condemned.some((name) => names.has(name)));
  return Math.min(...holding.map(({ modifiedMs }) => modifiedMs)) + graceMs;
}
