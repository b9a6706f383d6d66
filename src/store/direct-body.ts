/**
 * Large bodies from the socket straight into the buffer that they are meant for. On their way through node:http every
 * 64 KiB are copied twice and left to the garbage collector, which costs three times as much as the reading itself.
 * This is a client for the plain case alone: 200 or 206 and a head that says how long the body is. For whatever else a
 * server does, the SDK's own client asks once more; but one that has too much to do is not asked twice at once.
 */
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { throwIfAborted } from '../base/errors.ts';

/** What the SDK has signed. */
export type SignedGet = {
  readonly protocol: 'http:' | 'https:';
  readonly hostname: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
};

export type PlainHead = {
  readonly statusCode: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
};

const HEAD_BYTES_MAX = 16 * 1024;

export type DirectTimeouts = {
  readonly connectMs: number;
  /** Longest time without a byte. */
  readonly idleMs: number;
};

/** Connections of one store; those that wait for the next request keep no process alive. */
export class DirectBodies {
  readonly #timeouts: DirectTimeouts;
  #waiting: { readonly place: string; readonly connection: Connection }[] = [];
  #isClosed = false;

  constructor(timeouts: DirectTimeouts) {
    this.#timeouts = timeouts;
  }

  /**
   * The head of the answer, once its body lies in `into`. Undefined: it is not plain, and nothing was written.
   * @throws Overburdened
   */
  async receive(
    request: SignedGet,
    into: Uint8Array,
    signal: AbortSignal,
  ): Promise<PlainHead | undefined> {
    throwIfAborted(signal);
    const place = `${request.protocol}//${request.hostname}:${request.port}`;
    const connection = this.#takeWaiting(place) ?? new Connection(request, this.#timeouts);
    const head = await connection.ask(request, into, signal);
    if (this.#isClosed) connection.close();
    else this.#waiting.push({ place, connection });
    return head;
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#waiting) connection.close();
  }

  /** One that is still open. */
  #takeWaiting(place: string): Connection | undefined {
    this.#waiting = this.#waiting.filter(({ connection }) => connection.isOpen);
    const at = this.#waiting.findLastIndex((waiting) => waiting.place === place);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]?.connection;
  }
}

/** An answer that is being waited for. */
type Awaited = {
  readonly into: Uint8Array;
  head: PlainHead | undefined;
  /** Bytes of the body so far. */
  at: number;
  readonly done: (head: PlainHead | undefined) => void;
  readonly failed: (error: Error) => void;
};

class Connection {
  readonly #socket: Socket;
  /** Where heads are read; a body goes where it belongs. */
  readonly #scratch = Buffer.allocUnsafeSlow(HEAD_BYTES_MAX);
  #scratchUsed = 0;
  #awaited: Awaited | undefined;

