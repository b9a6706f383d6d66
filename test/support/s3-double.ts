import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DoubleBucket, xml, type Answer, type DoubleProfile } from './s3-double-bucket.ts';
import { Refusal } from './s3-double-refusal.ts';
import { checkSignature } from './s3-double-signature.ts';

export type { DoubleProfile } from './s3-double-bucket.ts';

export type DoubleOperation =
  | 'put'
  | 'get'
  | 'head'
  | 'list'
  | 'delete'
  | 'delete-many'
  | 'create-upload'
  | 'upload-part'
  | 'complete'
  | 'abort'
  | 'bucket';

export type FaultKind =
  | 'slow-down' // 503 before anything happened
  | 'internal-error' // 500 before anything happened
  | 'internal-error-after' // 500 although it was done
  | 'reset-before' // connection gone, nothing happened
  | 'reset-after' // connection gone, but it was done: the lost answer
  | 'flip' // one bit of the body is another one on the way
  | 'truncate' // half of the body, then the connection goes
  | 'silence' // never an answer
  | 'no-such-bucket'
  | 'unknown-user' // 404 that does not mean absent
  | 'bare-not-found' // 404 with an empty body
  | 'denied'
  | 'denied-some' // of many to delete the first is refused, and of the last nothing is said
  | 'quota'
  | 'skewed' // 403 RequestTimeTooSkewed whatever was signed
  | 'bad-digest'
  | 'ignore-create-only' // 200 over an object that is there
  | 'create-only-reset' // create-only refused by closing the connection
  | 'lose' // 200, and the object is gone
  | 'stale' // what was there before the last put
  | 'ignore-range';

export type Fault = {
  readonly kind: FaultKind;
  /** Which requests; all when left out. */
  readonly operation?: DoubleOperation | readonly DoubleOperation[];
  /** Only keys that match. */
  readonly key?: RegExp;
  /** How often; once when left out. */
  readonly times?: number;
  /** Let so many matching requests pass first. */
  readonly skip?: number;
};

export type DoubleOptions = {
  readonly profile?: DoubleProfile;
  readonly faults?: readonly Fault[];
  readonly bucket?: string;
  readonly region?: string;
  readonly listPageMax?: number;
  /** The server's clock against ours. */
  readonly clockOffsetMs?: number;
  readonly versioning?: 'Enabled' | 'Suspended';
  readonly objectLock?: boolean;
  /** A bucket policy that refuses bodies whose hash is not signed. */
  readonly refusesUnsigned?: boolean;
  /** A bucket policy that lets these keys be created and never replaced. */
  readonly refusesReplacing?: RegExp;
};

export type RequestLine = {
  readonly operation: DoubleOperation;
  readonly key: string;
  readonly status: number | 'none';
};

export type S3Double = {
  readonly url: string;
  readonly bucketName: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The bucket's content, to look at and to spoil. */
  readonly bucket: DoubleBucket;
  /** Every request that came, in order. */
  readonly requests: readonly RequestLine[];
  /** Resolves when the next request has been worked on. */
  nextRequest(): Promise<RequestLine>;
  addFault(fault: Fault): void;
  clearFaults(): void;
  close(): Promise<void>;
};

type ArmedFault = { readonly fault: Fault; skip: number; left: number };

type Double = {
  readonly options: DoubleOptions;
  readonly bucketName: string;
  readonly account: { accessKey: string; secretKey: string; region: string };
  readonly bucket: DoubleBucket;
  readonly requests: RequestLine[];
  readonly seen: EventEmitter;
  armed: ArmedFault[];
  readonly nowMs: () => number;
};

