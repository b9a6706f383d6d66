/**
 * What a timer starts: the jobs that are due, one after the other. One that fails does not keep the others back; the
 * first failure is the exit status. Whoever comes second finds the settings locked, or nothing due, and does nothing.
 */
import { FerryError } from '../../base/errors.ts';
import { timeText } from '../../repository/objects.ts';
import { isDue } from '../../schedule/due.ts';
import type { Job, Proof, Schedule, Went } from '../../schedule/record.ts';
import type { JobRun } from '../output/summary-schedule.ts';
import type { Session } from '../session.ts';
import type { Report } from '../verb.ts';
import { isGood, runJob, type Outcome } from './jobs.ts';

export async function runSchedule(session: Session): Promise<Report> {
  if (!lockedIt(session)) return report([], 'another stateferry is at work on this machine');
  const { proof, schedule } = session.settings.data;
  if (proof && !proof.result) return runProof(session, proof);
  if (!schedule) {
    throw new FerryError('usage', 'no schedule is installed for this home', {
      hint: 'stateferry schedule install sets one up; schedule remove takes away what is left of one.',
    });
  }
  const nowMs = session.clock.nowMs();
  const due = schedule.jobs.filter((job) => isDue(job, { schedule, nowMs }));
  if (due.length === 0) return report([], 'nothing is due');
  const runs: JobRun[] = [];
  for (const job of due) runs.push(await runOne(session, schedule, job));
  return report(runs, null);
}

/** One job, remembered at once: the next one may take the night, or the machine down with it. */
async function runOne(session: Session, schedule: Schedule, job: Job): Promise<JobRun> {
  const startedMs = session.clock.nowMs();
  const outcome = await runJob(job, schedule, session);
  const endedMs = session.clock.nowMs();
  say(session, job, outcome);
  const before = session.settings.data.schedule?.went[job.job] ?? {};
  const went = wentOf(before, outcome, timeText(endedMs));
  session.settings.update((data) =>
    data.schedule
      ? {
          ...data,
          schedule: { ...data.schedule, went: { ...data.schedule.went, [job.job]: went } },
        }
      : data,
  );
  const { exit, code, message } = outcome;
  return {
    job: job.job,
    ok: isGood(outcome),
    exit,
    code: code ?? null,
    message: message ?? null,
    durationMs: Math.round(endedMs - startedMs),
  };
}

function wentOf(before: Went, outcome: Outcome, time: string): Went {
  const { code, message } = outcome;
  const why = { ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
  if (isGood(outcome)) return { ok: time, ...why };
  return { ...(before.ok !== undefined && { ok: before.ok }), failed: time, ...why };
}

/** The run that `schedule install` waits for: it reads the result from the settings. */
async function runProof(session: Session, proof: Proof): Promise<Report> {
  const job: Job = { job: proof.job, every: 'daily', words: [] };
  const outcome = await runJob(job, proof, session);
  say(session, job, outcome);
  const { exit, code, message, hint } = outcome;
  const result = {
    exit,
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    ...(hint !== undefined && { hint }),
    installs: installsOf(outcome),
  };
  session.settings.update((data) => ({ ...data, proof: { ...proof, result } }));
  const run = { job: job.job, ok: isGood(outcome), exit, durationMs: 0 };
  return report([{ ...run, code: code ?? null, message: message ?? null }], null);
}

function installsOf({ report: made }: Outcome): string[] {
  const summary = made?.summary;
  if (summary?.verb !== 'push' || 'dryRun' in summary) return [];
  return [...new Set(summary.snapshots.map(({ install }) => install))];
}

function say({ emit }: Session, { job }: Job, { exit, code, message }: Outcome): void {
  if (exit === 0) return;
  emit({ type: 'problem', path: job, code: code ?? 'job-failed', message: message ?? '' });
}

function lockedIt({ settings }: Session): boolean {
  try {
    settings.lock();
    return true;
  } catch (error) {
    if (error instanceof FerryError && error.code === 'settings-locked') return false;
    throw error;
  }
}

const report = (jobs: readonly JobRun[], idle: string | null): Report => ({
  exit: jobs.find(({ exit }) => exit !== 0)?.exit ?? 0,
  summary: { verb: 'schedule', action: 'run', jobs, idle },
});
