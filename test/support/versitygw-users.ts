/** Users of a versitygw, and the policy of a bucket that says what each of them may do. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import type { Policy } from '../../src/cli/roles/policy.ts';
import { installVersitygw } from './servers-install.ts';
import type { TestServer } from './servers.ts';

const run = promisify(execFile);

export type User = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** One that may do nothing until a bucket's policy names it. */
export async function addUser(server: TestServer, name: string): Promise<User> {
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const user = { accessKeyId: name, secretAccessKey: `${name}-secret` };
  const admin = ['--access', accessKeyId, '--secret', secretAccessKey, '--endpoint-url', endpoint];
  const added = ['--access', user.accessKeyId, '--secret', user.secretAccessKey, '--role', 'user'];
  await run(await installVersitygw(), ['admin', ...admin, 'create-user', ...added]);
  return user;
}

/** A bucket has one policy: that of all its users. */
export async function setPolicies(
  server: TestServer,
  bucket: string,
  policies: readonly Policy[],
): Promise<void> {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const Statement = policies.flatMap((policy) => policy.Statement);
  const document = JSON.stringify({ Version: '2012-10-17', Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: document }));
  client.destroy();
}
