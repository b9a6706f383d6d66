/** prune: what no snapshot needs any more is announced, and deleted by a later run. */
import { DAY_MS } from '../../base/durations.ts';
import { FerryError } from '../../base/errors.ts';
import { GRACE, type StoredObject } from '../../maintenance/prune/prune-plan.ts';
import { prune, type PlannedPrune, type Pruned } from '../../maintenance/prune/prune.ts';
import type { DryRun } from '../../maintenance/prune/store-look.ts';
import { timeText } from '../../repository/objects.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { printLocation, type Location } from '../../store/location.ts';
import { flag, textOption } from '../call.ts';
import { exitOfProblems } from '../keeping/checking.ts';
import { confirm } from '../confirm.ts';
import { startCost } from '../cost.ts';
import type { PruneAmount, PrunePlanShown, PruneSummary } from '../output/keeping/prune-summary.ts';
import { countText } from '../output/text/words.ts';
import { seenAt } from '../looking/history.ts';
import { keepLocked } from '../keeping/locking.ts';
import { readerAt } from '../places/repositories.ts';
import { repackFirst, repackLimit } from '../keeping/repacking.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runPrune(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const wish = pruneWish(call);
  const location = meantLocation(session);
  const repository = await readerAt(session, location);
  return pruneAt({ location, repository, costUntilNow }, wish, session);
}

export type PruneWish = {
  readonly graceMs: number;
  /** For repacking; undefined: nobody asked for it. */
  readonly movedBytesMax: number | undefined;
  readonly acceptMissing: boolean;
  readonly dryRun: DryRun | undefined;
};

/** @throws usage */
export const pruneWish = (call: Call): PruneWish => ({
  graceMs: graceOf(textOption(call, 'grace')),
  movedBytesMax: repackLimit(call),
  acceptMissing: flag(call, 'acceptMissing'),
  dryRun: flag(call, 'dryRun') ? {} : undefined,
});

export type PrunePlace = {
  readonly location: Location;
  readonly repository: ReaderRepository;
  readonly costUntilNow: ReturnType<typeof startCost>;
};

export async function pruneAt(
  { location, repository, costUntilNow }: PrunePlace,
  { graceMs, movedBytesMax, acceptMissing, dryRun }: PruneWish,
  session: Session,
): Promise<{ readonly exit: number; readonly summary: PruneSummary }> {
  const { emit, random, signal, output } = session;
  const { store } = repository;
  const oldVersions = (await store.oldVersions?.(signal)) ?? null;
  const shown = (plan: PlannedPrune): PrunePlanShown => ({
    verb: 'prune',
    repository: printLocation(location),
    ...planShown(plan, graceMs),
    oldVersions,
  });
  const approve = async (plan: PlannedPrune): Promise<void> => {
    output.plan(shown(plan));
    await confirm(session, questionFor(plan));
  };
  const deps = { repository, random, emit, approve };
  const seen = acceptMissing ? {} : { seen: seenAt(session, location) };
  const lockDays = oldVersions?.lockDays ?? null;
  const place = { repository, location: printLocation(location), lockDays };
  const repack = await repackFirst({ ...place, movedBytesMax, graceMs, dryRun, seen }, session);
  const pruned = await prune({ graceMs, dryRun, ...seen }, deps, signal);
  const locks = await keepLocked(session, repository, lockDays, dryRun !== undefined);
  if (dryRun) output.plan(shown(pruned.plan));
  return {
    exit: exitOfProblems([...pruned.refused, ...(locks?.refused ?? [])]),
    summary: {
      ...shown(pruned.plan),
      ...(dryRun && { dryRun: true }),
      ...doneOf(pruned, dryRun !== undefined, graceMs),
      repack,
      locks,
      ...costUntilNow([store]),
    },
  };
}

/** @throws usage */
function graceOf(typed: string | undefined): number {
  if (typed === undefined) return GRACE.defaultMs;
  const days = /^\d{1,4}d?$/.test(typed) ? Number.parseInt(typed, 10) : 0;
  if (days * DAY_MS >= GRACE.leastMs) return days * DAY_MS;
  throw new FerryError('usage', `--grace ${typed} is no number of days from 8 on`, {
    hint: 'A push that began before the announcement may take up to 8 days to show; 14 is the default.',
  });
}

function questionFor({ announce, ...plan }: PlannedPrune): string {
  const gone = plan.sweep.length + plan.indexes.length + plan.spent.length + plan.drills.length;
  if (gone === 0) return `Announce ${countText(announce.length, 'object')}?`;
  const also = announce.length > 0 ? `, and announce ${announce.length} more` : '';
  return `Delete ${countText(gone, 'object')}${also}?`;
}

function planShown(plan: PlannedPrune, graceMs: number) {
  const { waitingUntilMs } = plan;
  return {
    snapshots: plan.snapshots,
    stored: amountOf(plan.stored),
    announce: { ...amountOf(plan.announce), until: timeText(plan.nowMs + graceMs) },
    delete: amountOf([...plan.sweep, ...plan.indexes, ...plan.spent, ...plan.drills]),
    waiting: {
      ...amountOf(plan.waiting),
      until: waitingUntilMs === undefined ? null : timeText(waitingUntilMs),
    },
    young: amountOf(plan.young),
    needed: amountOf(plan.needed),
    changes: {
      put: plan.condemn.length > 0 ? 1 : 0,
      delete: plan.sweep.length + plan.indexes.length + plan.spent.length + plan.drills.length,
    },
  };
}

function doneOf(pruned: Pruned, dryRun: boolean, graceMs: number) {
  const { plan, deleted, refused, left } = pruned;
  const announced = dryRun || plan.announce.length === 0 ? [] : [plan.nowMs + graceMs];
  const next = [plan.waitingUntilMs ?? [], announced].flat();
  return {
    deleted: amountOf(deleted),
    refused,
    left: amountOf(left),
    next: next.length === 0 ? null : timeText(Math.min(...next)),
  };
}

function amountOf(objects: readonly StoredObject[]): PruneAmount {
  const of = (folder: string): number =>
    objects.filter(({ name }) => name.startsWith(`${folder}/`)).length;
  return {
    packs: of('packs'),
    lists: of('lists'),
    indexes: of('indexes'),
    tombstones: of('tombstones'),
    drills: of('drills'),
    bytes: objects.reduce((sum, { size }) => sum + size, 0),
  };
}
