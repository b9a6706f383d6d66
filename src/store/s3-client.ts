import type * as SdkModule from '@aws-sdk/client-s3';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { FerryError, throwIfAborted } from '../base/errors.ts';
import { DirectBodies } from './direct-body.ts';
import { printLocation, type Addressing } from './location.ts';
import type { RequestCounts } from './object-store.ts';
import { noCounts } from './ranges.ts';
import { isClockRefusal, s3Error } from './s3-errors.ts';

export type S3ClientOptions = {
  readonly bucket: string;
  /** The repository's place in it, without slashes at its ends; '' for the top. */
  readonly prefix: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly addressing?: Addressing | undefined;
  readonly profile?: string | undefined;
  /** Instead of the AWS default chain; for tests. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** A connection on which nothing moves for so long has died. */
  readonly idleTimeoutMs?: number;
  readonly requestsInFlightMax?: number;
};

type Sdk = typeof SdkModule;

/** The SDK behind one door: who is asked, how requests are counted, what failures mean. */
export type S3Door = {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly location: string;
  readonly counts: RequestCounts;
  /** For bodies that are too large to go through node:http. */
  readonly direct: DirectBodies;
  /** The Date header of the answer that became this output. */
  readonly dateOf: (output: object) => number | undefined;
};

const IDLE_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 20_000;
const PIECE_BYTES = 256 * 1024;
const nothing = (): void => {};
/** The SDK would write to the console. */
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Loads the SDK (a tenth of a second: only when a bucket is meant) and makes the one client of a store. */
export async function openS3Door(options: S3ClientOptions): Promise<S3Door> {
  const location = printLocation({ kind: 's3', ...options });
  const sdk = await import('@aws-sdk/client-s3');
  const client = await makeClient(sdk, options);
  const counts = noCounts();
  const dates = new WeakMap<object, number>();
  countRequests(client, counts);
  sendInPieces(client);
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const dateMs = dateHeaderMs(result.response);
      if (dateMs !== undefined && result.output !== undefined) dates.set(result.output, dateMs);
      return result;
    },
    { step: 'deserialize', priority: 'high', name: 'noteDate' },
  );
  const direct = new DirectBodies({
    connectMs: CONNECT_TIMEOUT_MS,
    idleMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
  });
  return { sdk, client, location, counts, direct, dateOf: (output) => dates.get(output) };
}

/**
 * One request with its failure in our words. A request refused for its time is sent once more: by then the SDK
 * has learned the server's clock from the refusal and signs with that.
 */
export async function request<T>(
  door: S3Door,
  action: string,
  signal: AbortSignal,
  send: () => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  try {
    return await sendWithClock(signal, send);
  } catch (error) {
    throw s3Error(error, { action, location: door.location, signal });
  }
}

/** As `request`, for callers that look at the SDK's own error first. */
export async function sendWithClock<T>(signal: AbortSignal, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!isClockRefusal(error) || signal.aborted) throw error;
    return send();
  }
}

/** The Date header, in milliseconds, of an HTTP answer the SDK hands around. */
export function dateHeaderMs(response: unknown): number | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response))
    return undefined;
  const { headers } = response;
  if (typeof headers !== 'object' || headers === null || !('date' in headers)) return undefined;
  const dateMs = Date.parse(String(headers.date));
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

/** The server and region that options, environment and profile come to. */
export async function whereIs(
  options: S3ClientOptions,
): Promise<{ readonly endpoint: URL; readonly region: string }> {
  const sdk = await import('@aws-sdk/client-s3');
  const region = options.region ?? (await regionFromChain(sdk, options));
  return { endpoint: await endpointOf(sdk, options, region), region };
}

async function makeClient(sdk: Sdk, options: S3ClientOptions): Promise<S3Client> {
  const region = options.region ?? (await regionFromChain(sdk, options));
  const pathStyle =
    options.addressing === undefined
      ? needsPathStyle(await endpointOf(sdk, options, region), options.bucket)
      : options.addressing === 'path';
  return new sdk.S3Client(clientConfig(options, region, pathStyle));
}

