/** What becomes of what is deleted, on a server with versions and Object Lock: a prune tells it as it is. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { lockNewObjects } from '../../src/store/object-lock.ts';
import { withRetries } from '../../src/store/open-store.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import { ring } from '../support/rings.ts';
import { startVersitygw } from '../support/servers.ts';

const server = await startVersitygw();
after(() => server.stop());

ring('versitygw', server.absent, () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const { signal } = new AbortController();
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  after(() => client.destroy());

  async function bucketStore(bucket: string, withLock: boolean): Promise<ObjectStore> {
    const input = { Bucket: bucket, ObjectLockEnabledForBucket: withLock };
    await client.send(new CreateBucketCommand(input));
    const bare = await openS3Store({ bucket, prefix: 'ferry', endpoint, region, credentials });
    const store = withRetries(bare, { emit: () => undefined });
    after(() => store.close());
    return store;
  }

  /** How many versions are left of an object that was stored and deleted. */
  async function leftAfterDelete(bucket: string, store: ObjectStore): Promise<number> {
    const name = `packs/${'a'.repeat(32)}/${'b'.repeat(32)}`;
    await store.put(name, Buffer.from('content'), {}, signal);
    await store.delete(name, signal);
    assert.equal(await store.stat(name, signal), undefined);
    const command = new ListObjectVersionsCommand({ Bucket: bucket });
    return (await client.send(command)).Versions?.length ?? 0;
  }

  test('without versions what is deleted is gone', async () => {
    const store = await bucketStore('plain-versions', false);
    const said = await store.oldVersions?.(signal);
    assert.deepEqual(said, { kept: 'off', lockDays: null, goneAfterDays: null });
    assert.equal(await leftAfterDelete('plain-versions', store), 0);
  });

  test('with versions it is hidden, and whether anything removes it is not made up', async () => {
    const store = await bucketStore('kept-versions', false);
    const configuration = { Status: 'Enabled' } as const;
    const input = { Bucket: 'kept-versions', VersioningConfiguration: configuration };
    await client.send(new PutBucketVersioningCommand(input));
    const said = (await store.oldVersions?.(signal)) ?? assert.fail('a bucket can tell');
    assert.equal(said.kept, 'on');
    assert.equal(said.lockDays, null);
    // This server has no lifecycle rules: some versions of it say so, some refuse the question.
    assert.ok(said.goneAfterDays === null || said.goneAfterDays === 'unknown');
    assert.equal(await leftAfterDelete('kept-versions', store), 1);
  });

  test('with Object Lock a delete hides too, and for how long it stays is told', async () => {
    const store = await bucketStore('locked-versions', true);
    const place = { bucket: 'locked-versions', prefix: '', endpoint, region, credentials };
    await lockNewObjects(place, 7, signal);
    const said = (await store.oldVersions?.(signal)) ?? assert.fail('a bucket can tell');
    assert.equal(said.kept, 'on');
    assert.equal(said.lockDays, 7);
    assert.equal(await leftAfterDelete('locked-versions', store), 1);
  });
});
