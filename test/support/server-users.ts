/** Users of a server that enforces policies, and how it is told what each of them may do. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import type { Policy } from '../../src/cli/roles/policy.ts';
import { installMinioClient, installVersitygw } from './servers-install.ts';
import type { TestServer } from './servers.ts';

const run = promisify(execFile);

export type User = { readonly accessKeyId: string; readonly secretAccessKey: string };

export type Users = {
  /** One that may do nothing until it is allowed to. */
  add(name: string): Promise<User>;
  /** Whom a policy names here; undefined: nobody, it is the user's own. */
  readonly principal: (name: string) => string | undefined;
  /** This, and nothing that it was allowed before. */
  allow(name: string, bucket: string, policy: Policy): Promise<void>;
  close(): void;
};

const userOf = (name: string): User => ({ accessKeyId: name, secretAccessKey: `${name}-secret` });

/** There a bucket has one policy, which names all its users. */
export function versitygwUsers(server: TestServer): Users {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const admin = ['--access', accessKeyId, '--secret', secretAccessKey, '--endpoint-url', endpoint];
  const allowed = new Map<string, Policy>();
  return {
    async add(name) {
      const user = userOf(name);
      const added = ['--access', name, '--secret', user.secretAccessKey, '--role', 'user'];
      await run(await installVersitygw(), ['admin', ...admin, 'create-user', ...added]);
      return user;
    },
    principal: (name) => name,
    async allow(name, bucket, policy) {
      allowed.set(name, policy);
      const credentials = { accessKeyId, secretAccessKey };
      const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
      const Statement = [...allowed.values()].flatMap((one) => one.Statement);
      const document = JSON.stringify({ Version: '2012-10-17', Statement });
      await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: document }));
      client.destroy();
    },
    close: () => undefined,
  };
}

/** There, as on AWS, a user has policies of its own. */
export function minioUsers({ endpoint, accessKeyId, secretAccessKey }: TestServer): Users {
  const attached = new Set<string>();
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-mc-'));
  const env = {
    MC_HOST_here: endpoint.replace('://', `://${accessKeyId}:${secretAccessKey}@`),
    MC_CONFIG_DIR: folder,
    HOME: folder,
  };
  const admin = async (...words: readonly string[]): Promise<void> => {
    await run(await installMinioClient(), ['admin', ...words], { env });
  };
  return {
    async add(name) {
      const user = userOf(name);
      await admin('user', 'add', 'here', name, user.secretAccessKey);
      return user;
    },
    principal: () => undefined,
    async allow(name, _bucket, policy) {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify(policy));
      await admin('policy', 'create', 'here', name, file);
      if (attached.has(name)) return;
      await admin('policy', 'attach', 'here', name, '--user', name);
      attached.add(name);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
