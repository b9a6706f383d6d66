/** drill: a restore rehearsed in a sandbox, with evidence. */
import { ERROR_CODES } from '../../base/errors.ts';
import { printLocation } from '../../store/location.ts';
import { flag, optionalArgument, textOption } from '../call.ts';
import { startCost } from '../cost.ts';
import { storeDrillRecord } from '../keeping/drill-record.ts';
import { drillHere } from '../keeping/drilling.ts';
import { DRILL_PAGE_TITLE, drillPage } from '../output/keeping/drill-answer.ts';
import type { DrillSummary } from '../output/keeping/drill-summary.ts';
import { chosenCover, openReading } from '../looking/reading.ts';
import { meantLocation, type Session } from '../session.ts';
import { reportFile } from '../../settings/report-file.ts';
import type { Call, Report } from '../verb.ts';

export async function runDrill(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const location = meantLocation(session);
  const typed = textOption(call, 'report');
  const report =
    typed === undefined ? undefined : reportFile(typed, DRILL_PAGE_TITLE, session.environment);
  const reading = await openReading(session);
  const install = textOption(call, 'install');
  const named = optionalArgument(call, 0);
  const cover = await chosenCover(session, reading, named, install);
  const wishes = {
    folder: textOption(call, 'folder'),
    keep: flag(call, 'keep'),
    isNewestMeant: named === undefined || named === 'latest',
  };
  const drilled = await drillHere(session, reading, cover, wishes);
  const stored = await storeDrillRecord(session, location, reading, cover, drilled);
  const { exit, ...record } = stored;
  const summary: DrillSummary = {
    verb: 'drill',
    repository: printLocation(location),
    ...drilled,
    ...record,
    missing: reading.missing,
    report: report?.path ?? null,
    ...costUntilNow([reading.repository.store]),
  };
  report?.write(drillPage(summary));
  return { exit: exitOf(summary) || exit, summary };
}

function exitOf({ passed, missing }: DrillSummary): number {
  if (!passed) return ERROR_CODES['checklist-failed'].exit;
  return missing.length > 0 ? ERROR_CODES['history-rolled-back'].exit : 0;
}
