/** repair: indexes made anew, damaged packs announced so that they are pushed again, and what is lost named. */
import { repair, type RepairPlan } from '../../maintenance/repair.ts';
import { printLocation } from '../../store/location.ts';
import { flag } from '../call.ts';
import { exitOfProblems, readPercent } from '../keeping/checking.ts';
import { confirm } from '../confirm.ts';
import { startCost } from '../cost.ts';
import type { RepairPlanShown } from '../output/keeping/repair-summary.ts';
import { readerAt } from '../places/repositories.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runRepair(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const { emit, random, signal, output } = session;
  const dryRun = flag(call, 'dryRun');
  const percent = readPercent(call.options['readData']);
  const location = meantLocation(session);
  const repository = await readerAt(session, location);
  const { store } = repository;
  const shown = (plan: RepairPlan): RepairPlanShown => ({
    verb: 'repair',
    repository: printLocation(location),
    ...planShown(plan),
  });
  const approve = async (plan: RepairPlan): Promise<void> => {
    output.plan(shown(plan));
    await confirm(session, 'Repair this?');
  };
  const nowMs = await store.dateMs(signal);
  const request = { readPercent: percent, nowMs, dryRun };
  const repaired = await repair(request, { repository, random, emit, approve }, signal);
  const { plan, made, replaced, refused } = repaired;
  if (dryRun) output.plan(shown(plan));
  return {
    exit: exitOfProblems([...plan.problems, ...refused]),
    summary: {
      ...shown(plan),
      ...(dryRun && { dryRun }),
      made,
      replaced,
      refused,
      readPercent: percent,
      ...costUntilNow([store]),
    },
  };
}

function planShown(plan: RepairPlan): Omit<RepairPlanShown, 'verb' | 'repository'> {
  const { indexes, condemn, problems, snapshots, packs, read } = plan;
  return {
    indexes: indexes.map(({ writer, packs: unnamed, bad }) => ({
      machine: writer.machine,
      packs: unnamed.length,
      bad: bad.map(({ name }) => name),
    })),
    condemn,
    problems,
    snapshots,
    packs,
    read,
  };
}
