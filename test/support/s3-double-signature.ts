import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './s3-double-refusal.ts';

export type SignedRequest = {
  readonly method: string;
  /** Path and query exactly as on the wire. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

export type Account = {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
};

const SKEW_MAX_MS = 15 * 60_000;
const AUTHORIZATION = new RegExp(
  '^AWS4-HMAC-SHA256 Credential=([^/]+)/(\\d{8})/([^/]+)/s3/aws4_request, ?' +
    'SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$',
);

/** Checks a header signature (SigV4) as AWS does, and that nothing that matters was left unsigned. */
export function checkSignature(request: SignedRequest, account: Account, nowMs: number): void {
  const [, accessKey = '', day = '', region = '', signedList = '', signature = ''] =
    AUTHORIZATION.exec(header(request, 'authorization') ?? '') ?? [];
  if (signature === '') throw new Refusal(403, 'AccessDenied', 'no usable Authorization header');
  if (accessKey !== account.accessKey) throw new Refusal(403, 'InvalidAccessKeyId');
  if (region !== account.region)
    throw new Refusal(400, 'AuthorizationHeaderMalformed', `region ${region}`);
  const signed = signedList.split(';');
  for (const name of Object.keys(request.headers)) {
    const matters = name === 'host' || name === 'content-md5' || name.startsWith('x-amz-');
    if (matters && !signed.includes(name))
      throw new Refusal(403, 'AccessDenied', `${name} is not signed`);
  }
  const payloadHash = header(request, 'x-amz-content-sha256') ?? '';
  const stamp = header(request, 'x-amz-date') ?? '';
  const expected = sign({
    account,
    day,
    region,
    stamp,
    canonical: canonicalOf(request, signed, payloadHash),
  });
  if (expected !== signature) throw new Refusal(403, 'SignatureDoesNotMatch');
  checkTime(stamp, nowMs);
  if (/^[0-9a-f]{64}$/.test(payloadHash)) {
    const actual = createHash('sha256').update(request.body).digest('hex');
    if (actual !== payloadHash) throw new Refusal(400, 'XAmzContentSHA256Mismatch');
  }
}

function checkTime(stamp: string, nowMs: number): void {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp) ?? [];
  const signedMs = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  if (!(Math.abs(signedMs - nowMs) <= SKEW_MAX_MS)) throw new Refusal(403, 'RequestTimeTooSkewed');
}

function canonicalOf(
  request: SignedRequest,
  signed: readonly string[],
  payloadHash: string,
): string {
  const [path = '', query = ''] = request.url.split('?');
  const pairs =
    query === '' ? [] : query.split('&').map((pair) => (pair.includes('=') ? pair : `${pair}=`));
  const headers = signed.map(
    (name) => `${name}:${(header(request, name) ?? '').trim().replaceAll(/ +/g, ' ')}\n`,
  );
  const lines = [
    request.method,
    path,
    pairs.sort().join('&'),
    headers.join(''),
    signed.join(';'),
    payloadHash,
  ];
  return lines.join('\n');
}

function sign(parts: {
  account: Account;
  day: string;
  region: string;
  stamp: string;
  canonical: string;
}): string {
  const scope = `${parts.day}/${parts.region}/s3/aws4_request`;
  const hash = createHash('sha256').update(parts.canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', parts.stamp, scope, hash].join('\n');
  let key: Buffer | string = `AWS4${parts.account.secretKey}`;
  for (const part of [parts.day, parts.region, 's3', 'aws4_request']) key = hmac(key, part);
  return hmac(key, text).toString('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function header(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
