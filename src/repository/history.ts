/**
 * The history of a repository: each writer's snapshots are a chain, and forget records explain its holes. What is
 * missing without one was not deleted by anybody who may: it was rolled back, hidden or lost.
 */
import type { Emit, FerryEvent } from '../base/events.ts';
import { LOST_DIGEST } from '../format/forget-record.ts';
import { parseId, parseWriterObjectName, type WriterId } from '../format/names.ts';
import { listDrills, type OpenedDrill, type StoredDrill } from './drill-records.ts';
import { readForgetRecords, type StoredForgetRecord } from './forget-records.ts';
import { lostOf, type Hole } from './lost.ts';
import type { HighWaterMark, MachineState } from './machine.ts';
import type { ReaderRepository, WriterRepository } from './open.ts';
import { timeText } from './objects.ts';
import { authorsOf, listSnapshots, type StoredSnapshot } from './snapshot-list.ts';
import type { SnapshotAuthor } from './snapshots.ts';

export type History = {
  /** Oldest first. */
  readonly snapshots: readonly StoredSnapshot[];
  /** Oldest first; of every writer, whoever asks. */
  readonly records: readonly StoredForgetRecord[];
  /** Oldest first; each is a witness to how far everybody's snapshots reached. */
  readonly drills: readonly StoredDrill[];
  /** Whose snapshots these may be. */
  readonly authors: ReadonlyMap<WriterId, SnapshotAuthor>;
  /** How many of each writer are listed and could not be read or verified; they were announced. */
  readonly unreadable: ReadonlyMap<WriterId, number>;
};

/** Everything that counts. What cannot be verified is announced as a problem and left out. */
export async function readHistory(
  repository: ReaderRepository | WriterRepository,
  emit: Emit,
  signal: AbortSignal,
): Promise<History> {
  const first = await lookOnce(repository, signal);
  // Somebody may have pushed, forgotten and deleted while we looked: what looks missing is looked for twice.
  const seen = isPuzzling(first) ? await lookOnce(repository, signal) : first;
  for (const event of seen.events) emit(event);
  return seen;
}

type Look = History & { readonly events: readonly FerryEvent[] };

async function lookOnce(
  repository: ReaderRepository | WriterRepository,
  signal: AbortSignal,
): Promise<Look> {
  const events: FerryEvent[] = [];
  const hear: Emit = (event) => void events.push(event);
  // Before the snapshots: what a drill saw was stored before it, and is listed after it.
  const drills = await listDrills(repository, hear, signal);
  const snapshots = await listSnapshots(repository, hear, signal);
  // After the snapshots: the record of one that was not listed any more was stored before that.
  const records = await readForgetRecords(repository, hear, signal);
  const unreadable = countUnreadable(events);
  return { snapshots, records, drills, authors: authorsOf(repository), unreadable, events };
}

function countUnreadable(events: readonly FerryEvent[]): ReadonlyMap<WriterId, number> {
  const counts = new Map<WriterId, number>();
  for (const event of events) {
    const parsed = event.type === 'problem' ? parseWriterObjectName(event.path) : undefined;
    if (parsed) counts.set(parsed.writer, (counts.get(parsed.writer) ?? 0) + 1);
  }
  return counts;
}

const isPuzzling = (look: Look): boolean =>
  look.events.some((event) => event.type === 'problem' && event.code === 'object-missing') ||
  findHoles(look).length > 0 ||
  findRollbacks(look, {}).length > 0;

/**
 * Below the newest that is shown of each writer; what may be missing above it, `findRollbacks` says. Of a revoked
 * machine whatever its revocation names is asked for too. As many as were announced as unreadable are no holes as well.
 */
export function findHoles(history: Omit<History, 'drills'>): Hole[] {
  const gaps = Map.groupBy(findGaps(history), ({ writer }) => writer);
  return [...gaps].flatMap(([writer, own]) => {
    const count = own.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    return count <= (history.unreadable.get(writer) ?? 0) ? [] : own;
  });
}

