/**
 * Presigned addresses, taken apart and put together again: what differs between the addresses of one signing is the
 * name of the object and the signature (SigV4 in the query, "AWS4-HMAC-SHA256").
 */
import { FerryError } from '../base/errors.ts';
import type { SignedTemplate } from './object-store.ts';

export type AddressKind =
  | { readonly method: 'GET' }
  | { readonly method: 'PUT'; readonly createOnly: boolean };

/** The address of one object. */
export function addressOf(
  template: SignedTemplate,
  kind: AddressKind,
  name: string,
  signature: Uint8Array,
): string {
  const { base, region, accessKeyId, signedAtSeconds, lifeSeconds, token } = template;
  const stamp = new Date(signedAtSeconds * 1000).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const scope = `${accessKeyId}/${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const query: readonly (readonly [string, string])[] = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'],
    ['X-Amz-Credential', scope],
    ['X-Amz-Date', stamp],
    ['X-Amz-Expires', String(lifeSeconds)],
    ...(token === undefined ? [] : [['X-Amz-Security-Token', token] as const]),
    ['X-Amz-Signature', Buffer.from(signature).toString('hex')],
    ['X-Amz-SignedHeaders', signedHeaders(kind)],
    ['x-id', kind.method === 'GET' ? 'GetObject' : 'PutObject'],
  ];
  const text = query.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
  return `${base}${name}?${text}`;
}

/** What a request to such an address must send as it was signed, beside host and length. */
export const signedRequestHeaders = (kind: AddressKind): Record<string, string> =>
  kind.method === 'PUT' && kind.createOnly ? { 'if-none-match': '*' } : {};

const signedHeaders = (kind: AddressKind): string =>
  kind.method === 'GET' ? 'host' : `content-length;host${kind.createOnly ? ';if-none-match' : ''}`;

/**
 * The template and the signature of an address that a signer made.
 * @throws store-refused when putting them together again gives another address: then nothing may be left out
 */
export function takeApart(
  address: string,
  kind: AddressKind,
  name: string,
): { readonly template: SignedTemplate; readonly signature: Uint8Array } {
  const url = new URL(address);
  const query = (key: string): string => url.searchParams.get(key) ?? '';
  const [accessKeyId = '', , region = ''] = query('X-Amz-Credential').split('/');
  const stamp = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query('X-Amz-Date'));
  const [, year, month, day, hour, minute, second] = stamp ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const template = {
    base: address.slice(0, address.indexOf('?') - name.length),
    region,
    accessKeyId,
    signedAtSeconds: time / 1000,
    lifeSeconds: Number(query('X-Amz-Expires')),
    token: url.searchParams.get('X-Amz-Security-Token') ?? undefined,
  };
  const signature = Buffer.from(query('X-Amz-Signature'), 'hex');
  if (!isSame(addressOf(template, kind, name, signature), address)) {
    throw new FerryError('store-refused', 'the addresses that were signed are of no known form', {
      hint: 'This version cannot make a ticket for this bucket; a pull with the passphrase works.',
    });
  }
  return { template, signature };
}

/** The order of a query, and how its blanks are written, mean nothing. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  const sorted = (url: URL): string =>
    JSON.stringify([...url.searchParams].toSorted(([x], [y]) => (x < y ? -1 : 1)));
  return a.origin === b.origin && a.pathname === b.pathname && sorted(a) === sorted(b);
}
