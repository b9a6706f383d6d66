/**
 * forget, of what the owner gives up: numbers of a machine's chain that are missing and that nobody will bring back,
 * and single snapshots by their ids, also such as cannot be read. A signed record comes first, as always. What was
 * lost is recorded by its number alone, so that a mirror which still has it keeps it.
 */
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import type { Random } from '../../crypto/sodium.ts';
import { FORGOTTEN_MAX, LOST_DIGEST, type ForgottenSnapshot } from '../../format/forget-record.ts';
import { parseWriterObjectName, type WriterId } from '../../format/names.ts';
import { writeForgetRecord } from '../../repository/forget-records.ts';
import {
  allRollbacks,
  findGaps,
  findHoles,
  forgottenOf,
  type History,
} from '../../repository/history.ts';
import { lostOf, rangesOf, type Hole, type Numbers } from '../../repository/lost.ts';
import type { MachineState } from '../../repository/machine.ts';
import { timeText } from '../../repository/objects.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import type { StoredSnapshot } from '../../repository/snapshot-list.ts';
import { readTicketsLeft } from '../../repository/tickets-left.ts';
import { sweep, type RefusedDelete } from '../prune/sweep.ts';

export type GiveUpRequest = {
  /** As it was read a moment ago. */
  readonly history: History;
  /** What this machine has seen. */
  readonly marks: MachineState['highWater'];
  /** Every number that is missing and that nothing explains. */
  readonly missing: boolean;
  readonly named: readonly NamedSnapshot[];
  /** Nothing is stored or deleted. */
  readonly dryRun?: boolean;
};

/** By its object; `why` says why it is of no use to a prune, with `snapshot` where its cover can be read at least. */
export type NamedSnapshot = {
  readonly name: string;
  readonly why?: string;
  readonly snapshot?: StoredSnapshot;
};

export type GiveUpDeps = {
  readonly repository: ReaderRepository;
  readonly random: Random;
  readonly emit: Emit;
  /** Asked once the plan stands, before anything is changed; throws when it is not to be. */
  readonly approve?: (plan: GiveUpPlan) => Promise<void>;
};

export type GiveUpPlan = {
  /** Numbers that will count as lost. */
  readonly lost: readonly Hole[];
  readonly named: readonly NamedSnapshot[];
};

export type GivenUp = {
  readonly plan: GiveUpPlan;
  readonly records: readonly string[];
  readonly deleted: readonly string[];
  readonly refused: readonly RefusedDelete[];
  readonly left: readonly string[];
};

/** @throws usage for what stays: the newest of an install, what a ticket may still fetch */
export async function giveUp(
  request: GiveUpRequest,
  deps: GiveUpDeps,
  signal: AbortSignal,
): Promise<GivenUp> {
  const { repository, approve, emit } = deps;
  const { store } = repository;
  const nowMs = await store.dateMs(signal);
  const { granted } = await readTicketsLeft(repository, nowMs, signal);
  for (const one of request.named) refuseNeeded(one, request.history, granted);
  const plan = { lost: rangesOf(lostNumbers(request), request.history), named: request.named };
  const nothing = { plan, records: [], deleted: [], refused: [], left: [] };
  if (request.dryRun === true || plan.lost.length + plan.named.length === 0) return nothing;
  await approve?.(plan);
  emit({ type: 'stage', stage: 'forget' });
  const records = await recordAll(plan, request.history, deps, signal);
  const objects = plan.named.map(({ name }) => ({ name, size: 0, modifiedMs: nowMs }));
  const { deleted, refused, left } = await sweep(store, objects, nowMs, signal);
  const names = (all: readonly { readonly name: string }[]): string[] =>
    all.map(({ name }) => name);
  return { plan, records, deleted: names(deleted), refused, left: names(left) };
}

function refuseNeeded(
  { name, why, snapshot }: NamedSnapshot,
  { snapshots }: History,
  granted: ReadonlyMap<string, number>,
): void {
  const id = parseWriterObjectName(name)?.id ?? '';
  const untilMs = granted.get(id);
  if (untilMs !== undefined) {
    throw new FerryError('usage', `a ticket may still fetch ${id} until ${timeText(untilMs)}`, {
      hint: 'stateferry handoff --cancel ends it, where it was made.',
    });
  }
  if (why !== undefined || !snapshot) return;
  const { writer, machine, cover } = snapshot;
  const isNewer = (one: StoredSnapshot): boolean =>
    one.writer === writer &&
    one.cover.install === cover.install &&
    one.cover.sequence > cover.sequence;
  if (snapshots.some(isNewer)) return;
  throw new FerryError('usage', `${id} is the newest of ${cover.install}@${machine}, which stays`, {
    hint: 'It says how far the snapshots of that machine reach. Push another one first.',
  });
}

