/** `schedule remove`: whatever scheduler holds a timer of ours, and what the settings say of it. */
import { planFor } from '../../schedule/choose.ts';
import { removeTimer } from '../../schedule/install-timer.ts';
import type { Scheduler } from '../../schedule/record.ts';
import type { Session } from '../session.ts';
import type { Report } from '../verb.ts';
import { isRoot, isSameScheduler, requireOwn, timerDeps, timerWith } from './timer.ts';

export async function removeSchedule(session: Session): Promise<Report> {
  const { settings } = session;
  // Not under a run that is at work.
  settings.lock();
  const { schedule } = settings.data;
  requireOwn(session, schedule);
  const timer = timerWith(session, schedule?.at ?? '00:00', schedule?.command ?? []);
  const removed: string[] = [];
  const complaints: string[] = [];
  // All of them: an install that was killed may have left files that the settings do not know.
  for (const scheduler of possible(session, schedule?.scheduler)) {
    const plan = planFor(timer, scheduler);
    const gone = await removeTimer(timer, plan, timerDeps(session), session.signal);
    removed.push(...gone.files, ...(gone.crontab ? ['the lines in the crontab'] : []));
    complaints.push(...gone.complaints);
  }
  if (settings.data.schedule || settings.data.proof) {
    settings.update((data) => {
      const { schedule: _, proof: __, ...others } = data;
      return others;
    });
  }
  return { summary: { verb: 'schedule', action: 'remove', removed, complaints } };
}

function possible(session: Session, known: Scheduler | undefined): Scheduler[] {
  const scope = isRoot(session) ? 'system' : 'user';
  const all: Scheduler[] = [
    { kind: 'systemd', scope },
    { kind: 'launchd', scope },
    { kind: 'cron', scope: 'user' },
  ];
  return known ? [known, ...all.filter((one) => !isSameScheduler(one, known))] : all;
}
