/** How the schedule stands: each job, and what of it needs somebody. */
import { timeText } from '../../repository/objects.ts';
import { planFor } from '../../schedule/choose.ts';
import { isOverdue, isSilent, nextDue } from '../../schedule/due.ts';
import { lookAtTimer } from '../../schedule/install-timer.ts';
import type { Job, Schedule } from '../../schedule/record.ts';
import { goneOf } from '../../settings/installed-tool.ts';
import type { Attention } from '../output/status/summary.ts';
import type { HandoffLine } from '../output/handoff/summary.ts';
import type { JobLine, ScheduleShown } from '../output/schedule/summary.ts';
import type { Session } from '../session.ts';
import { timerDeps, timerWith } from './timer.ts';

export type ScheduleStanding = {
  readonly schedule: Schedule | undefined;
  readonly jobs: readonly JobLine[];
  readonly attention: readonly Attention[];
  /** Something that was promised does not happen. */
  readonly isOverdue: boolean;
};

export async function scheduleStanding(session: Session): Promise<ScheduleStanding> {
  const { schedule } = session.settings.data;
  if (!schedule) return { schedule, jobs: [], attention: [], isOverdue: false };
  const question = { schedule, nowMs: session.clock.nowMs() };
  const jobs = schedule.jobs.map((job) => jobLine(job, question));
  const broken = await ofTimer(session, schedule, question.nowMs);
  const overdue = schedule.jobs.filter((job) => isOverdue(job, question));
  return {
    schedule,
    jobs,
    attention: [
      ...broken,
      ...overdue.map((job) => overdueText(job, schedule)),
      ...schedule.jobs.flatMap((job) => failedText(job, schedule)),
      ...untoldText(schedule),
    ],
    isOverdue: broken.length > 0 || overdue.length > 0,
  };
}

export function scheduleShown({ schedule, jobs }: ScheduleStanding): ScheduleShown | null {
  if (!schedule) return null;
  const { scheduler, at, repositories } = schedule;
  return { scheduler: `${scheduler.kind} (${scheduler.scope})`, at, repositories, jobs };
}

/** What was handed over is another machine's to push. */
export function afterHandoff(
  { schedule }: ScheduleStanding,
  handoffs: readonly HandoffLine[],
): Attention[] {
  if (!schedule?.jobs.some(({ job }) => job === 'push')) return [];
  return handoffs
    .filter(({ state }) => state === 'confirmed')
    .map(({ install, takenBy }) => ({
      code: 'scheduled-after-handoff',
      message: `${takenBy} has ${install}, and the schedule here goes on pushing what is left of it`,
      hint: 'If this machine has nothing else to push: stateferry schedule remove',
    }));
}

type Question = { readonly schedule: Schedule; readonly nowMs: number };

function jobLine(job: Job, question: Question): JobLine {
  const went = question.schedule.went[job.job] ?? {};
  return {
    job: job.job,
    every: job.every,
    lastOk: went.ok ?? null,
    lastFailed: went.failed ?? null,
    message: went.message ?? null,
    next: timeText(nextDue(job, question)),
    overdue: isOverdue(job, question),
  };
}

const AGAIN = 'stateferry schedule install puts it right.';

/** A timer that cannot fire, or does not. */
async function ofTimer(session: Session, schedule: Schedule, nowMs: number): Promise<Attention[]> {
  const { at, command, scheduler, files } = schedule;
  const timer = timerWith(session, at, command);
  const plan = planFor(timer, scheduler);
  const where = { ...plan, files: files.map((path) => ({ path, text: '' })) };
  const { missing, isOn } = await lookAtTimer(where, timerDeps(session), session.signal);
  const found: Attention[] = [
    ...goneOf(command.slice(0, 2)).map((path) => ({
      code: 'tool-gone',
      message: `the timer starts ${path}, which is not there any more`,
      hint: `npm install -g stateferry, then: ${AGAIN}`,
    })),
    ...missing.map((what) => ({
      code: 'timer-gone',
      message: `of the timer that was installed, ${what} is gone`,
      hint: AGAIN,
    })),
  ];
  if (isOn === false) {
    const message = `the timer of ${scheduler.kind} is switched off`;
    found.push({ code: 'timer-off', message, hint: AGAIN });
  } else if (found.length === 0 && isSilent({ schedule, nowMs })) {
    const message = 'the timer is installed, but it has not tried anything since a job was due';
    found.push({ code: 'timer-silent', message, hint: hintWhereSilent(schedule) });
  }
  return found;
}

const hintWhereSilent = ({ scheduler }: Schedule): string =>
  ({
    systemd:
      scheduler.scope === 'system'
        ? 'systemctl list-timers shows when it is to fire.'
        : 'Does it run when nobody is logged in? loginctl enable-linger; systemctl --user list-timers shows it.',
    launchd: 'launchctl print shows why; ~/Library/Logs/stateferry.log holds what it said.',
    cron: 'Does the cron daemon run at all on this machine?',
  })[scheduler.kind];

function overdueText({ job, every }: Job, { went, installed }: Schedule): Attention {
  const ok = went[job]?.ok;
  const since = ok === undefined ? `never since it was installed at ${installed}` : `last at ${ok}`;
  return {
    code: 'overdue',
    message: `${job} is to succeed ${every}, and did ${since}`,
    hint: `To try it now: stateferry schedule run ${job}`,
  };
}

function untoldText({ untold }: Schedule): Attention[] {
  if (untold === undefined) return [];
  const message = `nobody could be told of the last run: ${untold}`;
  return [{ code: 'notification-failed', message, hint: `Mend it, or give another one: ${AGAIN}` }];
}

function failedText({ job }: Job, { went }: Schedule): Attention[] {
  const { failed, code, message } = went[job] ?? {};
  if (failed === undefined) return [];
  return [
    {
      code: code ?? 'job-failed',
      message: `the last ${job} of the schedule failed at ${failed}: ${message ?? ''}`,
      hint: `It is tried again by itself; to try it now: stateferry schedule run ${job}`,
    },
  ];
}
