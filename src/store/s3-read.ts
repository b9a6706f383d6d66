import type { GetObjectCommand } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { FerryError, messageOf, throwIfAborted } from '../base/errors.ts';
import type { PlainHead, SignedGet } from './direct-body.ts';
import type { ByteRange } from './object-store.ts';
import { assertRange, OBJECT_BYTES_MAX, tooLong, tooShort } from './ranges.ts';
import { sendWithClock, type S3Door } from './s3-client.ts';
import { isAbsent, isPastEnd, s3Error } from './s3-errors.ts';
import { addHeaders, crc32Text } from './s3-upload.ts';

export type OpenObject = {
  readonly body: Readable;
  /** What the server says that it is going to send. */
  readonly length: number;
  readonly dateMs: number | undefined;
  /** All of it lies in the buffer that it was asked for, and the body is empty. */
  readonly isReceived: boolean;
  /** As the server keeps it of the whole object, where it does and was asked for that. */
  readonly crc32: string | undefined;
};

/** As a header: asked in the SDK's own way, it computes the checksum in slow code. */
const WITH_CHECKSUM = { 'x-amz-checksum-mode': 'ENABLED' };
/** Of an object that came in parts some keep a checksum of their checksums, with their number behind it. */
const PLAIN_CRC32 = /^[A-Za-z0-9+/]{6}==$/;

/** Below it is not worth a connection more. */
const DIRECT_BYTES_MIN = 1024 * 1024;

/**
 * Starts reading; undefined when the object is absent. Whoever got a body reads or destroys it.
 * @param into where a large body may go at once
 */
export async function openObject(
  door: S3Door,
  where: { readonly bucket: string; readonly key: string; readonly name: string },
  range: ByteRange | undefined,
  signal: AbortSignal,
  into?: Uint8Array,
): Promise<OpenObject | undefined> {
  throwIfAborted(signal);
  if (range !== undefined) assertRange(range);
  const { bucket, key, name } = where;
  const input = { Bucket: bucket, Key: key, ...(range && { Range: rangeHeader(range) }) };
  const command = new door.sdk.GetObjectCommand(input);
  // What goes into a buffer is opened there, and tells more exactly what is damaged.
  if (range === undefined && into === undefined) addHeaders(command, () => WITH_CHECKSUM);
  const isLarge = into !== undefined && into.length >= DIRECT_BYTES_MIN;
  const isReceived = isLarge ? receiveInto(door, command, into, signal) : (): boolean => false;
  try {
    const output = await sendWithClock(signal, () =>
      door.client.send(command, { abortSignal: signal }),
    );
    const body = output.Body;
    if (!(body instanceof Readable)) {
      throw new FerryError('store-refused', `${door.location} answered without a body for ${name}`);
    }
    const length = output.ContentLength;
    if (length === undefined) {
      body.destroy();
      throw new FerryError('store-refused', `${door.location} does not say how long ${name} is`);
    }
    if (!answersRange(range, output.ContentRange, length)) {
      body.destroy();
      throw new FerryError(
        'store-refused',
        `${door.location} does not serve byte ranges of ${name}`,
      );
    }
    const crc32 = output.ChecksumCRC32;
    return { body, length, dateMs: door.dateOf(output), isReceived: isReceived(), crc32 };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    if (isPastEnd(error) && range) throw tooShort(name, range.offset, range.offset);
    throw s3Error(error, { action: `get ${name}`, location: door.location, signal });
  }
}

/** Has the body come straight into its buffer, where the answer is plain. Tells afterwards whether it was. */
function receiveInto(
  { direct }: S3Door,
  command: GetObjectCommand,
  into: Uint8Array,
  signal: AbortSignal,
): () => boolean {
  let head: PlainHead | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const request = signedGet(args.request);
      head = request && (await direct.receive(request, into, signal));
      if (!head) return next(args);
      return { response: { ...head, body: Readable.from([]) } };
    },
    { step: 'deserialize', priority: 'low', name: 'receiveDirectly' },
  );
  return () => head !== undefined;
}

