/** `init --lock`: the default retention of a bucket, on a server that has Object Lock. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectLockConfigurationCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { FerryError } from '../../src/base/errors.ts';
import { lockNewObjects } from '../../src/store/object-lock.ts';
import { ring } from '../support/rings.ts';
import { startVersitygw } from '../support/servers.ts';

const server = await startVersitygw();
after(() => server.stop());

ring('versitygw', server.absent, () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const signal = new AbortController().signal;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  after(() => client.destroy());

  const lock = (bucket: string, days: number): Promise<void> =>
    lockNewObjects({ bucket, prefix: '', endpoint, region, credentials }, days, signal);

  const makeBucket = (bucket: string, withLock: boolean): Promise<unknown> =>
    client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: withLock }));

  async function retention(bucket: string): Promise<unknown> {
    const command = new GetObjectLockConfigurationCommand({ Bucket: bucket });
    return (await client.send(command)).ObjectLockConfiguration?.Rule?.DefaultRetention;
  }

  const refused = (error: unknown): boolean =>
    error instanceof FerryError && error.code === 'store-refused' && error.hint !== undefined;

  test('sets the default retention, and raises it', async () => {
    await makeBucket('lockable', true);
    await lock('lockable', 7);
    assert.deepEqual(await retention('lockable'), { Mode: 'GOVERNANCE', Days: 7 });
    await lock('lockable', 30);
    assert.deepEqual(await retention('lockable'), { Mode: 'GOVERNANCE', Days: 30 });
  });

  test('weakens nothing', async () => {
    await makeBucket('strict', true);
    await lock('strict', 30);
    await assert.rejects(lock('strict', 29), refused);
    assert.deepEqual(await retention('strict'), { Mode: 'GOVERNANCE', Days: 30 });
    const compliance = { Mode: 'COMPLIANCE', Days: 1 } as const;
    const rule = { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: compliance } } as const;
    const input = { Bucket: 'strict', ObjectLockConfiguration: rule };
    await client.send(new PutObjectLockConfigurationCommand(input));
    await assert.rejects(lock('strict', 30), refused);
    assert.deepEqual(await retention('strict'), compliance);
  });

  test('a bucket that was made without Object Lock is refused, with the way to one that has it', async () => {
    await makeBucket('plain', false);
    await assert.rejects(lock('plain', 7), (error: unknown) => {
      assert.ok(refused(error));
      assert.match((error as FerryError).hint ?? '', /--object-lock-enabled-for-bucket/);
      return true;
    });
  });

  test('a bucket that is not there', async () => {
    await assert.rejects(lock('nowhere', 7), { code: 'repository-missing' });
  });
});
