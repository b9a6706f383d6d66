/**
 * forget: deletes the snapshots that no keep rule keeps. The record that explains it is stored before the first of them
 * is deleted, so that a run which is stopped anywhere leaves nothing unexplained; the next one goes on. Never a
 * machine's newest, and never one that a ticket may still fetch. The space is freed by prune.
 */
import type { Emit } from '../../base/events.ts';
import { countText } from '../../base/quantity-text.ts';
import type { Random } from '../../crypto/sodium.ts';
import { writeForgetRecord } from '../../repository/forget-records.ts';
import type { History } from '../../repository/history.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import type { StoredSnapshot } from '../../repository/snapshot-list.ts';
import { readTicketsLeft } from '../../repository/tickets-left.ts';
import type { StoredObject } from '../prune/prune-plan.ts';
import { sweep, type RefusedDelete } from '../prune/sweep.ts';
import { planForget, type Doomed, type ForgetPlan } from './forget-plan.ts';
import { findNotWhole } from './not-whole.ts';
import type { KeepRules } from './retention.ts';

export type ForgetRequest = {
  /** As it was read a moment ago. */
  readonly history: History;
  readonly rules: KeepRules;
  /** Of which installs; undefined: of all. */
  readonly isMeant?: (snapshot: StoredSnapshot) => boolean;
  /** Nothing is stored or deleted. */
  readonly dryRun?: boolean;
};

export type ForgetDeps = {
  readonly repository: ReaderRepository;
  readonly random: Random;
  readonly emit: Emit;
  /** Asked once the plan stands, before anything is changed; throws when it is not to be. */
  readonly approve?: (plan: ForgetPlan) => Promise<void>;
};

export type Forgotten = {
  readonly plan: ForgetPlan;
  /** Forget records that this run stored. */
  readonly records: readonly string[];
  /** Names of objects: snapshots, grants, claims and receipts. */
  readonly deleted: readonly string[];
  readonly refused: readonly RefusedDelete[];
  /** Recorded as forgotten and not deleted: the run was cut short. The next one does it. */
  readonly left: readonly string[];
};

export async function forget(
  request: ForgetRequest,
  deps: ForgetDeps,
  signal: AbortSignal,
): Promise<Forgotten> {
  const { history, rules, isMeant = () => true } = request;
  const { repository, approve, emit } = deps;
  const { store } = repository;
  const nowMs = await store.dateMs(signal);
  const tickets = await readTicketsLeft(repository, nowMs, signal);
  const torn = await findNotWhole(repository, history.snapshots, signal);
  const plan = planForget({ history, rules, isMeant, tickets, torn, nowMs });
  const objects = [...plan.doomed.map(({ snapshot }) => objectOf(snapshot)), ...plan.tickets];
  const nothing = { plan, records: [], deleted: [], refused: [], left: [] };
  if (request.dryRun === true || objects.length === 0) return nothing;
  await approve?.(plan);
  emit({ type: 'stage', stage: 'forget', detail: countText(plan.doomed.length, 'snapshot') });
  const records = await recordAll(plan.doomed, deps, signal);
  const { deleted, refused, left } = await sweep(store, objects, nowMs, signal);
  const names = (all: readonly StoredObject[]): string[] => all.map(({ name }) => name);
  return { plan, records, deleted: names(deleted), refused, left: names(left) };
}

/** One record for each machine, of what no record names yet. */
async function recordAll(
  doomed: readonly Doomed[],
  { repository, random }: ForgetDeps,
  signal: AbortSignal,
): Promise<string[]> {
  const fresh = doomed.filter(({ reasons }) => reasons.every(({ rule }) => rule !== 'recorded'));
  const records: string[] = [];
  for (const [writer, own] of Map.groupBy(fresh, ({ snapshot }) => snapshot.writer)) {
    const snapshots = own.map(({ snapshot: { cover, digest } }) => ({
      sequence: cover.sequence,
      digest,
    }));
    records.push(await writeForgetRecord(repository, { writer, snapshots }, random, signal));
  }
  return records;
}

const objectOf = ({ name, storedMs }: StoredSnapshot): StoredObject => ({
  name,
  size: 0,
  modifiedMs: storedMs,
});