/** A small S3 server in this process: strict about signatures, lengths and checksums, with faults on demand. */
export async function startS3Double(options: DoubleOptions = {}): Promise<S3Double> {
  const nowMs = (): number => Date.now() + (options.clockOffsetMs ?? 0);
  const double: Double = {
    options,
    bucketName: options.bucket ?? 'double',
    account: {
      accessKey: 'AKDOUBLE',
      secretKey: 'double-secret',
      region: options.region ?? 'us-east-1',
    },
    bucket: new DoubleBucket(options.profile ?? 'aws', nowMs),
    requests: [],
    seen: new EventEmitter(),
    armed: (options.faults ?? []).map(arm),
    nowMs,
  };
  const server = createServer((request, response) => {
    serve(double, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    bucketName: double.bucketName,
    ...double.account,
    bucket: double.bucket,
    requests: double.requests,
    nextRequest: () =>
      new Promise((resolve) => double.seen.once('request', (line: RequestLine) => resolve(line))),
    addFault: (fault) => double.armed.push(arm(fault)),
    clearFaults: () => {
      double.armed = [];
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function arm(fault: Fault): ArmedFault {
  return { fault, skip: fault.skip ?? 0, left: fault.times ?? 1 };
}

type Asked = {
  readonly operation: DoubleOperation;
  readonly bucketName: string;
  readonly key: string;
  readonly query: URLSearchParams;
};

async function serve(
  double: Double,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  const url = request.url ?? '/';
  const asked = parse(request.method ?? 'GET', url);
  const faults = takeFaults(double, asked);
  const has = (kind: FaultKind): boolean => faults.has(kind);
  const log = (status: number | 'none'): void => {
    const line: RequestLine = { operation: asked.operation, key: asked.key, status };
    double.requests.push(line);
    double.seen.emit('request', line);
  };
  if (has('silence')) return log('none');
  if (has('reset-before')) return hangUp(request, () => log('none'));
  let answer: Answer;
  try {
    refuseByFault(has);
    if (double.options.profile !== 'lax') {
      const signed = { method: request.method ?? '', url, headers: request.headers, body };
      const isUnsigned = request.headers['x-amz-content-sha256'] === 'UNSIGNED-PAYLOAD';
      if (isUnsigned && double.options.refusesUnsigned === true)
        throw new Refusal(403, 'AccessDenied');
      checkSignature(signed, double.account, double.nowMs());
    }
    refuseReplacing(double.options.refusesReplacing, asked, request);
    answer = act(double, asked, request, body, has);
    if (has('internal-error-after')) throw new Refusal(500, 'InternalError');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 412 && has('create-only-reset')) return hangUp(request, () => log(412));
    const bare = has('bare-not-found') || asked.operation === 'head';
    answer = { status: error.status, ...(!bare && { body: error.toXml() }) };
  }
  log(answer.status);
  if (has('reset-after')) return hangUp(request, () => {});
  if (has('flip')) answer = flipped(answer);
  send(double, asked, response, answer, has('truncate'));
}

function refuseReplacing(
  kept: RegExp | undefined,
  { operation, key }: Asked,
  { headers }: IncomingMessage,
): void {
  const isStored = operation === 'put' || operation === 'complete';
  if (!isStored || kept?.test(key) !== true || headers['if-none-match'] === '*') return;
  throw new Refusal(403, 'AccessDenied');
}

function act(
  double: Double,
  asked: Asked,
  request: IncomingMessage,
  body: Buffer,
  has: (kind: FaultKind) => boolean,
): Answer {
  const { bucket } = double;
  if (asked.bucketName !== double.bucketName) throw new Refusal(404, 'NoSuchBucket');
  const { key, query } = asked;
  const headers = { ...request.headers };
  if (has('ignore-create-only')) delete headers['if-none-match'];
  if (has('ignore-range')) delete headers.range;
  const uploadId = query.get('uploadId') ?? '';
  switch (asked.operation) {
    case 'put':
      return bucket.put(key, headers, body, has('lose'));
    case 'get':
    case 'head':
      return bucket.get(key, headers, has('stale'));
    case 'list':
      return bucket.list(query, pageMaxOf(double, query), has('stale'));
    case 'delete':
      return bucket.delete(key);
    case 'delete-many':
      return bucket.deleteMany(headers, body, has('denied-some'));
    case 'create-upload':
      return bucket.createUpload(key, headers);
    case 'upload-part':
      return bucket.uploadPart(uploadId, Number(query.get('partNumber')), headers, body);
    case 'complete':
      return bucket.complete(uploadId, headers, body, has('lose'));
    case 'abort':
      return bucket.abortUpload(uploadId);
    case 'bucket':
      return bucketSetting(double.options, query);
  }
}

function bucketSetting(options: DoubleOptions, query: URLSearchParams): Answer {
  if (query.has('versioning')) {
    const status = options.versioning === undefined ? '' : `<Status>${options.versioning}</Status>`;
    return { status: 200, body: xml('VersioningConfiguration', status) };
  }
  if (query.has('object-lock')) {
    if (options.objectLock !== true) throw new Refusal(404, 'ObjectLockConfigurationNotFoundError');
    const enabled = '<ObjectLockEnabled>Enabled</ObjectLockEnabled>';
    return { status: 200, body: xml('ObjectLockConfiguration', enabled) };
  }
  return { status: 200 };
}

function pageMaxOf(double: Double, query: URLSearchParams): number {
  return Math.min(double.options.listPageMax ?? 1000, Number(query.get('max-keys') ?? 1000));
}

function parse(method: string, url: string): Asked {
  const { pathname, searchParams } = new URL(url, 'http://double');
  const [, bucketName = '', ...segments] = pathname.split('/').map(decodeURIComponent);
  const key = segments.join('/');
  return {
    operation: operationOf(method, key, searchParams),
    bucketName,
    key,
    query: searchParams,
  };
}

function operationOf(method: string, key: string, query: URLSearchParams): DoubleOperation {
  if (key === '' && method === 'POST' && query.has('delete')) return 'delete-many';
  if (key === '') return query.has('list-type') ? 'list' : 'bucket';
  if (method === 'POST') return query.has('uploads') ? 'create-upload' : 'complete';
  if (query.has('uploadId')) return method === 'DELETE' ? 'abort' : 'upload-part';
  if (method === 'PUT') return 'put';
  if (method === 'DELETE') return 'delete';
  return method === 'HEAD' ? 'head' : 'get';
}

function takeFaults(double: Double, asked: Asked): Set<FaultKind> {
  const kinds = new Set<FaultKind>();
  for (const armed of double.armed) {
    const { fault } = armed;
    const operations = fault.operation === undefined ? [asked.operation] : [fault.operation].flat();
    if (!operations.includes(asked.operation) || fault.key?.test(asked.key) === false) continue;
    if (armed.left <= 0) continue;
    if (armed.skip > 0) armed.skip -= 1;
    else {
      armed.left -= 1;
      kinds.add(fault.kind);
    }
  }
  return kinds;
}

function refuseByFault(has: (kind: FaultKind) => boolean): void {
  if (has('slow-down')) throw new Refusal(503, 'SlowDown');
  if (has('internal-error')) throw new Refusal(500, 'InternalError');
  if (has('no-such-bucket')) throw new Refusal(404, 'NoSuchBucket');
  if (has('unknown-user')) throw new Refusal(404, 'XAdminUserNotFound');
  if (has('bare-not-found')) throw new Refusal(404, 'NotFound');
  if (has('denied')) throw new Refusal(403, 'AccessDenied');
  if (has('quota')) throw new Refusal(403, 'QuotaExceeded');
  if (has('skewed')) throw new Refusal(403, 'RequestTimeTooSkewed');
  if (has('bad-digest')) throw new Refusal(400, 'BadDigest');
}

function send(
  double: Double,
  asked: Asked,
  response: ServerResponse,
  answer: Answer,
  truncate: boolean,
): void {
  const body = Buffer.from(answer.body ?? '');
  response.sendDate = false;
  response.writeHead(answer.status, {
    Date: new Date(double.nowMs()).toUTCString(),
    ...(answer.status !== 204 && { 'Content-Length': body.length }),
    ...answer.headers,
  });
  if (asked.operation === 'head') response.end();
  else if (truncate) response.write(body.subarray(0, body.length >> 1), () => response.destroy());
  else response.end(body);
}

function flipped(answer: Answer): Answer {
  const body = Buffer.from(answer.body ?? '');
  body.writeUInt8(body.readUInt8(body.length >> 1) ^ 1, body.length >> 1);
  return { ...answer, body };
}

function hangUp(request: IncomingMessage, log: () => void): void {
  log();
  request.socket.destroy();
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) if (Buffer.isBuffer(piece)) pieces.push(piece);
  return Buffer.concat(pieces);
}
