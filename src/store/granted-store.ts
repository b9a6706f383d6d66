/**
 * The store of who has a ticket and no credentials: presigned addresses of just these objects, asked with plain HTTP.
 * It lists nothing and deletes nothing.
 */
import { FerryError, throwIfAborted } from '../base/errors.ts';
import type {
  ByteRange,
  ObjectStore,
  PutAnswer,
  SignedTemplate,
  StatAnswer,
} from './object-store.ts';
import { addressOf, signedRequestHeaders, type AddressKind } from './presigned.ts';
import { assertRange, noCounts, OBJECT_BYTES_MAX, tooLong, tooShort } from './ranges.ts';
import { s3Error } from './s3-errors.ts';
import { compareStored } from './same-content.ts';

export type Granted = {
  /** For people. */
  readonly location: string;
  readonly template: SignedTemplate;
  readonly gets: ReadonlyMap<string, Uint8Array>;
  readonly puts: ReadonlyMap<string, Uint8Array>;
  readonly createOnly: boolean;
};

/** A connection on which nothing moves for so long has died. */
const IDLE_TIMEOUT_MS = 60_000;
const REFUSAL_BYTES_MAX = 64 * 1024;

export function openGrantedStore(granted: Granted): ObjectStore {
  const counts = noCounts();
  const get = async (
    name: string,
    range: ByteRange | undefined,
    into: Uint8Array | undefined,
    signal: AbortSignal,
  ) => {
    counts.get += 1;
    return fetchObject(granted, { name, range, into }, signal);
  };
  const store: ObjectStore = {
    location: granted.location,
    get: async (name, range, signal) => {
      const answer = await get(name, range, undefined, signal);
      return answer && { bytes: answer.bytes, dateMs: answer.dateMs };
    },
    getInto: async (name, range, into, signal) => {
      const answer = await get(name, range, into, signal);
      return answer && { length: answer.bytes.length, dateMs: answer.dateMs };
    },
    put: async (name, body, _options, signal) => {
      counts.put += 1;
      return putObject(granted, store, name, body, signal);
    },
    stat: async (name, signal) => {
      counts.get += 1;
      return statObject(granted, name, signal);
    },
    list: () => notGranted('list'),
    delete: () => notGranted('delete'),
    // Every answer that matters here has a Date; who asks for it by itself met a server that sends none.
    dateMs: async () => {
      throw refused(granted, 'sends no Date');
    },
    counts: () => ({ ...counts }),
    close: async () => {},
  };
  return store;
}

function notGranted(what: string): never {
  throw new FerryError('bug', `${what} is nothing that a ticket grants`);
}

type Wanted = {
  readonly name: string;
  readonly range: ByteRange | undefined;
  readonly into: Uint8Array | undefined;
};

type Fetched = { readonly bytes: Uint8Array; readonly dateMs: number | undefined };

async function fetchObject(
  granted: Granted,
  { name, range, into }: Wanted,
  signal: AbortSignal,
): Promise<Fetched | undefined> {
  if (range !== undefined) assertRange(range);
  const kind = { method: 'GET' } as const;
  const headers = range && { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
  return ask(granted, { kind, name, headers }, signal, async (response, alive) => {
    const dateMs = dateOf(response);
    if (response.status === 404 && (await codeOf(response)) === 'NoSuchKey') return undefined;
    if (response.status === 416 && range) throw tooShort(name, range.offset, range.offset);
    if (!response.ok) throw await refusal(granted, `get ${name}`, response, signal);
    const isPart = response.headers.get('content-range')?.startsWith(`bytes ${range?.offset}-`);
    if (range !== undefined && isPart !== true && range.offset !== 0) {
      await response.body?.cancel();
      throw refused(granted, `does not serve byte ranges of ${name}`);
    }
    const bytes = await readBody(granted, name, response, into ?? range?.length, alive);
    return { bytes, dateMs };
  });
}

/** HEAD would need a signature of its own: the length is read off an answer whose body nobody waits for. */
async function statObject(
  granted: Granted,
  name: string,
  signal: AbortSignal,
): Promise<StatAnswer | undefined> {
  return ask(granted, { kind: { method: 'GET' }, name }, signal, async (response) => {
    if (response.status === 404 && (await codeOf(response)) === 'NoSuchKey') return undefined;
    if (!response.ok) throw await refusal(granted, `stat ${name}`, response, signal);
    const size = Number(response.headers.get('content-length') ?? Number.NaN);
    await response.body?.cancel();
    if (!Number.isSafeInteger(size)) throw refused(granted, `does not say how long ${name} is`);
    return { size, dateMs: dateOf(response) };
  });
}

async function putObject(
  granted: Granted,
  store: ObjectStore,
  name: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<PutAnswer> {
  const kind = { method: 'PUT', createOnly: granted.createOnly } as const;
  try {
    return await ask(granted, { kind, name, body }, signal, async (response) => {
      const dateMs = dateOf(response);
      if (response.status === 412) {
        await response.body?.cancel();
        return { outcome: 'exists', dateMs };
      }
      if (!response.ok) throw await refusal(granted, `put ${name}`, response, signal);
      await response.body?.cancel();
      return { outcome: 'stored', dateMs };
    });
  } catch (error) {
    // Some servers refuse create-only by closing the connection, and a lost answer may have been a yes.
    if (!(error instanceof FerryError) || !error.retryable) throw error;
    const found = await compareStored(store, name, body, signal);
    if (found.what === 'same') return { outcome: 'stored', dateMs: found.dateMs };
    if (found.what === 'other') return { outcome: 'exists', dateMs: found.dateMs };
    throw error;
  }
}

type Question = {
  readonly kind: AddressKind;
  readonly name: string;
  readonly headers?: Record<string, string> | undefined;
  readonly body?: Uint8Array;
};

/** One request, ended when nothing moves any more. `alive` is called whenever something did. */
async function ask<T>(
  granted: Granted,
  { kind, name, headers, body }: Question,
  signal: AbortSignal,
  answer: (response: Response, alive: () => void) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const signature = (kind.method === 'GET' ? granted.gets : granted.puts).get(name);
  if (!signature) throw new FerryError('bug', `${kind.method} ${name} is not granted`);
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), IDLE_TIMEOUT_MS);
  try {
    const response = await fetch(addressOf(granted.template, kind, name, signature), {
      method: kind.method,
      headers: { 'accept-encoding': 'identity', ...signedRequestHeaders(kind), ...headers },
      ...(body && { body: Buffer.from(body) }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, idle.signal]),
    });
    return await answer(response, () => void timer.refresh());
  } catch (error) {
    if (error instanceof FerryError) throw error;
    const action = `${kind.method === 'GET' ? 'get' : 'put'} ${name}`;
    throw s3Error(causeOf(error), { action, location: granted.location, signal });
  } finally {
    clearTimeout(timer);
  }
}

