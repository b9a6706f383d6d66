/**
 * The product's own doctor, asked never to change anything by itself: non-interactive, without yes or force (those
 * rename transcripts away and install services). It exits 0 whatever it finds, so its boxes are read.
 */
import type { RunResult } from '../../process/run.ts';
import { parseJsonOutput } from './answer.ts';
import { toldBy } from './command-told.ts';
import type { CliTarget, ProductCli } from './product-cli.ts';
import { compareVersions } from './version.ts';

export type DoctorFinding = {
  /** The heading of the box. */
  readonly title: string;
  readonly lines: readonly string[];
};

export type DoctorAnswer = {
  readonly ran: boolean;
  readonly exit: number | null;
  readonly timedOut: boolean;
  /** It spoke as a doctor of the family does; otherwise `told` is all that is known. */
  readonly isUnderstood: boolean;
  readonly told: string;
  readonly findings: readonly DoctorFinding[];
  /** Findings of state integrity: transcripts that are not where the index says. */
  readonly integrity: readonly string[];
  readonly durationMs: number;
  readonly output: string;
};

/**
 * January and March need 3 to 5 s, and were seen to need 91 s on a machine that was busy with ten other things; the
 * newest waits a minute for a gateway that is not up.
 */
const QUICK_TIMEOUT_MS = 180_000;
const SLOW_TIMEOUT_MS = 240_000;
const SLOW_SINCE = '2026.4.0';

export const doctorTimeoutMs = (version: string | undefined): number =>
  version !== undefined && compareVersions(version, SLOW_SINCE) < 0
    ? QUICK_TIMEOUT_MS
    : SLOW_TIMEOUT_MS;

export async function runDoctor(
  cli: ProductCli,
  request: {
    readonly target: CliTarget;
    readonly signal: AbortSignal;
    readonly timeoutMs?: number;
  },
): Promise<DoctorAnswer> {
  const timeoutMs = request.timeoutMs ?? doctorTimeoutMs(cli.version);
  const result = await cli.run(['doctor', '--non-interactive'], { ...request, timeoutMs });
  return doctorAnswer(result);
}

export function doctorAnswer(result: RunResult): DoctorAnswer {
  const output = plain(`${result.stdout}\n${result.stderr}`);
  const findings = parseBoxes(output);
  return {
    ran: true,
    exit: result.exit,
    timedOut: result.timedOut,
    isUnderstood: /\bdoctor\b/i.test(output) && !result.truncated,
    told: toldBy(result),
    findings,
    integrity: findings
      .filter((one) => /^state integrity/i.test(one.title))
      .flatMap((one) => withoutHarmless(one.lines)),
    durationMs: result.durationMs,
    output,
  };
}

export function withoutHarmless(lines: readonly string[]): string[] {
  const isOneOfSeveral = lines.some((line) => SEVERAL_STATE_DIRS.test(line));
  const isHarmless = (line: string): boolean =>
    HARMLESS.test(line) ||
    OPEN_MODES.test(line) ||
    (isOneOfSeveral && (SEVERAL_STATE_DIRS.test(line) || /^[~/]/.test(line)));
  const rest = lines.filter((line) => !isHarmless(line));
  return rest.every((line) => ORPHANS.test(line)) ? [] : rest;
}

/** Said of every profile beside a default state dir, which holds its workspace; the dirs follow, a line each. */
const SEVERAL_STATE_DIRS = /^Multiple state directories detected/;

/** Said of every install that never had a channel: nothing is missing. What must be there, we count ourselves. */
const HARMLESS = /^(OAuth dir not present .*Skipping create|CRITICAL: OAuth dir missing)/s;

/** As on the old machine, since modes are restored exactly: no failure of the move, and told by itself. */
const OPEN_MODES =
  /^(State directory permissions are too open|Config file is group\/world readable)/;

/**
 * Transcripts that no session names. Beside a complaint about sessions it is part of that; alone it was so on the old
 * machine, as in every install from which a session was removed: both are counted by us, before and after.
 */
const ORPHANS = /^Found \d+ orphan transcript file\(s\)/;

export type ConfigAnswer = {
  /** Undefined when this product has no such command. */
  readonly valid: boolean | undefined;
  readonly issues: readonly string[];
};

const VALIDATE_TIMEOUT_MS = 120_000;

/** `config validate --json`, the one command whose word on the config counts; January's generation lacks it. */
export async function validateConfig(
  cli: ProductCli,
  request: { readonly target: CliTarget; readonly signal: AbortSignal },
): Promise<ConfigAnswer> {
  const result = await cli.run(['config', 'validate', '--json'], {
    ...request,
    timeoutMs: VALIDATE_TIMEOUT_MS,
  });
  const answer = parseJsonOutput(result.stdout);
  if (!isRecord(answer) || typeof answer['valid'] !== 'boolean') {
    return { valid: undefined, issues: [] };
  }
  const issues = Array.isArray(answer['issues']) ? answer['issues'] : [];
  return {
    valid: answer['valid'],
    issues: issues.map((issue: unknown) =>
      isRecord(issue) ? `${String(issue['path'])}: ${String(issue['message'])}` : String(issue),
    ),
  };
}

/** Boxes are as wide as a terminal. */
const LINE_CHARS_MAX = 2_000;

/**
 * Boxes as the products draw them:
 *
 *     ◇  State integrity ──────╮
 *     │  - text                │
 *     ├────────────────────────╯
 */
export function parseBoxes(output: string): DoctorFinding[] {
  const findings: { title: string; lines: string[] }[] = [];
  let open: { title: string; lines: string[] } | undefined;
  for (const whole of output.split('\n')) {
    const line = whole.slice(0, LINE_CHARS_MAX);
    const title = /^[◇◆│o*]\s+(\S.*?)\s+[─-]{2,}[╮+]\s*$/.exec(line)?.[1];
    if (title !== undefined) {
      open = { title, lines: [] };
      findings.push(open);
    } else if (/^[├╰└+|].*[╯┘+]\s*$/.test(line)) {
      open = undefined;
    } else if (open !== undefined) {
      const text = /^[│|](.*?)[│|]?\s*$/.exec(line)?.[1]?.trim() ?? '';
      // A continuation of the sentence above, wrapped to the box's width.
      if (text !== '' && !text.startsWith('- ') && open.lines.length > 0) {
        open.lines.push(`${open.lines.pop() ?? ''} ${text}`);
      } else if (text !== '') open.lines.push(text.replace(/^- /, ''));
    }
  }
  return findings;
}

/** Without colours and cursor movements. */
// oxlint-disable-next-line no-control-regex -- escape sequences are what is removed
const plain = (text: string): string => text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '');

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
