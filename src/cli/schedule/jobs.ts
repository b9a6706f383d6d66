/** The jobs of a schedule: each is a verb, called as a person would type it. */
import { FerryError } from '../../base/errors.ts';
import type { Job, JobName, Schedule } from '../../schedule/record.ts';
import { failureOf } from '../output/failure.ts';
import type { Session } from '../session.ts';
import { sessionWithin } from '../session.ts';
import type { Report } from '../verb.ts';

export type Outcome = {
  readonly exit: number;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly report?: Report;
};

/** What a job works on. */
export type JobPlaces = Pick<Schedule, 'repositories' | 'readerKeyFile'>;

/** Done, but some files could not be read: `status` names that, and the job has done what it is for. */
export const INCOMPLETE_EXIT = 3;
export const isGood = ({ exit }: Pick<Outcome, 'exit'>): boolean =>
  exit === 0 || exit === INCOMPLETE_EXIT;

/** Jobs that open everything. */
export const needsReader = (job: JobName): boolean => job !== 'push' && job !== 'watch';

/** A failure is an answer here; only an interruption ends everything. */
export async function runJob(job: Job, places: JobPlaces, session: Session): Promise<Outcome> {
  try {
    const report = await runVerb([job.job, ...wordsOf(job, places)], session);
    const exit = report.exit ?? 0;
    return exit === 0 ? { exit, report } : { exit, report, ...badEnd(job, exit) };
  } catch (error) {
    if (session.signal.aborted) throw error;
    const { exit, code, message, hint } = failureOf(error, session.signal);
    return { exit, code, message, hint };
  }
}

function badEnd({ job }: Job, exit: number): Pick<Outcome, 'code' | 'message'> {
  if (exit === INCOMPLETE_EXIT) {
    return { code: 'incomplete', message: `${job}: some files could not be read` };
  }
  return { code: 'job-failed', message: `${job} ended with exit status ${exit}` };
}

function wordsOf({ job, words }: Job, { repositories, readerKeyFile }: JobPlaces): string[] {
  const key = readerKeyFile === undefined ? [] : ['--reader-key', readerKeyFile];
  return [
    ...words,
    ...repositories.flatMap((one) => ['-r', one]),
    ...(needsReader(job) ? [...key, '--yes'] : []),
  ];
}

async function runVerb(argv: readonly string[], session: Session): Promise<Report> {
  // Loaded when it runs: the tree of commands knows this command too.
  const { parseArguments } = await import('../program.ts');
  const parsed = await parseArguments(argv, () => undefined);
  if (parsed.kind !== 'verb') throw new FerryError('bug', `${argv[0]} is no verb`);
  const { quiet, verbose, json, home, color } = session.options;
  const options = {
    ...parsed.call.options,
    ...(quiet !== undefined && { quiet }),
    ...(verbose !== undefined && { verbose }),
    ...(json !== undefined && { json }),
    ...(home !== undefined && { home }),
    color,
  };
  const inner = sessionWithin(session, options);
  try {
    const run = await parsed.verb.load();
    return await run({ ...parsed.call, options }, inner);
  } finally {
    await inner.close();
  }
}
