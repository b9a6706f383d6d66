/** copy: snapshots sealed anew into another repository, under its own keys. */
import { assert } from '../../base/errors.ts';
import { chooseSnapshot } from '../../repository/snapshot-list.ts';
import { timeText } from '../../repository/objects.ts';
import { printLocation, type Location } from '../../store/location.ts';
import { copySnapshots } from '../../transfer/copy.ts';
import { argument, argumentList, flag, textOption } from '../call.ts';
import { exitOfProblems } from '../keeping/checking.ts';
import { startCost } from '../cost.ts';
import { historyAt, ofInstall } from '../looking/listing.ts';
import { lackProblems, sayLack } from '../looking/history.ts';
import { readerAt, writerAt } from '../places/repositories.ts';
import { locationFrom, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runCopy(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const [from, to] = [0, 1].map((at) => locationFrom(session, argument(call, at)));
  assert(from && to, 'both are required arguments');
  const isDryRun = flag(call, 'dryRun');
  if (!isDryRun) session.settings.lock();
  const repository = await writerAt(session, to);
  const source = await readerAt(session, from);
  const { snapshots: all, lack } = await historyAt(session, from, source, session.emit);
  sayLack(session, lack);
  const rolledBack = lackProblems(lack).map(() => ({ code: 'history-rolled-back' }));
  const install = textOption(call, 'install');
  const wanted = argumentList(call, 2);
  const chosen =
    wanted.length === 0
      ? ofInstall(all, install)
      : wanted.map((one) => chooseSnapshot(all, one, install));
  const { clock, random, emit, signal } = session;
  const copied = await copySnapshots(
    { source, snapshots: [...new Set(chosen)], isDryRun },
    { repository, clock, random, emit },
    signal,
  );
  if (!isDryRun && copied.copied.length + copied.present > 0) rememberCopy(session, from, to);
  return {
    exit: exitOfProblems([...copied.problems, ...rolledBack]),
    summary: {
      verb: 'copy',
      from: printLocation(from),
      to: printLocation(to),
      dryRun: isDryRun,
      ...copied,
      ...costUntilNow([source.store, repository.store]),
    },
  };
}

/** For `status`. */
function rememberCopy({ clock, settings }: Session, from: Location, to: Location): void {
  const time = timeText(clock.nowMs());
  settings.updateRepository(printLocation(to), (one) => ({
    ...one,
    lastCopy: { time, from: printLocation(from) },
  }));
}