/** Holes, whether or not something unreadable may be what is missing in them. */
export function findGaps({
  snapshots,
  records,
  authors,
}: Pick<History, 'snapshots' | 'records' | 'authors'>): Hole[] {
  const forgotten = forgottenOf(records);
  const lost = lostOf(records);
  const shown = Map.groupBy(snapshots, ({ writer }) => writer);
  return [...new Set([...shown.keys(), ...authors.keys()])].flatMap((writer) => {
    const own = shown.get(writer) ?? [];
    const author = authors.get(writer);
    const explained = {
      forgotten: forgotten.get(writer) ?? new Map<string, number>(),
      lost: lost.get(writer) ?? new Set<number>(),
    };
    const ranges = missingRanges(own, explained);
    const machine = own[0]?.machine ?? author?.machine ?? '';
    return [...ranges, ...uncounted(author, own, explained, ranges)].map(([first, last]) => ({
      writer,
      machine,
      first,
      last,
    }));
  });
}

type Range = [first: number, last: number];

/** What records say of one writer. */
type Explained = {
  /** Numbers by digest. */
  readonly forgotten: ReadonlyMap<string, number>;
  /** Numbers that are accepted as lost, whatever followed them. */
  readonly lost: ReadonlySet<number>;
};

/** What a revocation says counts, and what is neither there nor explained; but for holes that are told already. */
function uncounted(
  author: SnapshotAuthor | undefined,
  own: readonly StoredSnapshot[],
  { forgotten, lost }: Explained,
  told: readonly Range[],
): Range[] {
  const digests = new Set([...own.map(({ digest }) => digest), ...forgotten.keys()]);
  const isTold = (number: number): boolean =>
    lost.has(number) || told.some(([first, last]) => first <= number && number <= last);
  return [...(author?.revoked?.digests ?? [])].flatMap(([digest, number]): Range[] =>
    digests.has(digest) || isTold(number) ? [] : [[number, number]],
  );
}

function missingRanges(own: readonly StoredSnapshot[], { forgotten, lost }: Explained): Range[] {
  const digests = new Set([...own.map(({ digest }) => digest), ...forgotten.keys()]);
  // A number counts as known only where nothing that follows it was based on something else.
  const unknown = own.flatMap(({ cover }) =>
    cover.previous === null || digests.has(cover.previous) ? [] : [cover.sequence - 1],
  );
  const numbers = new Set([...own.map(({ cover }) => cover.sequence), ...forgotten.values()]);
  for (const number of unknown) numbers.delete(number);
  for (const number of lost) numbers.add(number);
  const newest = own.reduce((highest, { cover }) => Math.max(highest, cover.sequence), 0);
  const ranges: Range[] = [];
  let expected = 1;
  for (const number of [...numbers].toSorted((a, b) => a - b)) {
    if (number > newest) break;
    if (number > expected) ranges.push([expected, number - 1]);
    expected = number + 1;
  }
  return ranges;
}

/** The numbers that were forgotten on purpose, by digest, of each writer. */
export function forgottenOf(
  records: readonly StoredForgetRecord[],
): ReadonlyMap<WriterId, ReadonlyMap<string, number>> {
  const forgotten = new Map<WriterId, Map<string, number>>();
  for (const { writer, snapshots } of records) {
    const own = forgotten.get(writer) ?? new Map<string, number>();
    for (const { digest, sequence } of snapshots) {
      if (digest !== LOST_DIGEST) own.set(digest, sequence);
    }
    forgotten.set(writer, own);
  }
  return forgotten;
}

/** A writer whose snapshots in the store end before what is known of it. */
export type Rollback = {
  readonly writer: WriterId;
  /** What this machine has seen; without `snapshot` it is a forget record that speaks of newer ones. */
  readonly seen: {
    readonly sequence: number;
    readonly time: string;
    readonly snapshot?: string;
    /** The machine whose drill saw it, where this one has not. */
    readonly drilledBy?: string;
  };
  /** The newest that the store shows now. */
  readonly shown: { readonly sequence: number; readonly time: string } | undefined;
};

/**
 * Compares with the marks of this machine, with what drills saw, and with forget records: a writer's newest snapshot is
 * never forgotten, so one above it is there. What the store shows must reach at least as far.
 */
export const findRollbacks = (history: History, marks: MachineState['highWater']): Rollback[] =>
  firstOfEach(allRollbacks(history, marks));

