/** The roles in a bucket with Object Lock, and a right that is lost and given back. On a server that enforces them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { policyFor, type Policy } from '../../src/cli/roles/policy.ts';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { lockNewObjects } from '../../src/store/object-lock.ts';
import { makeFolder, makeMachine, succeeded, type Answer } from '../support/cli-run.ts';
import { freePort } from '../support/ports.ts';
import { ring } from '../support/rings.ts';
import { minioUsers, versitygwUsers, type User, type Users } from '../support/server-users.ts';
import { startMinio, startVersitygw, type TestServer } from '../support/servers.ts';
import { at } from './infra-files.ts';

const versitygw = await startVersitygw({ keepsLongPolicies: true });
ring('versitygw', versitygw.absent, () => describeLocked(versitygw, versitygwUsers(versitygw)));

const minio = await startMinio({ hasUsers: true });
ring('minio', minio.absent, () => describeLocked(minio, minioUsers(minio)));

function describeLocked(server: TestServer, users: Users): void {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const open = (credentials: User): S3Client =>
    new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const root = open({ accessKeyId, secretAccessKey });
  const folder = makeFolder();
  const alice = makeMachine(folder.path, 'alice');
  const secret = ['--passphrase-file', alice.passphraseFile];
  const Bucket = `ferry-${randomBytes(8).toString('hex')}`;
  const place = { bucket: Bucket, prefix: 'ferry' };
  const location = `s3://${Bucket}/ferry?endpoint=${endpoint}&region=${region}&addressing=path`;
  let maintainer: User;
  let machine: User;
  let rights: Policy;

  before(async () => {
    const port = await freePort();
    writeSample({ home: alice.home, nodePath: process.execPath, port }).close();
    await root.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    maintainer = await users.add('maintainer');
    machine = await users.add('machine');
  });
  after(async () => {
    root.destroy();
    folder.remove();
    users.close();
    await server.stop();
  });

  const run = (user: User, ...args: string[]): Promise<Answer> => {
    const credentials = {
      AWS_ACCESS_KEY_ID: user.accessKeyId,
      AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    return alice.runWith(credentials, ...args);
  };

  const allow = (policy: Policy): Promise<void> => users.allow('machine', Bucket, policy);

  test('init locks new objects with the maintainer’s rights, and a writer pushes there', async () => {
    const all = { ...place, writer: '', principal: users.principal('maintainer') };
    await users.allow('maintainer', Bucket, policyFor({ role: 'maintainer', ...all }));
    const kit = ['--kit', join(folder.path, 'kit')];
    const init = ['init', location, '--lock', '1', ...kit, ...secret, '--json'];
    const { writer } = succeeded(await run(maintainer, ...init)).last();
    const request = { role: 'writer', ...place, principal: users.principal('machine') } as const;
    rights = policyFor({ ...request, writer: String(writer) });
    await allow(rights);
    succeeded(await run(machine, 'push'));
  });

  test('prune keeps the locks up with the maintainer’s rights; a writer cannot lock for longer', async () => {
    const credentials = { accessKeyId, secretAccessKey };
    const signal = new AbortController().signal;
    await lockNewObjects({ ...place, endpoint, region, credentials }, 30, signal);
    const pruned = succeeded(await run(maintainer, 'prune', '--yes', ...secret, '--json')).last();
    assert.ok(Number(at(pruned, 'locks', 'due')) > 0);
    assert.deepEqual(at(pruned, 'locks', 'refused'), []);

    const { Versions = [] } = await root.send(new ListObjectVersionsCommand({ Bucket }));
    const [first] = Versions.filter(({ Key }) => Key?.includes('/snapshots/'));
    const century = new Date(Date.now() + 100 * 365 * 86_400_000);
    const command = new PutObjectRetentionCommand({
      Bucket,
      Key: first?.Key,
      VersionId: first?.VersionId,
      Retention: { Mode: 'GOVERNANCE', RetainUntilDate: century },
    });
    const client = open(machine);
    await assert.rejects(client.send(command), { name: 'AccessDenied' });
    client.destroy();
    const lender = open(maintainer);
    await lender.send(command);
    lender.destroy();
  });

  test('a push that lost a right says whose it needs, and is whole once that is back', async () => {
    const without = (kind: string): Policy => ({
      ...rights,
      Statement: rights.Statement.map((one) => ({
        ...one,
        Resource: one.Resource.filter((name) => !name.includes(`/${kind}/`)),
      })),
    });
    for (const kind of ['packs', 'snapshots']) {
      writeFileSync(join(alice.home, '.openclaw', `${kind}-lost.md`), randomBytes(2000));
      await allow(without(kind));
      const refused = await run(machine, 'push');
      assert.equal(refused.exit, 13, refused.stderr);
      assert.match(refused.stderr, /hint: push needs the rights of the role "writer"/);
    }
    await allow(rights);
    succeeded(await run(machine, 'push'));
    succeeded(await run(maintainer, 'check', '--read-data', ...secret));
  });
}
