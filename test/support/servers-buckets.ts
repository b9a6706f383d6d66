import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import type { S3StoreOptions } from '../../src/store/s3-store.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import type { TestServer } from './servers.ts';

export type TestBucket = { readonly options: S3StoreOptions; remove(): Promise<void> };

/** A bucket with a random name on a test server, and what opens a store in it. */
export async function makeBucket(server: TestServer): Promise<TestBucket> {
  const bucket = `ferry-${randomBytes(8).toString('hex')}`;
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const options = { bucket, prefix: 'ferry', endpoint, region, credentials };
  return {
    options,
    remove: async () => {
      await emptyBucket(options);
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
      client.destroy();
    },
  };
}

/** Deletes everything below the prefix. */
export async function emptyBucket(options: S3StoreOptions): Promise<void> {
  const store = await openS3Store(options);
  const { signal } = new AbortController();
  for await (const { name } of store.list('', signal)) await store.delete(name, signal);
  await store.close();
}
