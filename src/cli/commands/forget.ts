/** forget: snapshots that no keep rule keeps are deleted, with a record that says so. */
import { FerryError } from '../../base/errors.ts';
import type { ForgetPlan, Kept } from '../../maintenance/forget/forget-plan.ts';
import { forget, type Forgotten } from '../../maintenance/forget/forget.ts';
import type { KeepRules } from '../../maintenance/forget/retention.ts';
import { timeText } from '../../repository/objects.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { printLocation } from '../../store/location.ts';
import { argumentList, flag, textOption } from '../call.ts';
import { exitOfProblems } from '../keeping/checking.ts';
import { confirm } from '../confirm.ts';
import { startCost } from '../cost.ts';
import { refuseRolledBack, refuseUnusual } from '../keeping/forget-guards.ts';
import { sayLack } from '../looking/history.ts';
import { keepRulesOf } from '../keeping/keep-rules.ts';
import { historyAt, ofInstall, snapshotLine } from '../looking/listing.ts';
import type { ForgetPlanShown } from '../output/keeping/forget-summary.ts';
import { countText } from '../output/text/words.ts';
import { readerAt } from '../places/repositories.ts';
import { meantLocation, type Session } from '../session.ts';
import { runGiveUp } from '../keeping/giving-up.ts';
import type { Call, Report } from '../verb.ts';
import { pruneAt, pruneWish, type PruneWish } from './prune.ts';

export async function runForget(call: Call, session: Session): Promise<Report> {
  const prune = wishIfAny(call);
  if (flag(call, 'missing') || argumentList(call, 0).length > 0) return runGiveUp(call, session);
  const costUntilNow = startCost(session);
  const { emit, random, signal, output } = session;
  const rules = keepRulesOf(call);
  const dryRun = flag(call, 'dryRun');
  const location = meantLocation(session);
  const repository = await readerAt(session, location);
  const { lack, ...history } = await historyAt(session, location, repository, emit);
  sayLack(session, lack);
  const meant = new Set(ofInstall(history.snapshots, textOption(call, 'install')));
  noteLabels(session, rules, meant);
  const oldVersions = (await repository.store.oldVersions?.(signal)) ?? null;
  const shown = (plan: ForgetPlan): ForgetPlanShown => ({
    verb: 'forget',
    repository: printLocation(location),
    ...planShown(plan),
    oldVersions,
  });
  const approve = async (plan: ForgetPlan): Promise<void> => {
    output.plan(shown(plan));
    await refuseRolledBack(session, lack);
    if (!flag(call, 'moreThanUsual')) refuseUnusual(session, plan);
    await confirm(session, questionFor(plan));
  };
  const forgotten = await forget(
    { history, rules, isMeant: (one) => meant.has(one), dryRun },
    { repository, random, emit, approve },
    signal,
  );
  if (dryRun) output.plan(shown(forgotten.plan));
  const pruned =
    prune &&
    (await pruneAt(
      { location, repository, costUntilNow },
      dryRun ? { ...prune, dryRun: { forgotten: digestsOf(forgotten.plan) } } : prune,
      session,
    ));
  return {
    exit: exitOfProblems(forgotten.refused) || (pruned?.exit ?? 0),
    summary: {
      ...shown(forgotten.plan),
      ...(dryRun && { dryRun }),
      ...doneOf(forgotten),
      prune: pruned?.summary ?? null,
      ...costUntilNow([repository.store]),
    },
  };
}

/** @throws usage */
function wishIfAny(call: Call): PruneWish | undefined {
  const isPlain = !flag(call, 'missing') && argumentList(call, 0).length === 0;
  if (flag(call, 'prune') && isPlain) return pruneWish(call);
  const without = ['prune', 'repack', 'maxRepack', 'grace'].find(
    (name) => call.options[name] !== undefined,
  );
  if (without === undefined) return undefined;
  throw new FerryError('usage', 'what prune shall do needs --prune, which goes with keep rules', {
    hint: 'For example: stateferry forget --keep-daily 7 --keep-weekly 5 --prune --repack',
  });
}

function questionFor({ doomed, kept, tickets, unusual }: ForgetPlan): string {
  if (doomed.length === 0) return `Delete ${countText(tickets.length, 'object')} of old handoffs?`;
  const of = `${doomed.length} of ${countText(doomed.length + kept.length, 'snapshot')}`;
  return `Forget ${of} for good?${unusual.length > 0 ? ' It is far more than usual.' : ''}`;
}

const planShown = ({ kept, doomed, tickets, unusual }: ForgetPlan) => ({
  kept: kept.map((one) => ({ ...dated(one), reasons: one.reasons })),
  forgotten: doomed.map((one) => ({ ...dated(one), reasons: one.reasons })),
  tickets: tickets.length,
  unusual: unusual.map(({ machine, count, usual }) => ({ machine, count, usual })),
  lost: [],
  damaged: [],
});

const digestsOf = ({ doomed }: ForgetPlan): Set<string> =>
  new Set(doomed.map(({ snapshot }) => snapshot.digest));

const dated = ({ snapshot, timeMs }: Pick<Kept, 'snapshot' | 'timeMs'>) => ({
  ...snapshotLine(snapshot),
  countsAs: timeText(timeMs),
});

/** A label that nothing has is most likely mistyped, and then it keeps nothing. */
function noteLabels(
  session: Session,
  { labels = [] }: KeepRules,
  meant: Iterable<OpenedCover>,
): void {
  const there = new Set([...meant].map(({ cover }) => cover.label));
  for (const label of labels.filter((one) => !there.has(one))) {
    session.emit({
      type: 'notice',
      code: 'label-unknown',
      message: `no snapshot has the label "${label}": --keep-label keeps nothing by it`,
      hint: 'stateferry snapshots shows the labels there are.',
    });
  }
}

function doneOf({ records, deleted, refused, left }: Forgotten) {
  const snapshots = deleted.filter((name) => name.startsWith('snapshots/')).length;
  return {
    records,
    deleted: { snapshots, tickets: deleted.length - snapshots },
    refused,
    left,
  };
}
