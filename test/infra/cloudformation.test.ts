/**
 * The templates deployed and read back, and a push and a pull in the bucket that they made. LocalStack enforces no
 * policy (versitygw does: roles.test.ts) and drops the lifecycle rules, which are therefore only read in the template:
 * that AWS carries them out is not proved here.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GetObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import { makeFolder } from '../support/cli-run.ts';
import { deploy, type Stack } from '../support/cloudformation.ts';
import { ring } from '../support/rings.ts';
import { startLocalStackRuntime } from '../support/servers.ts';
import {
  assertBucket,
  assertBucketPolicy,
  assertRole,
  assertServes,
  clientOf,
  type Deployed,
} from './deployed.ts';
import { at, INFRA, readJson } from './infra-files.ts';

describe('the lifecycle in the template', () => {
  const properties = at(
    readJson('cloudformation/bucket.json'),
    'Resources',
    'Bucket',
    'Properties',
  );

  test('ends unfinished uploads and forgets what was deleted, and touches nothing that is current', () => {
    assert.deepEqual(at(properties, 'LifecycleConfiguration', 'Rules'), [
      {
        Id: 'EndUnfinishedUploads',
        Status: 'Enabled',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
      },
      {
        Id: 'ForgetWhatWasDeleted',
        Status: 'Enabled',
        NoncurrentVersionExpiration: { NoncurrentDays: { Ref: 'NoncurrentDays' } },
        ExpiredObjectDeleteMarker: true,
      },
    ]);
  });

  test('the bucket and what is in it outlive the stack', () => {
    const bucket = at(readJson('cloudformation/bucket.json'), 'Resources', 'Bucket');
    assert.equal(at(bucket, 'DeletionPolicy'), 'Retain');
    assert.equal(at(bucket, 'UpdateReplacePolicy'), 'Retain');
  });
});

const server = await startLocalStackRuntime();
ring('localstack-runtime', server.absent, () => {
  const client = clientOf(server);
  const Bucket = `ferry-${randomBytes(8).toString('hex')}`;
  const prefix = 'some/ferry';
  const folder = makeFolder();
  const template = (name: string): string =>
    readFileSync(join(INFRA, `cloudformation/${name}.json`), 'utf8');
  let stack: Stack;

  before(async () => {
    const parameters = { BucketName: Bucket, Prefix: prefix, LockDays: '7' };
    stack = await deploy(server, 'ferry-bucket', template('bucket'), parameters);
  });
  after(async () => {
    client.destroy();
    folder.remove();
    await server.stop();
  });

  const roleIn = ({ outputs }: Stack, name: string): Deployed => ({
    user: outputs[`${name}User`] ?? '',
    policyArn: outputs[`${name}PolicyArn`] ?? '',
  });

  test('the bucket keeps versions and locks, is encrypted, and nothing of it is public', () =>
    assertBucket(client, Bucket));

  test('its policy wants TLS and create-only', () => assertBucketPolicy(client, Bucket, prefix));

  test('reader and maintainer are users with the rights of their roles', async () => {
    const wanted = { bucket: Bucket, prefix, writer: '' };
    await assertRole(server, roleIn(stack, 'Reader'), { role: 'reader', ...wanted });
    await assertRole(server, roleIn(stack, 'Maintainer'), { role: 'maintainer', ...wanted });
  });

  test('a lock and a default retention are left out where they are not wanted', async () => {
    const name = `${Bucket}-plain`;
    const parameters = { BucketName: name, ObjectLock: 'no', LockDays: '7' };
    await deploy(server, 'ferry-plain', template('bucket'), parameters);
    const asked = client.send(new GetObjectLockConfigurationCommand({ Bucket: name }));
    await assert.rejects(asked, { name: 'ObjectLockConfigurationNotFoundError' });
  });

  test('a machine comes in, gets a stack of its own, pushes, and another one pulls', async () => {
    const location = stack.outputs['Location'] ?? '';
    assert.equal(location, `s3://${Bucket}/${prefix}?region=${server.region}`);
    const place = { location, bucket: Bucket, prefix };
    await assertServes(server, folder.path, place, async (writer) => {
      const parameters = { BucketName: Bucket, Prefix: prefix, WriterId: writer };
      const machine = await deploy(server, 'ferry-machine', template('machine'), parameters);
      return { writer: roleIn(machine, 'Writer'), handoff: roleIn(machine, 'Handoff') };
    });
  });
});
