import type { S3Client } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { assert } from '../base/errors.ts';
import { sendWithClock, type S3Door } from './s3-client.ts';
import { isAbsent, s3CodeOf } from './s3-errors.ts';

export type UploadChecksum = 'crc32' | 'md5';

export type UploadSettings = {
  readonly bucket: string;
  readonly checksum: UploadChecksum;
  readonly partBytes: number;
  readonly partsInFlightMax: number;
  /** Learned from the first refusal of a body whose hash is not signed: from there on all are. */
  signsBodies: boolean;
};

export type UploadRequest = {
  readonly key: string;
  readonly body: Buffer;
  readonly createOnly: boolean;
  readonly crc32: number | undefined;
};

const CLEANUP_TIMEOUT_MS = 5_000;
/**
 * Larger bodies are signed without their SHA-256, which would be hashed here and again by the server: the checksum
 * that it verifies is signed, and what is stored is sealed.
 */
const SIGNED_BODY_BYTES_MAX = 1024 * 1024;
const UNSIGNED = 'UNSIGNED-PAYLOAD';
/** What servers and bucket policies that want the hash say. */
const UNSIGNED_REFUSED = new Set([
  'AccessDenied',
  'InvalidRequest',
  'NotImplemented',
  'XAmzContentSHA256Mismatch',
]);

/**
 * One object through lib-storage: a single PUT up to the part size, parts above. Answers the Date of the last
 * answer. Fails with the SDK's own error, which the caller judges; parts of a failed upload are removed.
 */
export async function uploadObject(
  door: S3Door,
  settings: UploadSettings,
  upload: UploadRequest,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const sender = senderFor(door, settings, upload, signal);
  const running = new Upload({
    client: sender.client,
    params: {
      Bucket: settings.bucket,
      Key: upload.key,
      Body: upload.body,
      ...(upload.createOnly && { IfNoneMatch: '*' }),
    },
    partSize: settings.partBytes,
    queueSize: settings.partsInFlightMax,
  });
  await running.done();
  return sender.dateMs();
}

/**
 * Upload sends through this stand-in of the client, so that each of its requests ends with our signal and carries
 * its checksums as plain headers: a part needs its own, and Upload would give it the whole body's.
 */
function senderFor(
  door: S3Door,
  settings: UploadSettings,
  upload: UploadRequest,
  signal: AbortSignal,
): { client: S3Client; dateMs: () => number | undefined } {
  const { sdk } = door;
  let dateMs: number | undefined;
  const send = async (command: Parameters<S3Client['send']>[0]): Promise<object> => {
    if (command instanceof sdk.AbortMultipartUploadCommand) return cleanUp(door, command);
    const ask = (): Promise<object> =>
      sendWithClock(signal, () => door.client.send(command, { abortSignal: signal }));
    let output: object;
    if (command instanceof sdk.PutObjectCommand) {
      output = await sendBody(settings, command, upload, ask);
    } else if (command instanceof sdk.UploadPartCommand && Buffer.isBuffer(command.input.Body)) {
      output = await sendBody(settings, command, { body: command.input.Body }, ask);
    } else {
      if (command instanceof sdk.CreateMultipartUploadCommand && settings.checksum === 'crc32') {
        addHeaders(command, () => ({ 'x-amz-checksum-algorithm': 'CRC32' }));
      }
      output = await ask();
    }
    dateMs = door.dateOf(output) ?? dateMs;
    return output;
  };
  const client: unknown = Object.create(door.client, { send: { value: send } });
  assert(client instanceof sdk.S3Client, 'the stand-in is a client too');
  return { client, dateMs: () => dateMs };
}

/**
 * Removes the parts of a failed upload. Bounded, not ended by the signal: an interrupted push should not leave
 * parts that cost money and that no listing shows. What it cannot remove is left to the bucket's lifecycle rule,
 * and must not hide why the upload failed.
 */
async function cleanUp(
  door: S3Door,
  command: InstanceType<S3Door['sdk']['AbortMultipartUploadCommand']>,
): Promise<object> {
  const abortSignal = AbortSignal.timeout(CLEANUP_TIMEOUT_MS);
  try {
    return await door.client.send(command, { abortSignal });
  } catch (error) {
    return { removed: isAbsent(error) };
  }
}

type Body = { readonly body: Uint8Array; readonly crc32?: number | undefined };

/** With its checksums as headers; once more with its hash signed where the server insists on that. */
async function sendBody(
  settings: UploadSettings,
  command: object,
  body: Body,
  ask: () => Promise<object>,
): Promise<object> {
  const signs = settings.signsBodies || body.body.length <= SIGNED_BODY_BYTES_MAX;
  const checksum = checksumHeader(settings.checksum, body);
  addHeaders(command, (asked) => ({
    ...checksum,
    ...hashHeader(signs || isOpenWire(asked) ? body.body : undefined),
  }));
  try {
    return await ask();
  } catch (error) {
    if (signs || !UNSIGNED_REFUSED.has(s3CodeOf(error))) throw error;
    addHeaders(command, () => ({ ...checksum, ...hashHeader(body.body) }));
    const output = await ask();
    settings.signsBodies = true;
    return output;
  }
}

function checksumHeader(checksum: UploadChecksum, { body, crc32: known }: Body): Headers {
  if (checksum === 'md5') {
    return { 'content-md5': createHash('md5').update(body).digest('base64') };
  }
  return { 'x-amz-checksum-crc32': crc32Text(known ?? crc32(body)) };
}

/**
 * Without TLS the signature is all that keeps somebody on the way from putting another body in its place. Loopback has
 * nobody on the way.
 */
export function isOpenWire({ protocol, hostname }: Asked): boolean {
  if (protocol !== 'http:') return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  return !(host === 'localhost' || host.endsWith('.localhost') || /^(127\.|::1$)/.test(host));
}

const hashHeader = (body: Uint8Array | undefined): Headers => ({
  'x-amz-content-sha256':
    body === undefined ? UNSIGNED : createHash('sha256').update(body).digest('hex'),
});

type Headers = Readonly<Record<string, string>>;

export function crc32Text(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

type HasStack = Pick<InstanceType<S3Door['sdk']['PutObjectCommand']>, 'middlewareStack'>;

/** A request as it will be sent, before it is signed. */
type Asked = {
  readonly protocol: string;
  readonly hostname: string;
  readonly headers: Record<string, string>;
};

/** Before signing, and before the SDK looks whether a checksum is there already. */
export function addHeaders(command: object, headersOf: (asked: Asked) => Headers): void {
  if (!hasStack(command)) return;
  command.middlewareStack.add(
    (next) => async (args) => {
      if (isAsked(args.request)) Object.assign(args.request.headers, headersOf(args.request));
      return next(args);
    },
    { step: 'build', priority: 'high', name: 'plainHeaders', override: true },
  );
}

function hasStack(command: object): command is HasStack {
  return 'middlewareStack' in command;
}

function isAsked(request: unknown): request is Asked {
  if (typeof request !== 'object' || request === null) return false;
  return 'headers' in request && 'protocol' in request && 'hostname' in request;
}
