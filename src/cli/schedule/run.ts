/**
 * What a timer starts: the jobs that are due, one after the other. One that fails does not keep the others back; the
 * first failure is the exit status. Whoever comes second finds the settings locked, or nothing due, and does nothing.
 */
import { FerryError } from '../../base/errors.ts';
import { timeText } from '../../repository/objects.ts';
import { isDue } from '../../schedule/due.ts';
import type { Notice } from '../../schedule/notice.ts';
import type { Job, Proof, Schedule, Went } from '../../schedule/record.ts';
import type { JobRun } from '../output/schedule/summary.ts';
import type { Session } from '../session.ts';
import type { Report } from '../verb.ts';
import { isGood, lookAt, runJob, type Outcome } from './jobs.ts';
import { noticeOf, tell } from './telling.ts';

/** @param named jobs to run whether or not they are due */
export async function runSchedule(session: Session, named: readonly string[]): Promise<Report> {
  // A person is told; a timer comes again.
  if (named.length > 0) session.settings.lock();
  else if (!lockedIt(session)) return report([], 'another stateferry is at work on this machine');
  const { proof, schedule } = session.settings.data;
  if (proof && !proof.result && named.length === 0) return runProof(session, proof);
  if (!schedule) {
    throw new FerryError('usage', 'no schedule is installed for this home', {
      hint: 'stateferry schedule install sets one up; schedule remove takes away what is left of one.',
    });
  }
  const due = named.length > 0 ? jobsNamed(schedule, named) : dueNow(session, schedule);
  if (due.length === 0) return report([], 'nothing is due');
  const runs: JobRun[] = [];
  const notices: Notice[] = [];
  for (const job of due) {
    const { run, notice } = await runOne(session, schedule, job);
    runs.push(run);
    if (notice) notices.push(notice);
  }
  const allGood = runs.every(({ ok }) => ok);
  await tell(session, schedule.notify, notices, allGood);
  return report(runs, null);
}

function dueNow({ clock }: Session, schedule: Schedule): Job[] {
  const question = { schedule, nowMs: clock.nowMs() };
  return schedule.jobs.filter((job) => isDue(job, question));
}

function jobsNamed({ jobs }: Schedule, named: readonly string[]): Job[] {
  const here = jobs.map(({ job }) => job).join(', ');
  const unknown = named.find((name) => jobs.every(({ job }) => job !== name));
  if (unknown === undefined) return jobs.filter(({ job }) => named.includes(job));
  throw new FerryError('usage', `${unknown} is no job of this schedule`, {
    hint: `Its jobs are: ${here}`,
  });
}

/** One job, remembered at once: the next one may take the night, or the machine down with it. */
async function runOne(
  session: Session,
  schedule: Schedule,
  job: Job,
): Promise<{ run: JobRun; notice: Notice | undefined }> {
  const startedMs = session.clock.nowMs();
  const outcome = await runJob(job, schedule, session);
  const endedMs = session.clock.nowMs();
  say(session, job, outcome);
  const before = session.settings.data.schedule?.went[job.job] ?? {};
  const notice = noticeOf(session, schedule, job.job, before, outcome);
  const went = wentOf(before, outcome, timeText(endedMs), notice);
  session.settings.update((data) =>
    data.schedule
      ? {
          ...data,
          schedule: { ...data.schedule, went: { ...data.schedule.went, [job.job]: went } },
        }
      : data,
  );
  const { exit, code, message } = outcome;
  const run = {
    job: job.job,
    ok: isGood(outcome),
    exit,
    code: code ?? null,
    message: message ?? null,
    durationMs: Math.round(endedMs - startedMs),
  };
  return { run, notice };
}

function wentOf(before: Went, outcome: Outcome, time: string, notice: Notice | undefined): Went {
  const { code, message } = outcome;
  const why = { ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
  if (isGood(outcome)) return { ok: time, ...why };
  const told = notice ? time : before.told;
  return {
    ...(before.ok !== undefined && { ok: before.ok }),
    failed: time,
    ...why,
    ...(told !== undefined && { told }),
  };
}

/** The run that `schedule install` waits for: it reads the result from the settings. */
async function runProof(session: Session, proof: Proof): Promise<Report> {
  const startedMs = session.clock.nowMs();
  const pushed: Outcome = proof.push ? await runJob(PUSH, proof, session) : { exit: 0 };
  const outcome = isGood(pushed) ? await lookAt(proof, session, pushed) : pushed;
  say(session, PUSH, outcome);
  const { exit, code, message, hint } = outcome;
  const result = {
    exit,
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    ...(hint !== undefined && { hint }),
    installs: installsOf(outcome),
  };
  session.settings.update((data) => ({ ...data, proof: { ...proof, result } }));
  const durationMs = Math.round(session.clock.nowMs() - startedMs);
  const run = { job: 'proof', ok: isGood(outcome), exit, durationMs };
  return report([{ ...run, code: code ?? null, message: message ?? null }], null);
}

const PUSH: Job = { job: 'push', every: 'daily', words: ['--all'] };

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
