import { systemClock } from '../base/clock.ts';
import { FerryError, messageOf, systemCode, type ErrorCode } from '../base/errors.ts';

export type S3ErrorContext = {
  readonly action: string;
  readonly location: string;
  readonly signal?: AbortSignal;
};

const CLOCK_TOLERANCE_MS = 5 * 60_000;
const CLOCK_CODES = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture']);
const FULL_CODES = /quota|InsufficientStorage|StorageFull|StorageLimitExceeded|DiskFull/i;
const BODY_CODES = /^(BadDigest|InvalidDigest|IncompleteBody|XAmzContent\w+Mismatch)$/;
const CREDENTIALS_HINT =
  'Check the access key (AWS_ACCESS_KEY_ID, AWS_PROFILE or the instance role) and what it may do with this bucket.';
const NO_CREDENTIALS_HINT =
  'No access key was found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or keep it in ~/.aws/credentials.';

/** What a failed request means. Only the code of the answer decides; its message is for people. */
export function s3Error(error: unknown, context: S3ErrorContext): FerryError {
  if (error instanceof FerryError) return error;
  if (context.signal?.aborted === true) {
    return new FerryError('interrupted', 'interrupted', { cause: context.signal.reason });
  }
  const status = statusOf(error);
  // A refusal of which only the beginning arrived: the SDK tells of the connection, and in more lines of itself.
  const isBroken = status !== undefined && systemCode(error) === 'ECONNRESET';
  const name = isBroken ? 'broke off' : s3CodeOf(error);
  const message = messageOf(error).split('\n')[0] ?? '';
  const { code, hint, details } =
    status === undefined || isBroken ? withoutAnswer(error) : withAnswer(error, status, name);
  const said = message === name || message === '' ? '' : `: ${message}`;
  const answer = status === undefined ? name : `${status} ${name}`;
  // Of a connection that failed the SDK has no better name than that of every error.
  const why = answer === 'Error' && said !== '' ? said : `: ${answer}${said}`;
  return new FerryError(code, `cannot ${context.action} at ${context.location}${why}`, {
    ...(hint !== undefined && { hint }),
    details: { location: context.location, answer, ...retryAfter(error), ...details },
    cause: error,
  });
}

/**
 * The object is not there: said by its exact code, in a bucket that is there. A bare 404 is not enough; the SDK
 * calls it NotFound too, but then there is no code that the server sent.
 */
export function isAbsent(error: unknown): boolean {
  if (statusOf(error) !== 404) return false;
  return s3CodeOf(error) === 'NoSuchKey' || at(error, 'Code') === 'NotFound';
}

/** Create-only refused in so many words. 409 (another writer is at it) is left for reading back to settle. */
export function isTaken(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** Whether the request may have had its effect although it failed. */
export function isUnclear(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status === 409 || status >= 500;
}

export function isClockRefusal(error: unknown): boolean {
  return statusOf(error) === 403 && CLOCK_CODES.has(s3CodeOf(error));
}

export function isPastEnd(error: unknown): boolean {
  return statusOf(error) === 416;
}

/** The HTTP status; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return (
    numberAt(error, '$metadata', 'httpStatusCode') ?? numberAt(error, '$response', 'statusCode')
  );
}

/** `NoSuchKey`, `AccessDenied`, … or the name of what happened on the way. */
export function s3CodeOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}

type Meaning = {
  readonly code: ErrorCode;
  readonly hint?: string | undefined;
  readonly details?: { readonly isHostUnknown: true };
};

function withAnswer(error: unknown, status: number, name: string): Meaning {
  if (CLOCK_CODES.has(name) || (status === 403 && clockIsWrong(error))) {
    return { code: 'store-clock', hint: clockHint(error) };
  }
  if (FULL_CODES.test(name) || status === 507) {
    return {
      code: 'no-space',
      hint: 'The bucket or its account is full: raise the quota or free some space.',
    };
  }
  if (name === 'InvalidObjectState') {
    return {
      code: 'store-refused',
      hint: 'The object lies in an archive class: restore it there first.',
    };
  }
  if (BODY_CODES.test(name)) return { code: 'object-damaged' };
  if (name === 'RequestTimeout' || name === 'RequestTimeoutException')
    return { code: 'store-unreachable' };
  if (status === 301 || status === 307 || name === 'AuthorizationHeaderMalformed') {
    return {
      code: 'store-refused',
      hint: 'Name the region of the bucket (region=…), and check the endpoint.',
    };
  }
  if (status === 404 && name === 'NoSuchBucket') {
    return {
      code: 'repository-missing',
      hint: 'Make the bucket first where there is none yet, or check its spelling, the endpoint and the region.',
    };
  }
  return byStatus(status, name);
}

function byStatus(status: number, name: string): Meaning {
  const unknownUser = /User|AccessKey|Token|Signature|Credential/.test(name);
  if (status === 401 || status === 403 || (status < 500 && unknownUser)) {
    return { code: 'store-denied', hint: CREDENTIALS_HINT };
  }
  if (status === 409 || status === 429 || status === 503) return { code: 'store-busy' };
  if (status === 501) {
    return {
      code: 'store-refused',
      hint: 'This server lacks something; `stateferry probe` says what it can do.',
    };
  }
  return { code: status >= 500 ? 'store-unreachable' : 'store-refused' };
}

function withoutAnswer(error: unknown): Meaning {
  const system = systemCode(error) ?? '';
  if (/^Credentials|CredentialsProviderError|TokenProviderError/.test(s3CodeOf(error))) {
    return { code: 'store-denied', hint: NO_CREDENTIALS_HINT };
  }
  if (system === 'EPROTO' && messageOf(error).includes('wrong version number')) {
    return {
      code: 'store-refused',
      hint: 'What answers there speaks no TLS: check the port, or begin the endpoint with http:// where that is meant.',
    };
  }
  if (system === 'ENOTFOUND') {
    return {
      code: 'store-refused',
      hint: 'No such host: check the endpoint and the network.',
      details: { isHostUnknown: true },
    };
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/.test(system)) {
    return {
      code: 'store-refused',
      hint: 'For a private certificate authority set NODE_EXTRA_CA_CERTS.',
    };
  }
  return { code: 'store-unreachable' };
}

/** Signatures carry the time, so a wrong clock looks like a wrong key to some servers. */
function clockIsWrong(error: unknown): boolean {
  return Math.abs(clockBehindMs(error) ?? 0) > CLOCK_TOLERANCE_MS;
}

function clockHint(error: unknown): string {
  const behindMs = clockBehindMs(error);
  if (behindMs === undefined) return "Set this machine's clock.";
  const minutes = Math.round(Math.abs(behindMs) / 60_000);
  const direction = behindMs > 0 ? 'behind' : 'ahead of';
  return `This machine's clock is ${minutes} minutes ${direction} the server's: set the clock.`;
}

function clockBehindMs(error: unknown): number | undefined {
  const date = Date.parse(headerOf(error, 'date') ?? '');
  return Number.isNaN(date) ? undefined : date - systemClock.nowMs();
}

function retryAfter(error: unknown): { retryAfterMs?: number } {
  const seconds = Number(headerOf(error, 'retry-after') ?? 'none');
  return Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {};
}

function headerOf(error: unknown, header: string): string | undefined {
  const value = at(at(at(error, '$response'), 'headers'), header);
  return typeof value === 'string' ? value : undefined;
}

function numberAt(error: unknown, outer: string, inner: string): number | undefined {
  const value = at(at(error, outer), inner);
  return typeof value === 'number' ? value : undefined;
}

function at(value: unknown, property: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Reflect.get(value, property);
}
