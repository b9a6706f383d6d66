/**
 * The templates deployed and read back, and a push and a pull in the bucket that they made. LocalStack enforces no
 * policy (versitygw does: roles.test.ts) and drops the lifecycle rules, which are therefore only read in the template:
 * that AWS carries them out is not proved here.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  GetBucketEncryptionCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { policyFor } from '../../src/cli/roles/policy.ts';
import type { Role } from '../../src/cli/roles/rights.ts';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { makeFolder, makeMachine, succeeded, type Answer } from '../support/cli-run.ts';
import { deploy, policiesOf, policyDocument, type Stack } from '../support/cloudformation.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import { ring } from '../support/rings.ts';
import { startLocalStackRuntime } from '../support/servers.ts';
import { at, bucketPolicy, INFRA, readJson } from './infra-files.ts';

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
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
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

  /** The user has this policy and no other, and it says what the source says. */
  async function assertRole(from: Stack, name: string, role: Role, writer: string): Promise<void> {
    const arn = from.outputs[`${name}PolicyArn`] ?? '';
    assert.deepEqual(await policiesOf(server, from.outputs[`${name}User`] ?? ''), [arn]);
    const wanted = policyFor({ role, bucket: Bucket, prefix, writer });
    assert.deepEqual(await policyDocument(server, arn), wanted);
  }

  test('the bucket keeps versions and locks, is encrypted, and nothing of it is public', async () => {
    const versioning = await client.send(new GetBucketVersioningCommand({ Bucket }));
    assert.equal(versioning.Status, 'Enabled');
    const lock = await client.send(new GetObjectLockConfigurationCommand({ Bucket }));
    assert.deepEqual(lock.ObjectLockConfiguration, {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 7 } },
    });
    const blocked = await client.send(new GetPublicAccessBlockCommand({ Bucket }));
    assert.deepEqual(blocked.PublicAccessBlockConfiguration, {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    const { ServerSideEncryptionConfiguration: encryption } = await client.send(
      new GetBucketEncryptionCommand({ Bucket }),
    );
    const [rule] = encryption?.Rules ?? [];
    assert.equal(rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm, 'AES256');
    const owned = await client.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    assert.equal(owned.OwnershipControls?.Rules?.[0]?.ObjectOwnership, 'BucketOwnerEnforced');
  });

  test('its policy wants TLS and create-only', async () => {
    const { Policy = '' } = await client.send(new GetBucketPolicyCommand({ Bucket }));
    const wanted = JSON.stringify(bucketPolicy())
      .replaceAll('PREFIX/', `${prefix}/`)
      .replaceAll('BUCKET', Bucket);
    assert.deepEqual(JSON.parse(Policy), JSON.parse(wanted));
  });

  test('reader and maintainer are users with the rights of their roles', async () => {
    await assertRole(stack, 'Reader', 'reader', '');
    await assertRole(stack, 'Maintainer', 'maintainer', '');
  });

  test('a lock and a default retention are left out where they are not wanted', async () => {
    const name = `${Bucket}-plain`;
    const parameters = { BucketName: name, ObjectLock: 'no', LockDays: '7' };
    await deploy(server, 'ferry-plain', template('bucket'), parameters);
    const asked = client.send(new GetObjectLockConfigurationCommand({ Bucket: name }));
    await assert.rejects(asked, { name: 'ObjectLockConfigurationNotFoundError' });
  });

  test('a machine comes in, gets a stack of its own, pushes, and another one pulls', async () => {
    const variables = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const location = stack.outputs['Location'] ?? '';
    assert.equal(location, `s3://${Bucket}/${prefix}?region=${region}`);
    const alice = makeMachine(folder.path, 'alice');
    writeSample({ home: alice.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
    const run = (...args: string[]): Promise<Answer> => alice.runWith(variables, ...args);
    const secret = ['--passphrase-file', alice.passphraseFile];
    const kit = ['--kit', join(folder.path, 'kit')];
    const begun = succeeded(await run('init', location, ...kit, ...secret, '--json')).last();
    const writer = String(begun['writer']);
    const place = { BucketName: Bucket, Prefix: prefix, WriterId: writer };
    const machine = await deploy(server, 'ferry-machine', template('machine'), place);
    await assertRole(machine, 'Writer', 'writer', writer);
    await assertRole(machine, 'Handoff', 'handoff', writer);
    assert.deepEqual(
      begun['policy'],
      policyFor({ role: 'writer', bucket: Bucket, prefix, writer }),
    );

    succeeded(await run('push'));
    const into = join(folder.path, 'into');
    const bob = makeMachine(folder.path, 'bob');
    const pull = ['pull', '--into', into, '-r', location, '--recovery-file', kit[1] ?? ''];
    succeeded(await bob.runWith(variables, ...pull));
    assert.ok(existsSync(join(into, 'state/openclaw.json')));
  });
});
