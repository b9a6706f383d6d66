/** The guide's checklist, line by line, against the snapshot's own counts. Exit codes of the product play no part. */
import type { Brand } from './brands.ts';
import type { InstallCounts } from './counts.ts';
import type { DoctorAnswer } from './doctor.ts';
import { isRunning } from './running.ts';
import type { RunningInput } from './running.ts';

export type CheckLine = {
  readonly check: string;
  readonly ok: boolean;
  /** A failed critical line means that the move has not landed. */
  readonly critical: boolean;
  readonly expected: string;
  readonly found: string;
};

export const NOT_CHECKED = 'not checked';

export type CountsExpected = {
  readonly countsBefore: InstallCounts;
  readonly countsAfter: InstallCounts;
};

/**
 * `workspaceOf` says where a workspace of the old machine is now. With `mayHaveGrown` a gateway was started meanwhile,
 * which adds jobs and sessions of its own: then more than expected is right as well.
 */
export function compareCounts(
  expected: CountsExpected,
  found: InstallCounts,
  workspaceOf: (path: string) => string,
  mayHaveGrown = false,
): CheckLine[] {
  const span = (check: string, one: number, other: number, now: number): CheckLine =>
    spanLine(check, { one, other, now, mayHaveGrown });
  const { countsBefore: before, countsAfter: after } = expected;
  const foundAgents = new Map(found.agents.map((agent) => [agent.id, agent]));
  const laterAgents = new Map(after.agents.map((agent) => [agent.id, agent]));
  const foundFiles = new Map(found.workspaces.map((one) => [one.path, one.files]));
  const laterFiles = new Map(after.workspaces.map((one) => [one.path, one.files]));
  return [
    ...before.agents.flatMap((agent) => {
      const later = laterAgents.get(agent.id) ?? agent;
      const now = foundAgents.get(agent.id);
      return [
        span(`sessions of ${agent.id}`, agent.sessions, later.sessions, now?.sessions ?? 0),
        span(
          `transcripts of ${agent.id}`,
          agent.transcripts,
          later.transcripts,
          now?.transcripts ?? 0,
        ),
      ];
    }),
    ...before.workspaces.map((one) => {
      const path = workspaceOf(one.path);
      const later = laterFiles.get(one.path) ?? one.files;
      return span(`files in workspace ${path}`, one.files, later, foundFiles.get(path) ?? 0);
    }),
    span('credential files', before.credentialFiles, after.credentialFiles, found.credentialFiles),
    span('cron jobs', before.cronJobs, after.cronJobs, found.cronJobs),
    same('channels configured', before.channels, found.channels),
  ];
}

export type LiveRequest = Omit<RunningInput, 'signal'> & {
  readonly brand: Brand;
  /** Where the page of the gateway is, when not at the top. */
  readonly basePath?: string;
};

/** Gateway running, dashboard opens. `started` false: nobody started it, so nothing is expected of it. */
export async function checkLive(
  request: LiveRequest,
  started: boolean,
  signal: AbortSignal,
): Promise<CheckLine[]> {
  if (!started) {
    return [
      line('gateway running', true, 'running', NOT_CHECKED),
      line('dashboard opens', true, 'a page', NOT_CHECKED),
    ];
  }
  const running = await isRunning({ ...request, signal });
  const page = running.portOpen ? await fetchPage(request, signal) : 'port closed';
  return [
    line('gateway running', running.running, 'running', running.why),
    line('dashboard opens', page === PAGE, PAGE, page),
  ];
}

/** The doctor's finding that matters; others are told elsewhere. */
export function checkDoctor(doctor: DoctorAnswer | undefined): CheckLine {
  const check = 'doctor: state integrity';
  if (doctor === undefined) return line(check, true, 'no findings', NOT_CHECKED);
  if (doctor.timedOut) return line(check, false, 'no findings', 'it took too long');
  const found = doctor.integrity.length === 0 ? 'no findings' : doctor.integrity.join(' ');
  return line(check, doctor.integrity.length === 0, 'no findings', found);
}

export const failedCritical = (lines: readonly CheckLine[]): readonly CheckLine[] =>
  lines.filter((one) => one.critical && !one.ok);

const PAGE = 'a page';
const PAGE_TIMEOUT_MS = 10_000;

async function fetchPage(request: LiveRequest, signal: AbortSignal): Promise<string> {
  const url = `http://127.0.0.1:${request.port}${request.basePath ?? ''}/`;
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)]);
    const answer = await fetch(url, { signal: limit });
    const type = answer.headers.get('content-type') ?? 'no type';
    await answer.body?.cancel();
    return answer.status === 200 && type.startsWith('text/html')
      ? PAGE
      : `status ${answer.status}, ${type}`;
  } catch (error) {
    if (signal.aborted) throw error;
    return 'no answer';
  }
}

type Span = {
  readonly one: number;
  readonly other: number;
  readonly now: number;
  readonly mayHaveGrown: boolean;
};

/** A running gateway may have added (or tidied) between the two counts: anything from one to the other is right. */
function spanLine(check: string, { one, other, now, mayHaveGrown }: Span): CheckLine {
  const [least, most] = [Math.min(one, other), Math.max(one, other)];
  const isRight = now >= least && (mayHaveGrown || now <= most);
  return line(check, isRight, least === most ? `${least}` : `${least} to ${most}`, `${now}`);
}

function same(check: string, expected: readonly string[], found: readonly string[]): CheckLine {
  const words = (names: readonly string[]): string =>
    names.length === 0 ? 'none' : names.join(', ');
  return line(check, words(expected) === words(found), words(expected), words(found));
}

const line = (check: string, ok: boolean, expected: string, found: string): CheckLine => ({
  check,
  ok,
  critical: true,
  expected,
  found,
});