type Range = Omit<Hole, 'machine'>;

/** Of each writer; what records say already needs no other one. */
function lostNumbers({ history, marks, missing, named }: GiveUpRequest): Numbers {
  const above = rangesAbove(history, marks);
  const ranges: Range[] = missing ? [...findHoles(history), ...above] : [];
  const unreadable = named.filter(({ snapshot }) => !snapshot);
  for (const writer of new Set(unreadable.map(({ name }) => parseWriterObjectName(name)?.writer))) {
    const own = [...findGaps(history), ...above].filter((one) => one.writer === writer);
    // With more gaps than damaged objects nobody can tell which number each of them had.
    const damaged = writer ? (history.unreadable.get(writer) ?? 0) : 0;
    if (countOf(own) <= damaged) ranges.push(...own);
  }
  for (const { why, snapshot } of named) {
    if (why === undefined || !snapshot) continue;
    const { sequence } = snapshot.cover;
    ranges.push({ writer: snapshot.writer, first: sequence, last: sequence });
  }
  const lost = lostOf(history.records);
  const numbers = [...numbersIn(ranges)];
  return new Map(
    numbers.map(([writer, own]) => [writer, own.difference(lost.get(writer) ?? new Set())]),
  );
}

/** From the newest that is shown up to what a witness has seen, but for what was forgotten. */
function rangesAbove(history: History, marks: MachineState['highWater']): Range[] {
  const forgotten = forgottenOf(history.records);
  return allRollbacks(history, marks).flatMap(({ writer, seen, shown }) => {
    const first = (shown?.sequence ?? 0) + 1;
    // A record speaks of one that is newer than any that it names.
    const last = seen.snapshot === undefined ? seen.sequence + 1 : seen.sequence;
    const known = new Set(forgotten.get(writer)?.values());
    const numbers = numbersIn([{ writer, first, last }]).get(writer) ?? new Set();
    return [...numbers.difference(known)].map((number) => ({
      writer,
      first: number,
      last: number,
    }));
  });
}

const countOf = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);

/** @throws history-rolled-back for more than any machine has made */
function numbersIn(ranges: readonly Range[]): Map<WriterId, Set<number>> {
  const count = countOf(ranges);
  if (count > FORGOTTEN_MAX) {
    throw new FerryError('history-rolled-back', `${count} snapshots are missing, which cannot be`, {
      hint: 'A machine has made up its numbers: stateferry machines revoke NAME --last SNAPSHOT',
    });
  }
  const numbers = new Map<WriterId, Set<number>>();
  for (const { writer, first, last } of ranges) {
    const own = numbers.get(writer) ?? new Set<number>();
    for (let number = first; number <= last; number++) own.add(number);
    numbers.set(writer, own);
  }
  return numbers;
}

/** One record for each machine, of what no record names yet. */
async function recordAll(
  { lost, named }: GiveUpPlan,
  { records }: History,
  { repository, random }: GiveUpDeps,
  signal: AbortSignal,
): Promise<string[]> {
  const places = new Map<WriterId, ForgottenSnapshot[]>();
  const add = (writer: WriterId, place: ForgottenSnapshot): void =>
    void places.set(writer, [...(places.get(writer) ?? []), place]);
  for (const [writer, own] of numbersIn(lost)) {
    places.set(
      writer,
      [...own].map((sequence) => ({ sequence, digest: LOST_DIGEST })),
    );
  }
  const forgotten = forgottenOf(records);
  for (const { why, snapshot } of named) {
    if (why !== undefined || !snapshot) continue;
    const { writer, digest, cover } = snapshot;
    if (!forgotten.get(writer)?.has(digest)) add(writer, { sequence: cover.sequence, digest });
  }
  const names: string[] = [];
  for (const [writer, snapshots] of places) {
    names.push(await writeForgetRecord(repository, { writer, snapshots }, random, signal));
  }
  return names;
}
