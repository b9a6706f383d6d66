/**
 * Which drill records a prune takes away: not the last few of each machine, and not those that are a witness to the
 * newest snapshot of some machine that they saw. Each machine's records are judged by themselves, so that nothing which
 * one of them tells takes away what another one saw. A pure function.
 */
import type { StoredDrill } from '../../repository/drill-records.ts';

/** Half a year of weekly drills. */
export const DRILLS_KEPT = 26;

/** @param olderThanMs by the store's time: what is newer stays */
export function oldDrills(drills: readonly StoredDrill[], olderThanMs: number): StoredDrill[] {
  return [...Map.groupBy(drills, ({ writer }) => writer).values()].flatMap((own) => {
    const newestFirst = own.toSorted((a, b) => b.storedMs - a.storedMs || byName(a, b));
    const witnesses = witnessesAmong(newestFirst);
    return newestFirst
      .slice(DRILLS_KEPT)
      .filter((one) => one.storedMs <= olderThanMs && !witnesses.has(one));
  });
}

/** For each machine that was seen, the newest record that saw the highest number of it. */
function witnessesAmong(newestFirst: readonly StoredDrill[]): ReadonlySet<StoredDrill> {
  const highest = new Map<string, { sequence: number; drill: StoredDrill }>();
  for (const drill of newestFirst) {
    for (const { writer, sequence } of drill.body.seen) {
      if (sequence > (highest.get(writer)?.sequence ?? 0)) highest.set(writer, { sequence, drill });
    }
  }
  return new Set([...highest.values()].map(({ drill }) => drill));
}

const byName = (a: StoredDrill, b: StoredDrill): number => (a.name < b.name ? -1 : 1);