function clientConfig(
  options: S3ClientOptions,
  region: string,
  forcePathStyle: boolean,
): S3ClientConfig {
  return {
    region,
    forcePathStyle,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.profile !== undefined && { profile: options.profile }),
    ...(options.credentials !== undefined && { credentials: options.credentials }),
    // Retrying, with its events and its look at what a lost answer did, is the retry decorator's.
    maxAttempts: 1,
    logger: SILENT,
    // Everything else puts checksums into trailers of a chunked body, which half of the servers refuse.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it the SDK opens a connection of its own for every upload.
    expectContinueHeader: false,
    followRegionRedirects: true,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
      httpAgent: { maxSockets: options.requestsInFlightMax ?? 50 },
      httpsAgent: { maxSockets: options.requestsInFlightMax ?? 50 },
    },
  };
}

/** What environment and profile say; else a name that servers without regions accept and AWS redirects from. */
async function regionFromChain(sdk: Sdk, options: S3ClientOptions): Promise<string> {
  const { profile, endpoint } = options;
  const client = new sdk.S3Client({ ...(profile !== undefined && { profile }) });
  try {
    return await client.config.region();
  } catch {
    return endpoint?.includes('.r2.cloudflarestorage.com') === true ? 'auto' : 'us-east-1';
  } finally {
    client.destroy();
  }
}

/** The address that options, environment and profile come to, read off a request that is never sent. */
async function endpointOf(sdk: Sdk, options: S3ClientOptions, region: string): Promise<URL> {
  const { bucket } = options;
  const credentials = { accessKeyId: 'none', secretAccessKey: 'needed' };
  const client = new sdk.S3Client({ ...clientConfig(options, region, true), credentials });
  let found: URL | undefined;
  const command = new sdk.HeadBucketCommand({ Bucket: bucket });
  command.middlewareStack.add(
    () => async (args) => {
      found = addressOf(args.request, bucket);
      throw new Error('only the address was wanted');
    },
    { step: 'build', priority: 'high', name: 'readAddress' },
  );
  try {
    await client.send(command);
  } catch (error) {
    if (found === undefined)
      throw s3Error(error, { action: 'find the endpoint', location: `s3://${bucket}` });
  } finally {
    client.destroy();
  }
  if (found === undefined)
    throw new FerryError('store-refused', `no endpoint for the bucket ${bucket}`);
  return found;
}

function addressOf(unsent: unknown, bucket: string): URL | undefined {
  if (typeof unsent !== 'object' || unsent === null) return undefined;
  if (!('protocol' in unsent && 'hostname' in unsent && 'path' in unsent)) return undefined;
  const port = 'port' in unsent && typeof unsent.port === 'number' ? `:${unsent.port}` : '';
  const path = String(unsent.path).split(`/${bucket}`)[0] ?? '';
  return new URL(`${String(unsent.protocol)}//${String(unsent.hostname)}${port}${path}`);
}

/** Buckets as host names need DNS and certificates that bare addresses, ports and names with dots do not have. */
export function needsPathStyle(endpoint: URL, bucket: string): boolean {
  const host = endpoint.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 || host === 'localhost' || endpoint.port !== '') return true;
  return bucket.includes('.') || /[A-Z_]/.test(bucket) || endpoint.pathname !== '/';
}

/**
 * The last step before the wire, when all is signed: a large body goes out in pieces. Written at once it would be
 * encrypted into memory as a whole; and a server that refuses before it has read everything would break the write
 * before its refusal is read.
 */
function sendInPieces(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const { request: signed } = args;
      if (typeof signed !== 'object' || signed === null || !('body' in signed)) return next(args);
      const { body } = signed;
      if (body instanceof Uint8Array && body.length > PIECE_BYTES) {
        signed.body = Readable.from(piecesOf(body), { objectMode: false });
      }
      return next(args);
    },
    { step: 'deserialize', priority: 'low', name: 'sendInPieces' },
  );
}

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}

function countRequests(client: S3Client, counts: RequestCounts): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      counts[kindOf(context.commandName ?? '')] += 1;
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'countRequests' },
  );
}

function kindOf(commandName: string): keyof RequestCounts {
  if (commandName.startsWith('List')) return 'list';
  if (/^(Delete|Abort)/.test(commandName)) return 'delete';
  if (commandName.startsWith('Head')) return 'head';
  return commandName.startsWith('Get') ? 'get' : 'put';
}
