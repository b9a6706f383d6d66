/** Presigned addresses of a bucket. Signing asks nobody: it needs credentials, and the time by the store's clock. */
import { DAY_MS } from '../base/durations.ts';
import { assert, FerryError } from '../base/errors.ts';
import type { Presigned, PresignWishes, SignedTemplate } from './object-store.ts';
import { assertName } from './names.ts';
import { takeApart, type AddressKind } from './presigned.ts';
import type { S3Door } from './s3-client.ts';

export type Signing = {
  readonly door: S3Door;
  readonly bucket: string;
  readonly head: string;
  readonly createOnly: 'atomic' | 'racy' | 'none';
};

/** SigV4 allows no longer life. */
export const PRESIGNED_LIFE_MS_MAX = 7 * DAY_MS;

/** @throws store-denied: the credentials are of a session that ends before the addresses would */
export async function presign(at: Signing, wishes: PresignWishes): Promise<Presigned> {
  assert(wishes.lifeMs <= PRESIGNED_LIFE_MS_MAX, 'no address lives longer than a week');
  await refuseShortCredentials(at.door, wishes);
  const put: AddressKind = { method: 'PUT', createOnly: at.createOnly !== 'none' };
  const signer = await signerOf(at, wishes);
  const gets = new Map<string, Uint8Array>();
  const puts = new Map<string, Uint8Array>();
  let common: SignedTemplate | undefined;
  const keep = (
    into: Map<string, Uint8Array>,
    address: string,
    kind: AddressKind,
    name: string,
  ) => {
    const { template, signature } = takeApart(address, kind, name);
    common ??= template;
    assert(JSON.stringify(common) === JSON.stringify(template), 'one signing has one template');
    into.set(name, signature);
  };
  for (const name of wishes.gets) keep(gets, await signer.get(name), { method: 'GET' }, name);
  for (const { name, bytes } of wishes.puts) {
    keep(puts, await signer.put(name, bytes, put), put, name);
  }
  assert(common, 'something was to be signed');
  return { template: common, gets, puts };
}

async function signerOf({ door, bucket, head }: Signing, { signedAtMs, lifeMs }: PresignWishes) {
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const { client, sdk } = door;
  const options = { expiresIn: Math.floor(lifeMs / 1000), signingDate: new Date(signedAtMs) };
  const key = (name: string): string => {
    assertName(name);
    return head + name;
  };
  return {
    get: (name: string): Promise<string> =>
      getSignedUrl(client, new sdk.GetObjectCommand({ Bucket: bucket, Key: key(name) }), options),
    put: (name: string, bytes: number, kind: AddressKind): Promise<string> => {
      const isCreateOnly = kind.method === 'PUT' && kind.createOnly;
      const command = new sdk.PutObjectCommand({
        Bucket: bucket,
        Key: key(name),
        ContentLength: bytes,
        ...(isCreateOnly && { IfNoneMatch: '*' }),
      });
      return getSignedUrl(client, command, options);
    },
  };
}

async function refuseShortCredentials(door: S3Door, wishes: PresignWishes): Promise<void> {
  const { expiration } = await door.client.config.credentials();
  if (expiration === undefined) return;
  const leftMs = expiration.getTime() - wishes.signedAtMs;
  if (leftMs >= wishes.lifeMs) return;
  const minutes = Math.max(0, Math.floor(leftMs / 60_000));
  throw new FerryError(
    'store-denied',
    `the credentials of ${door.location} are of a session that ends in ${minutes} minutes, and the addresses with it`,
    {
      hint: `Use longer-lived ones (--aws-profile NAME), or a shorter life: --expires ${minutes}m`,
      details: { session: true },
    },
  );
}
