/** The one place where a failure becomes words, and the one where it becomes an exit status. */
import {
  ERROR_CODES,
  FerryError,
  messageOf,
  openFilesLimit,
  type ErrorCode,
} from '../../base/errors.ts';
import { withoutTickets } from '../../format/ticket-text.ts';
import { HINTS } from './hints.ts';
import { jsonLine, printableLine, printableText } from './text/printable.ts';
import { messageText } from './text/words.ts';

export type Failure = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly exit: number;
  /** For `--verbose`: where it happened and what lay behind it. */
  readonly trail: readonly string[];
};

export function failureOf(thrown: unknown, signal: AbortSignal): Failure {
  const isBug = thrown instanceof FerryError && thrown.code === 'bug';
  const stopped = signal.aborted && !isBug;
  // What stopped it may itself be a failure: what was thrown only says that it stopped.
  const error: unknown = stopped && signal.reason instanceof FerryError ? signal.reason : thrown;
  const known = error instanceof FerryError ? error : openFilesLimit(error);
  const interrupted = stopped && error === thrown;
  const code = interrupted ? 'interrupted' : (known?.code ?? 'bug');
  const message = interrupted ? 'interrupted' : withoutTickets(messageOf(known ?? error));
  const hint = (interrupted ? undefined : known?.hint) ?? HINTS[code];
  return {
    code,
    message,
    hint: withoutTickets(hint),
    details: withoutTicketsIn(known?.details ?? {}),
    exit: ERROR_CODES[code].exit,
    trail: trailOf(error),
  };
}

const withoutTicketsIn = (details: Failure['details']): Failure['details'] =>
  Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name,
      typeof value === 'string' ? withoutTickets(value) : value,
    ]),
  );

/** `error:`, then `hint:`; in verbose words also where it came from. */
export function failureLines(failure: Failure, verbose: boolean): string[] {
  const lines = [`error: ${messageText(failure.message)}`, `hint: ${printableLine(failure.hint)}`];
  return verbose ? [...lines, ...failure.trail.map(printableText)] : lines;
}

export function failureJson(failure: Failure): string {
  const { code, message, hint, exit, details } = failure;
  const more = Object.keys(details).length === 0 ? {} : { details };
  return jsonLine({ type: 'error', code, message, hint, exit, ...more });
}

const CAUSES_MAX = 5;

function trailOf(error: unknown): string[] {
  const lines: string[] = [];
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < CAUSES_MAX; depth++) {
    lines.push(`${depth === 0 ? '' : 'caused by '}${withoutTickets(at.stack ?? at.message)}`);
    at = at.cause;
  }
  return lines;
}