/** What every witness says that the store does not show, and that is not accepted as lost. */
export function allRollbacks(
  { snapshots, records, drills, authors }: History,
  marks: MachineState['highWater'],
): Rollback[] {
  const lost = lostOf(records);
  const shown = Map.groupBy(snapshots, ({ writer }) => writer);
  const beyond = (id: string, seen: HighWaterMark): Rollback[] => {
    const writer = id as WriterId;
    const own = shown.get(writer) ?? [];
    const isThere = own.some((one) => one.id === seen.snapshot && one.digest === seen.digest);
    // With newer ones there, a record explains that it is gone, or it is a hole.
    if (isThere || own.some(({ cover }) => cover.sequence > seen.sequence)) return [];
    if (lost.get(writer)?.has(seen.sequence)) return [];
    return [{ writer, seen, shown: newestOf(own) }];
  };
  // Of a revoked machine they may have seen some that do not count any more.
  const isAsked = (writer: WriterId): boolean => authors.get(writer)?.revoked === undefined;
  const forgotten = forgottenOf(records);
  const gaps = findGaps({ snapshots, records, authors });
  // What this machine has seen itself must be there or be missed: another one may have been put in its place.
  const isReplaced = (id: string, seen: HighWaterMark): boolean => {
    const writer = id as WriterId;
    const own = shown.get(writer) ?? [];
    const counts = authors.get(writer)?.revoked?.digests?.has(seen.digest) ?? true;
    const isExplained =
      forgotten.get(writer)?.has(seen.digest) === true ||
      lost.get(writer)?.has(seen.sequence) === true ||
      gaps.some((gap) => gap.writer === writer && isWithin(gap, seen.sequence));
    return counts && !isExplained && !own.some(({ digest }) => digest === seen.digest);
  };
  const byMarks = Object.entries(marks).flatMap(([id, seen]) => {
    const found = beyond(id, seen);
    if (found.length > 0 || !isReplaced(id, seen)) return found;
    const writer = id as WriterId;
    return [{ writer, seen, shown: newestOf(shown.get(writer) ?? []) }];
  });
  const byDrills = [...newestDrilled(drills)].flatMap(([writer, seen]) =>
    authors.has(writer) && isAsked(writer) ? beyond(writer, seen) : [],
  );
  const byRecords = [...newestRecords(records)].flatMap(([writer, seen]): Rollback[] => {
    const newest = newestOf(shown.get(writer) ?? []);
    const isNewer = (number: number): boolean => number > seen.sequence;
    const isThere = isNewer(newest?.sequence ?? 0) || [...(lost.get(writer) ?? [])].some(isNewer);
    if (isThere || !authors.has(writer) || !isAsked(writer)) return [];
    return [{ writer, seen, shown: newest }];
  });
  return [...byMarks, ...byDrills, ...byRecords];
}

const isWithin = ({ first, last }: Hole, number: number): boolean =>
  first <= number && number <= last;

/** Of several witnesses to the same machine one is enough. */
const firstOfEach = (all: readonly Rollback[]): Rollback[] =>
  all.filter(({ writer }, index) => all.findIndex((one) => one.writer === writer) === index);

type DrilledMark = HighWaterMark & { readonly drilledBy: string };

/** The highest number of each writer that a drill saw. */
function newestDrilled(drills: readonly OpenedDrill[]): ReadonlyMap<WriterId, DrilledMark> {
  const newest = new Map<WriterId, DrilledMark>();
  for (const { ranBy, body } of drills) {
    for (const { writer: id, ...seen } of body.seen) {
      const writer = parseId<WriterId>(id);
      if (!writer || seen.sequence <= (newest.get(writer)?.sequence ?? 0)) continue;
      newest.set(writer, { ...seen, drilledBy: ranBy });
    }
  }
  return newest;
}

function newestOf(own: readonly StoredSnapshot[]): Rollback['shown'] {
  const newest = own.toSorted((a, b) => b.cover.sequence - a.cover.sequence)[0];
  return newest && { sequence: newest.cover.sequence, time: newest.cover.time };
}

/** The highest number of each writer that a record names, with the time of that record. */
function newestRecords(
  records: readonly StoredForgetRecord[],
): ReadonlyMap<WriterId, Rollback['seen']> {
  const newest = new Map<WriterId, Rollback['seen']>();
  for (const { writer, snapshots, storedMs } of records) {
    const forgotten = snapshots.filter(({ digest }) => digest !== LOST_DIGEST);
    const sequence = forgotten.at(-1)?.sequence ?? 0;
    if (sequence <= (newest.get(writer)?.sequence ?? 0)) continue;
    newest.set(writer, { sequence, time: timeText(storedMs) });
  }
  return newest;
}