  constructor(to: SignedGet, { connectMs, idleMs }: DirectTimeouts) {
    this.#socket = socketTo(to, {
      buffer: () => this.#nextBuffer(),
      callback: (bytes, read) => {
        this.#hear(read.subarray(0, bytes));
        return true;
      },
    });
    this.#socket.setTimeout(connectMs);
    this.#socket.once('connect', () => this.#socket.setTimeout(idleMs));
    this.#socket.on('timeout', () => {
      const error = new Error(`nothing came for ${(this.#socket.timeout ?? idleMs) / 1000} s`);
      this.#fail(Object.assign(error, { code: 'ETIMEDOUT' }));
    });
    const over = (error?: Error): void => this.#over(error ?? new Error('closed early'));
    this.#socket.on('error', over);
    this.#socket.on('end', over);
    this.#socket.on('close', () => over());
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  async ask(
    { path, headers }: SignedGet,
    into: Uint8Array,
    signal: AbortSignal,
  ): Promise<PlainHead | undefined> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const abort = (): void => this.#fail(new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    this.#socket.ref();
    try {
      return await new Promise<PlainHead | undefined>((resolve, reject) => {
        this.#awaited = { into, head: undefined, at: 0, done: resolve, failed: reject };
        this.#socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
      });
    } finally {
      signal.removeEventListener('abort', abort);
      this.#awaited = undefined;
      this.#scratchUsed = 0;
      this.#socket.unref();
    }
  }

  #nextBuffer(): Uint8Array {
    const { head, into, at } = this.#awaited ?? {};
    const isInBody = head !== undefined && into !== undefined && at !== undefined;
    if (isInBody && at < head.bodyBytes) return into.subarray(at, head.bodyBytes);
    return this.#scratch.subarray(this.#scratchUsed);
  }

  #hear(piece: Uint8Array): void {
    const awaited = this.#awaited;
    // Nobody asked: whatever it is, it is no answer to the next question.
    if (!awaited) return this.close();
    if (awaited.head) awaited.at += piece.length;
    else if (!this.#hearHead(awaited, piece.length)) return;
    if (awaited.at === awaited.head?.bodyBytes) this.#finish(awaited);
  }

  /** False: there is more to come, or it is not plain. */
  #hearHead(awaited: Awaited, bytes: number): boolean {
    this.#scratchUsed += bytes;
    const seen = this.#scratch.subarray(0, this.#scratchUsed);
    const end = seen.indexOf('\r\n\r\n');
    if (end < 0 && seen.length < HEAD_BYTES_MAX) return false;
    const text = end < 0 ? '' : seen.toString('latin1', 0, end);
    if (OVERBURDENED.test(text)) {
      this.#fail(new Overburdened(text));
      return false;
    }
    const head = plainHead(text);
    const body = seen.subarray(end + 4);
    if (!head || head.bodyBytes > awaited.into.length || body.length > head.bodyBytes) {
      this.close();
      awaited.done(undefined);
      return false;
    }
    awaited.into.set(body);
    awaited.at = body.length;
    awaited.head = head;
    this.#scratchUsed = 0;
    return true;
  }

  #finish({ head, done }: Awaited): void {
    this.#awaited = undefined;
    if (head?.headers['connection']?.toLowerCase() === 'close') this.close();
    done(head);
  }

  /** Before anything was said another client may try; in the middle of a body it is for the caller to decide. */
  #over(error: Error): void {
    if (this.#awaited && !this.#awaited.head) {
      this.#awaited.done(undefined);
      this.#awaited = undefined;
    }
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.close();
    this.#awaited?.failed(error);
    this.#awaited = undefined;
  }
}

function socketTo({ protocol, hostname, port }: SignedGet, onread: OnReadOpts): Socket {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'http:') return connect({ host, port, onread });
  const servername = isIP(host) === 0 ? host : '';
  // Its types know nothing of `onread`, its documentation does.
  const options = { host, port, servername, onread, ALPNProtocols: ['http/1.1'] };
  return connectTls(options);
}

const OVERBURDENED = /^HTTP\/1\.1 (429|50[0234])(?: ([^\r]*))?/;

/** Said by a server that has more to do than it can. In the form of an error of the SDK's: its body is not read. */
export class Overburdened extends Error {
  readonly $response: { readonly statusCode: number; readonly headers: PlainHead['headers'] };

  constructor(head: string) {
    const [, status, reason = ''] = OVERBURDENED.exec(head) ?? [];
    const name = reason.replaceAll(/[^A-Za-z]/g, '') || 'Overburdened';
    super(name);
    this.name = name;
    const headers = Object.fromEntries(headersOf(head) ?? []);
    this.$response = { statusCode: Number(status), headers };
  }
}

/** Undefined: it is something else than a success with a body of a known length. */
export function plainHead(text: string): PlainHead | undefined {
  const status = /^HTTP\/1\.1 (200|206)(?: |\r|$)/.exec(text)?.[1];
  const headers = headersOf(text);
  const length = /^\d{1,15}$/.exec(headers?.get('content-length') ?? '')?.[0];
  if (!headers || status === undefined || length === undefined) return undefined;
  if (headers.has('transfer-encoding')) return undefined;
  const bodyBytes = Number(length);
  return { statusCode: Number(status), headers: Object.fromEntries(headers), bodyBytes };
}

/** By lower-case name. Undefined: there is a line that is no header. */
function headersOf(head: string): Map<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of head.split('\r\n').slice(1)) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}
