/**
 * The one error class. An expected answer ("no such object") is a value; a failure is a FerryError whose
 * code decides the exit status and whether a retry can help; a bug is an assertion (exit 70).
 */

type CodeRow = { readonly exit: number; readonly retryable: boolean };

const row = (exit: number, retryable = false): CodeRow => ({ exit, retryable });

/** Every error code with its exit status (equal to restic's where restic has one) and whether a retry may help. */
export const ERROR_CODES = {
  usage: row(2),
  incomplete: row(3),
  'install-not-found': row(4),
  'install-ambiguous': row(4),
  'snapshot-not-found': row(4),
  'path-not-found': row(4),
  'cli-missing': row(5),
  'cli-too-old': row(5),
  'remote-mode': row(6),
  'no-space': row(7),
  'open-files-limit': row(2),
  'settings-locked': row(2),
  'repository-missing': row(10),
  'repository-exists': row(2),
  'repository-damaged': row(16),
  'nothing-opens': row(12),
  'secret-needed': row(12),
  'not-joined': row(12),
  'store-denied': row(13),
  'store-clock': row(13),
  'store-unreachable': row(14, true),
  'store-busy': row(14, true),
  'store-refused': row(14),
  'object-missing': row(15),
  'object-damaged': row(16),
  'object-foreign': row(16),
  'format-too-new': row(17),
  'target-unsafe': row(18),
  'gateway-unstoppable': row(19),
  'checklist-failed': row(20),
  'history-rolled-back': row(21),
  'ticket-expired': row(22),
  'ticket-used': row(22),
  'ticket-cancelled': row(22),
  'confirmation-needed': row(23),
  overdue: row(24),
  'machine-revoked': row(25),
  'platform-unsupported': row(2),
  'scheduler-missing': row(2),
  'scheduler-failed': row(20),
  'file-unreadable': row(3),
  'file-write': row(3),
  'gateway-command': row(20),
  bug: row(70),
  interrupted: row(130),
} as const satisfies Record<string, CodeRow>;

export type ErrorCode = keyof typeof ERROR_CODES;

export type ErrorParts = {
  /** What to type or do next; one sentence. */
  readonly hint?: string;
  /** Facts for `--json`; never a secret. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
};

export class FerryError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(code: ErrorCode, message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'FerryError';
    this.code = code;
    this.hint = parts.hint;
    this.details = parts.details ?? {};
  }

  get exit(): number {
    return ERROR_CODES[this.code].exit;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** A broken promise of our own code. Stays on in production; rendered as a bug (exit 70). */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new FerryError('bug', `assertion failed: ${message}`);
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new FerryError('bug', `unreachable: ${JSON.stringify(value)}`);
}

const OBJECT_FAULTS = new Set<ErrorCode>([
  'object-missing',
  'object-damaged',
  'object-foreign',
  'format-too-new',
]);

/** Something is wrong with one stored object, and others may do without it; the store itself answered. */
export const isObjectFault = (error: unknown): error is FerryError =>
  error instanceof FerryError && OBJECT_FAULTS.has(error.code);

/**
 * The system error code (`ENOENT`, `ENOSPC`, …) of a thrown value, or undefined.
 * @throws open-files-limit: which says nothing of whatever it was that could not be opened
 */
export function systemCode(error: unknown): string | undefined {
  const limit = openFilesLimit(error);
  if (limit) throw limit;
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The same error as one that people understand, where the process or the system may open no more files. */
export function openFilesLimit(error: unknown): FerryError | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code, message } = error;
  const isInWords = CODES_OF_MANY.has(code) && IN_WORDS.test(message);
  if (!isInWords && !OPEN_FILES_CODES.has(code)) return undefined;
  if (error instanceof FerryError) return error;
  return new FerryError('open-files-limit', 'the limit on open files is reached', {
    hint: 'Allow more where it is started (in a shell: ulimit -n 1024), then run the same again.',
    cause: error,
  });
}

/** Our own comes from a thread as a copy, which is of no class any more. */
const OPEN_FILES_CODES = new Set<unknown>(['EMFILE', 'ENFILE', 'open-files-limit']);
/** Of `rmSync`, which has no code for it, of a thread that cannot start, of a module that cannot be read. */
const CODES_OF_MANY = new Set<unknown>([
  '',
  'ERR_WORKER_INIT_FAILED',
  'ERR_INVALID_PACKAGE_CONFIG',
]);
const IN_WORDS =
  /: E[MN]FILE$|^, Unknown error: Too many open files|: too many open files.{0,20}$/i;

/** The text of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Throws `interrupted` when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new FerryError('interrupted', 'interrupted', { cause: signal.reason });
}
