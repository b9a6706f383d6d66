/**
 * One run in the timer's own environment. Installer and run meet in the settings: what shall be done is written there,
 * the scheduler starts the run as it will every hour, and how it went is read back.
 */
import { ERROR_CODES, FerryError, type ErrorCode } from '../../base/errors.ts';
import type { RunResult } from '../../process/run.ts';
import { timeText } from '../../repository/objects.ts';
import type { Proof, Schedule } from '../../schedule/record.ts';
import { areFromEnvironmentOnly } from '../../settings/credentials.ts';
import { lastWords } from '../../schedule/scheduler-command.ts';
import { timerEnvironment } from '../../settings/timer-environment.ts';
import { installsHere } from '../installs.ts';
import type { Session } from '../session.ts';
import { isGood } from './jobs.ts';

export type Judged = { readonly push: boolean; readonly installs: readonly string[] };

/** Answers the installs that a push has to find. */
export async function beginProof(
  session: Session,
  { jobs, repositories, readerKeyFile }: Pick<Schedule, 'jobs' | 'repositories' | 'readerKeyFile'>,
): Promise<readonly string[]> {
  const push = jobs.some(({ job }) => job === 'push');
  const installs = push ? await installsHere(session) : [];
  const begun = timeText(session.clock.nowMs());
  const proof: Proof = {
    begun,
    repositories,
    push,
    ...(readerKeyFile !== undefined && { readerKeyFile }),
  };
  session.settings.update((data) => ({ ...data, proof }));
  session.output.step('runs once as the timer will; a first push takes its time');
  return installs.filter(({ mode }) => mode === 'local').map(({ install }) => install);
}

export function endProof({ settings }: Session): void {
  settings.update((data) => {
    const { proof: _, ...others } = data;
    return others;
  });
}

/** @throws what the run failed with, and what the timer's environment lacks */
export function judgeProof(session: Session, ran: RunResult, expected: readonly string[]): Judged {
  const { settings } = session;
  // Read again: the run wrote it.
  settings.lock();
  settings.unlock();
  const { proof } = settings.data;
  const result = proof?.result;
  if (!proof || !result) throw noResult(ran);
  if (!isGood(result)) throw notProved(session, result);
  const unseen = expected.filter((install) => !result.installs.includes(install));
  if (unseen.length === 0) return { push: proof.push, installs: result.installs };
  throw new FerryError(
    'install-not-found',
    `the timer does not find ${unseen.join(', ')}, which this shell does; nothing was installed`,
    {
      hint:
        `It is known here by a variable that a timer lacks${leftBehindText(session)}: ` +
        'let the gateway lie where it lies without one.',
    },
  );
}

function notProved(session: Session, result: NonNullable<Proof['result']>): FerryError {
  const { environment } = session;
  const { code, message } = result;
  const isDenied = code === 'store-denied' || code === 'store-unreachable';
  const areOnlyHere = isDenied && areFromEnvironmentOnly(environment, undefined);
  const hint = areOnlyHere
    ? `Only this shell has ${keysOf(session)}: put the keys into ~/.aws/credentials, where a timer finds them.`
    : (result.hint ?? 'Mend that, then install again.') +
      leftBehindText(session, ' A timer lacks what this shell has');
  return new FerryError(
    codeOf(code),
    `in the timer's own environment the run failed, so nothing was installed: ${message ?? ''}`,
    { hint },
  );
}

const keysOf = (session: Session): string =>
  timerEnvironment(session.environment)
    .leftBehind.filter((name) => name.startsWith('AWS_'))
    .join(', ');

function leftBehindText({ environment }: Session, before = ''): string {
  const { leftBehind } = timerEnvironment(environment);
  if (leftBehind.length === 0) return '';
  return `${before === '' ? ' (' : `${before}: `}${leftBehind.join(', ')}${before === '' ? ')' : '.'}`;
}

const isCode = (code: string): code is ErrorCode => code in ERROR_CODES;

const codeOf = (code: string | undefined): ErrorCode =>
  code !== undefined && isCode(code) && code !== 'bug' ? code : 'scheduler-failed';

function noResult(ran: RunResult): FerryError {
  const { exit, signal, timedOut } = ran;
  const said = lastWords(ran);
  const end = timedOut ? 'took too long' : `ended with ${exit ?? signal}`;
  const why = said === '' ? '' : `: ${said}`;
  return new FerryError(
    'scheduler-failed',
    `the run that proves the timer ${end} and left no result, so nothing was installed${why}`,
    {
      hint: 'journalctl -t stateferry shows what it said (with --user where the timer is your own).',
    },
  );
}
