/** The jobs of a schedule: each is a verb, called as a person would type it. */
import { FerryError } from '../../base/errors.ts';
import { PERIOD_MS } from '../../schedule/due.ts';
import { inTurn } from '../../schedule/in-turn.ts';
import type { Job, JobName, Schedule } from '../../schedule/record.ts';
import { readRepositoryId } from '../../repository/open.ts';
import { parseLocation } from '../../store/location.ts';
import { failureOf } from '../output/failure.ts';
import { readerAt, storeAt } from '../places/repositories.ts';
import type { Session } from '../session.ts';
import { sessionWithin } from '../session.ts';
import type { Report } from '../verb.ts';
import { watchOthers } from './watch.ts';
import { whyOf } from './why.ts';

export type Outcome = {
  readonly exit: number;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly report?: Report;
};

/** What a job works on. */
export type JobPlaces = Pick<Schedule, 'repositories' | 'readerKeyFile' | 'watchMs'>;

/** Done, but some files could not be read: `status` names that, and the job has done what it is for. */
export const INCOMPLETE_EXIT = 3;
export const isGood = ({ exit }: Pick<Outcome, 'exit'>): boolean =>
  exit === 0 || exit === INCOMPLETE_EXIT;

/** Jobs that open everything. */
export const needsReader = (job: JobName): boolean => job !== 'push' && job !== 'watch';

/** A failure is an answer here; only an interruption ends everything. */
export function runJob(job: Job, places: JobPlaces, session: Session): Promise<Outcome> {
  return outcomeOf(session, async () => {
    if (job.job === 'watch') return watchOthers(session, places);
    const install = job.job === 'drill' ? await installInTurn(job, places, session) : [];
    const report = await runVerb([job.job, ...install, ...wordsOf(job, places)], session);
    const exit = report.exit ?? 0;
    return exit === 0 ? { exit, report } : { exit, report, ...whyOf(report.summary, exit) };
  });
}

/** Of several installs another one each time: all of them at once may be more than the disk holds. */
async function installInTurn(job: Job, places: JobPlaces, session: Session): Promise<string[]> {
  const listing = ['snapshots', ...wordsOf({ ...job, words: [] }, places)];
  const { summary } = await runVerb(listing, session);
  const lines = summary.verb === 'snapshots' ? summary.snapshots : [];
  const turn = Math.floor(session.clock.nowMs() / PERIOD_MS[job.every]);
  const install = inTurn(lines, turn);
  return install === undefined ? [] : ['--install', install];
}

/** Do they open, with what the timer has? Answers `good` where they do. */
export function lookAt(places: JobPlaces, session: Session, good: Outcome): Promise<Outcome> {
  const { repositories, readerKeyFile } = places;
  const options = {
    ...session.options,
    ...(readerKeyFile !== undefined && { readerKey: readerKeyFile }),
  };
  const inner = sessionWithin(session, options);
  return outcomeOf(session, async () => {
    try {
      for (const one of repositories) {
        const location = parseLocation(one, session.environment.workingFolder);
        if (readerKeyFile !== undefined) await readerAt(inner, location);
        else await readRepositoryId(await storeAt(inner, location), inner.signal);
      }
      return good;
    } finally {
      await inner.close();
    }
  });
}

async function outcomeOf(session: Session, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (session.signal.aborted) throw error;
    const { exit, code, message, hint } = failureOf(error, session.signal);
    return { exit, code, message, hint };
  }
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
