/**
 * Snapshots that the owner has accepted as lost: their numbers stand in forget records, without a digest. They are no
 * holes any more, and one that turns up again counts like any other.
 */
import { LOST_DIGEST } from '../format/forget-record.ts';
import type { WriterId } from '../format/names.ts';
import type { StoredForgetRecord } from './forget-records.ts';
import type { History } from './history.ts';

/** Numbers of a writer's chain, both included, that nothing is there for and nothing explains. */
export type Hole = {
  readonly writer: WriterId;
  readonly machine: string;
  readonly first: number;
  readonly last: number;
};

/** Of each writer. */
export type Numbers = ReadonlyMap<WriterId, ReadonlySet<number>>;

/** Those that did not turn up again. */
export function findLost(history: Pick<History, 'snapshots' | 'records' | 'authors'>): Hole[] {
  const shown = Map.groupBy(history.snapshots, ({ writer }) => writer);
  const numbers = [...lostOf(history.records)].map(([writer, own]) => {
    const there = new Set(shown.get(writer)?.map(({ cover }) => cover.sequence));
    return [writer, own.difference(there)] as const;
  });
  return rangesOf(new Map(numbers), history);
}

/** The numbers of each writer that the owner has accepted as lost. */
export function lostOf(records: readonly StoredForgetRecord[]): Numbers {
  const lost = new Map<WriterId, Set<number>>();
  for (const { writer, snapshots } of records) {
    const own = lost.get(writer) ?? new Set<number>();
    for (const { digest, sequence } of snapshots) if (digest === LOST_DIGEST) own.add(sequence);
    lost.set(writer, own);
  }
  return lost;
}

export function rangesOf(numbers: Numbers, { authors }: Pick<History, 'authors'>): Hole[] {
  const ranges: Hole[] = [];
  for (const [writer, own] of numbers) {
    const machine = authors.get(writer)?.machine ?? writer;
    for (const number of [...own].toSorted((a, b) => a - b)) {
      const before = ranges.at(-1);
      if (before?.writer === writer && before.last === number - 1) {
        ranges.splice(-1, 1, { ...before, last: number });
      } else ranges.push({ writer, machine, first: number, last: number });
    }
  }
  return ranges;
}
