import { after } from 'node:test';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { openS3Store, type S3StoreOptions } from '../../src/store/s3-store.ts';
import { startS3Double, type DoubleOptions, type S3Double } from '../support/s3-double.ts';

/** What opens a store in a double. */
export function storeOptions(double: S3Double): S3StoreOptions {
  return {
    bucket: double.bucketName,
    prefix: 'ferry',
    endpoint: double.url,
    region: double.region,
    credentials: { accessKeyId: double.accessKey, secretAccessKey: double.secretKey },
  };
}

/** A double and a bare store in it, both closed when the file's tests are over. */
export async function openDouble(
  double: DoubleOptions = {},
  options: Partial<S3StoreOptions> = {},
): Promise<{ double: S3Double; store: ObjectStore }> {
  const server = await startS3Double(double);
  const store = await openS3Store({ ...storeOptions(server), ...options });
  after(async () => {
    await store.close();
    await server.close();
  });
  return { double: server, store };
}

export const never = new AbortController().signal;
