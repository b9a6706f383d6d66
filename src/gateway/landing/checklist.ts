/** The guide's checklist, line by line, against the snapshot's own counts. Exit codes of the product play no part. */
import type { InstallCounts } from '../install/counts.ts';
import type { DoctorAnswer } from '../product/doctor.ts';
import type { GatewayStatus } from '../product/gateway-status.ts';

export type CheckLine = {
  readonly check: string;
  readonly ok: boolean;
  /** A failed critical line means that the move has not landed. */
  readonly critical: boolean;
  readonly expected: string;
  readonly found: string;
};

const NOT_CHECKED = 'not checked';

/** Neither right nor wrong: it could not be looked at. */
export const notChecked = (line: Omit<CheckLine, 'ok' | 'found'>, why: string): CheckLine => ({
  ...line,
  ok: true,
  found: `${NOT_CHECKED}: ${why}`,
});

export const isChecked = ({ found }: Pick<CheckLine, 'found'>): boolean =>
  !found.startsWith(NOT_CHECKED);

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

/** The doctor's finding that matters; others are told elsewhere. */
export function checkDoctor(doctor: DoctorAnswer): CheckLine {
  const check = { check: 'doctor: state integrity', critical: true, expected: 'no findings' };
  const seconds = Math.round(doctor.durationMs / 1000);
  if (doctor.timedOut) return { ...check, ok: false, found: `no answer within ${seconds} s` };
  if (!doctor.isUnderstood) return { ...check, ok: false, found: doctor.told };
  const isSound = doctor.integrity.length === 0;
  return { ...check, ok: isSound, found: isSound ? 'no findings' : doctor.integrity.join(' ') };
}

/** A service that reads another config than the command: everything looks right, and the wrong gateway runs. */
export function checkSameConfig(status: GatewayStatus | undefined, configPath: string): CheckLine {
  const check = 'command and service read this config';
  const line = { check, critical: true, expected: configPath };
  const known = [status?.cliConfig, status?.serviceLoaded ? status.serviceConfig : undefined];
  const read = known.filter((path) => path !== undefined);
  if (read.length === 0) return notChecked(line, 'not told');
  const other = read.find((path) => path !== configPath);
  return { ...line, ok: other === undefined, found: other ?? configPath };
}

export const failedCritical = (lines: readonly CheckLine[]): readonly CheckLine[] =>
  lines.filter((one) => one.critical && !one.ok);

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