/** Undefined: none that needs only a line and its headers. */
function signedGet(request: unknown): SignedGet | undefined {
  const parsed = SIGNED.safeParse(request);
  if (!parsed.success) return undefined;
  const { protocol, hostname, port, path, query, headers } = parsed.data;
  const search = new URLSearchParams(query).toString();
  return {
    protocol,
    hostname,
    port: port ?? (protocol === 'https:' ? 443 : 80),
    path: search === '' ? path : `${path}?${search}`,
    headers,
  };
}

const plainText = z.string().regex(/^[\x20-\x7e]*$/);
const SIGNED = z.object({
  method: z.literal('GET'),
  protocol: z.enum(['http:', 'https:']),
  hostname: z.string().min(1),
  port: z.number().optional(),
  path: plainText,
  // Nothing that would be escaped in different ways.
  query: z.record(z.string().regex(/^[\w-]*$/), z.string().regex(/^[\w-]*$/)),
  headers: z.record(z.string(), plainText),
  body: z.undefined().optional(),
  username: z.undefined().optional(),
});

/** The body in a buffer of its own. */
export async function readWhole(
  door: S3Door,
  name: string,
  object: OpenObject,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (object.length > OBJECT_BYTES_MAX) {
    object.body.destroy();
    throw tooLong(name, object.length, OBJECT_BYTES_MAX);
  }
  const bytes = Buffer.allocUnsafeSlow(object.length);
  await readInto(door, name, object, bytes, signal);
  return bytes;
}

/** The server's checksum of the object is another one than that of what came. */
export function isSpoilt(object: OpenObject, bytes: Uint8Array): boolean {
  const stored = PLAIN_CRC32.exec(object.crc32 ?? '')?.[0];
  return stored !== undefined && stored !== crc32Text(crc32(bytes));
}

/** The body straight into the buffer, piece by piece as it arrives. Answers its length. */
export async function readInto(
  door: S3Door,
  name: string,
  object: OpenObject,
  into: Uint8Array,
  signal: AbortSignal,
): Promise<number> {
  if (object.length > into.length) {
    object.body.destroy();
    throw tooLong(name, object.length, into.length);
  }
  if (object.isReceived) return object.length;
  const progress = { at: 0 };
  try {
    await pour(object, into, progress);
  } catch (error) {
    if (signal.aborted) {
      throw s3Error(error, { action: `get ${name}`, location: door.location, signal });
    }
    throw cutOff(door, name, progress.at, object.length, error);
  }
  if (progress.at !== object.length) throw cutOff(door, name, progress.at, object.length);
  return progress.at;
}

/** By events: iterating asynchronously takes a fifth longer. */
async function pour(object: OpenObject, into: Uint8Array, progress: { at: number }): Promise<void> {
  const { body, length } = object;
  await new Promise<void>((resolve, reject) => {
    body.on('data', (piece: Uint8Array) => {
      if (progress.at + piece.length > length)
        return void body.destroy(new Error('too many bytes'));
      into.set(piece, progress.at);
      progress.at += piece.length;
    });
    body.once('end', resolve);
    body.once('error', reject);
    body.once('close', () => reject(new Error('closed early'))); // after `end` this is heard by nobody
  });
}

function rangeHeader({ offset, length }: ByteRange): string {
  return `bytes=${offset}-${offset + length - 1}`;
}

/** Some servers ignore Range and send everything; only that which was asked for may be taken for it. */
function answersRange(
  range: ByteRange | undefined,
  contentRange: string | undefined,
  length: number,
): boolean {
  if (range === undefined) return true;
  if (length > range.length) return false;
  if (contentRange === undefined) return range.offset === 0;
  return contentRange.startsWith(`bytes ${range.offset}-`);
}

function cutOff(
  door: S3Door,
  name: string,
  bytes: number,
  expected: number,
  cause?: unknown,
): FerryError {
  const why = cause === undefined ? '' : ` (${messageOf(cause)})`;
  return new FerryError(
    'store-unreachable',
    `${door.location} broke off ${name} after ${bytes} of ${expected} bytes${why}`,
    { details: { object: name, bytes, expected }, cause },
  );
}