/** fetch says only that it failed; why lies below. Its own text may name the address, which nobody shall read. */
function causeOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause ?? new Error(error instanceof Error ? error.name : 'no answer');
}

/** @param space a buffer to fill, or the bytes that were asked for; undefined: the whole object */
async function readBody(
  granted: Granted,
  name: string,
  response: Response,
  space: Uint8Array | number | undefined,
  alive: () => void,
): Promise<Uint8Array> {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  if (!Number.isSafeInteger(length)) throw refused(granted, `does not say how long ${name} is`);
  const room = typeof space === 'object' ? space.length : (space ?? OBJECT_BYTES_MAX);
  if (length > Math.min(room, OBJECT_BYTES_MAX)) {
    await response.body?.cancel();
    throw tooLong(name, length, room);
  }
  const bytes = typeof space === 'object' ? space : Buffer.allocUnsafeSlow(length);
  const { body } = response;
  let at = 0;
  const pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = body ?? [];
  for await (const piece of pieces) {
    alive();
    if (at + piece.length > length) throw tooLong(name, at + piece.length, length);
    bytes.set(piece, at);
    at += piece.length;
  }
  if (at === length) return bytes.subarray(0, length);
  throw new FerryError(
    'store-unreachable',
    `${granted.location} broke off ${name} after ${at} of ${length} bytes`,
  );
}

const refused = ({ location }: Granted, what: string): FerryError =>
  new FerryError('store-refused', `${location} ${what}`);

/** An answer that is no success, in our words; the address is in none of them. */
async function refusal(
  granted: Granted,
  action: string,
  response: Response,
  signal: AbortSignal,
): Promise<FerryError> {
  const { location, template } = granted;
  const { status } = response;
  const code = await codeOf(response);
  const endsAtMs = (template.signedAtSeconds + template.lifeSeconds) * 1000;
  if (status === 403 && (dateOf(response) ?? 0) >= endsAtMs) return expired(endsAtMs);
  if (status === 401 || status === 403) {
    return new FerryError('store-denied', `cannot ${action} at ${location}: ${status} ${code}`, {
      hint: 'The ticket’s addresses are refused: was the old machine’s access key changed? Make a new ticket there.',
    });
  }
  const like = Object.assign(new Error(code), {
    name: code,
    $metadata: { httpStatusCode: status },
  });
  return s3Error(like, { action, location, signal });
}

export const expired = (endsAtMs: number): FerryError =>
  new FerryError('ticket-expired', `this ticket ended at ${new Date(endsAtMs).toISOString()}`, {
    hint: 'Make a new one on the old machine: stateferry handoff --cancel, then stateferry handoff.',
  });

async function codeOf(response: Response): Promise<string> {
  const text = await textOf(response);
  return /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? `HTTP${response.status}`;
}

const texts = new WeakMap<Response, Promise<string>>();

/** A refusal is read once, by whoever asks first. */
function textOf(response: Response): Promise<string> {
  const known = texts.get(response);
  if (known) return known;
  const read = readRefusal(response);
  texts.set(response, read);
  return read;
}

/** What a server says at length, whatever length it announced, is no refusal of S3. */
async function readRefusal({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const source: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = body ?? [];
  for await (const piece of source) {
    length += piece.length;
    if (length > REFUSAL_BYTES_MAX) return '';
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function dateOf(response: Response): number | undefined {
  const dateMs = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(dateMs) ? undefined : dateMs;
}
