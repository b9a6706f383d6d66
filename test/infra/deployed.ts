/** What a bucket, its users and its machines must be, whoever deployed them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetBucketEncryptionCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { policyFor, type PolicyRequest } from '../../src/cli/roles/policy.ts';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { makeMachine, succeeded, type Answer } from '../support/cli-run.ts';
import { policiesOf, policyDocument } from '../support/cloudformation.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import type { TestServer } from '../support/servers.ts';
import { bucketPolicy } from './infra-files.ts';

export const clientOf = ({
  endpoint,
  region,
  accessKeyId,
  secretAccessKey,
}: TestServer): S3Client =>
  new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  });

/** It keeps versions and locks what is new for seven days, is encrypted, and nothing of it is public. */
export async function assertBucket(client: S3Client, Bucket: string): Promise<void> {
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
}

/** Its policy wants TLS and create-only. */
export async function assertBucketPolicy(
  client: S3Client,
  Bucket: string,
  prefix: string,
): Promise<void> {
  const { Policy = '' } = await client.send(new GetBucketPolicyCommand({ Bucket }));
  const wanted = JSON.stringify(bucketPolicy())
    .replaceAll('PREFIX/', `${prefix}/`)
    .replaceAll('BUCKET', Bucket);
  assert.deepEqual(JSON.parse(Policy), JSON.parse(wanted));
}

/** A user of IAM and its policy, by what the deployment calls them. */
export type Deployed = { readonly user: string; readonly policyArn: string };

/** The user has this policy and no other, and it says what the source says. */
export async function assertRole(
  server: TestServer,
  { user, policyArn }: Deployed,
  wanted: PolicyRequest,
): Promise<void> {
  assert.deepEqual(await policiesOf(server, user), [policyArn]);
  assert.deepEqual(await policyDocument(server, policyArn), policyFor(wanted));
}

/**
 * A machine makes the repository and pushes, and another one pulls.
 * @param deploy what belongs to a machine, once its id is known: its writer and its handoff
 */
export async function assertServes(
  server: TestServer,
  folder: string,
  place: { readonly location: string; readonly bucket: string; readonly prefix: string },
  deploy: (writer: string) => Promise<Readonly<Record<'writer' | 'handoff', Deployed>>>,
): Promise<void> {
  const { location, bucket, prefix } = place;
  const variables = {
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const alice = makeMachine(folder, 'alice');
  writeSample({ home: alice.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  const run = (...args: string[]): Promise<Answer> => alice.runWith(variables, ...args);
  const kit = join(folder, 'kit');
  const secret = ['--passphrase-file', alice.passphraseFile];
  const begun = succeeded(await run('init', location, '--kit', kit, ...secret, '--json')).last();
  const writer = String(begun['writer']);
  const machine = await deploy(writer);
  for (const role of ['writer', 'handoff'] as const) {
    await assertRole(server, machine[role], { role, bucket, prefix, writer });
  }
  assert.deepEqual(begun['policy'], policyFor({ role: 'writer', bucket, prefix, writer }));

  succeeded(await run('push'));
  const into = join(folder, 'into');
  const bob = makeMachine(folder, 'bob');
  const pull = ['pull', '--into', into, '-r', location, '--recovery-file', kit];
  succeeded(await bob.runWith(variables, ...pull));
  assert.ok(existsSync(join(into, 'state/openclaw.json')));
}
