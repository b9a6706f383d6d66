/**
 * The Terraform modules applied with HashiCorp's own provider, on LocalStack, and read back; and a push and a pull in
 * the bucket that they made. Building the provider takes five minutes of Go, so it is done only where this ring is
 * required: STATEFERRY_REQUIRE_RINGS=terraform-aws npm test -- infra/terraform
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GetBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3';
import { asRecord, makeFolder } from '../support/cli-run.ts';
import { isRequired, ring } from '../support/rings.ts';
import { startLocalStackRuntime, type TestServer } from '../support/servers.ts';
import { installTerraformProvider, terraformProvider } from '../support/terraform-provider.ts';
import { askTerraform, findTerraform } from '../support/terraform.ts';
import {
  assertBucket,
  assertBucketPolicy,
  assertRole,
  assertServes,
  clientOf,
  type Deployed,
} from './deployed.ts';
import { at, INFRA } from './infra-files.ts';

const program = await findTerraform();
const provider = await providerOrWhy();
const server: TestServer | undefined =
  'folder' in provider ? await startLocalStackRuntime() : undefined;

ring('terraform-aws', 'why' in provider ? provider.why : server?.absent, () => {
  assert.ok(program !== undefined && server && 'folder' in provider);
  const client = clientOf(server);
  const folder = makeFolder();
  const infra = join(folder.path, 'infra');
  const bucket = `ferry-${randomBytes(8).toString('hex')}`;
  const prefix = 'some/ferry';
  const given = { bucket, prefix, lock_days: '7' };

  before(() => {
    cpSync(INFRA, infra, { recursive: true });
    writeFileSync(join(folder.path, 'terraform.rc'), overridden(provider.folder));
    for (const module of ['bucket', 'machine']) {
      writeFileSync(join(infra, 'terraform', module, 'local.tf'), LOCALSTACK);
    }
  });
  after(async () => {
    client.destroy();
    folder.remove();
    await server.stop();
  });

  /** What it says. An init would ask a registry for the provider that is here already. */
  async function run(module: string, ...args: string[]): Promise<string> {
    const cwd = join(infra, 'terraform', module);
    const { exit, stdout, stderr } = await askTerraform(program ?? '', args, cwd, folder.path, {
      TF_CLI_CONFIG_FILE: join(folder.path, 'terraform.rc'),
      AWS_ENDPOINT_URL: server?.endpoint ?? '',
      AWS_REGION: server?.region ?? '',
      AWS_ACCESS_KEY_ID: server?.accessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: server?.secretAccessKey ?? '',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    assert.equal(exit, 0, stdout + stderr);
    return stdout;
  }

  const valuesOf = (given: Readonly<Record<string, string>>): string[] =>
    Object.entries(given).map(([name, value]) => `-var=${name}=${value}`);

  async function apply(module: string, given: Readonly<Record<string, string>>): Promise<unknown> {
    await run(module, 'get');
    await run(module, 'validate');
    await run(module, 'apply', '-auto-approve', ...valuesOf(given));
    // It would say 2 where what was made is not what was asked for.
    await run(module, 'plan', '-detailed-exitcode', ...valuesOf(given));
    return JSON.parse(await run(module, 'output', '-json'));
  }

  const roleIn = (outputs: unknown, role: string): Deployed => ({
    user: String(at(outputs, 'users', 'value', role)),
    policyArn: String(at(outputs, 'policy_arns', 'value', role)),
  });

  test('bucket, users and machine: applied, read back, pushed to and pulled from', async () => {
    const made = await apply('bucket', given);
    await assertBucket(client, bucket);
    await assertBucketPolicy(client, bucket, prefix);
    for (const role of ['reader', 'maintainer'] as const) {
      await assertRole(server, roleIn(made, role), { role, bucket, prefix, writer: '' });
    }
    const { Rules } = await client.send(
      new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }),
    );
    assert.deepEqual(
      Rules?.map(({ ID, Status, Filter, ...rule }) => [ID, Status, Filter, rule]),
      [
        ['EndUnfinishedUploads', 'Enabled', { Prefix: '' }, ENDED],
        ['ForgetWhatWasDeleted', 'Enabled', { Prefix: '' }, FORGOTTEN],
      ],
    );

    const location = String(at(made, 'location', 'value'));
    assert.equal(location, `s3://${bucket}/${prefix}?region=${server.region}`);
    await assertServes(server, folder.path, { location, bucket, prefix }, async (writer) => {
      const machine = await apply('machine', { bucket, prefix, writer });
      return { writer: roleIn(machine, 'writer'), handoff: roleIn(machine, 'handoff') };
    });
  });

  test('a lock and a default retention are left out where they are not wanted', async () => {
    const plain = { bucket: `${bucket}-plain`, object_lock: 'false', lock_days: '7' };
    const state = join(folder.path, 'plain.tfstate');
    const planned = join(folder.path, 'plain.plan');
    await run('bucket', 'plan', `-state=${state}`, `-out=${planned}`, ...valuesOf(plain));
    const shown: unknown = JSON.parse(await run('bucket', 'show', '-json', planned));
    const changes = at(shown, 'resource_changes');
    assert.ok(Array.isArray(changes));
    const names = changes.map((change) => String(asRecord(change)['address']));
    assert.ok(names.includes('aws_s3_bucket.ferry'));
    assert.ok(!names.some((name) => name.includes('object_lock')), names.join());
  });
});

const ENDED = { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 } };
const FORGOTTEN = {
  NoncurrentVersionExpiration: { NoncurrentDays: 30 },
  Expiration: { ExpiredObjectDeleteMarker: true },
};

/** A server without hosts of its own for buckets and accounts. */
const LOCALSTACK = `provider "aws" {
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}
`;

const overridden = (folder: string): string => `provider_installation {
  dev_overrides {
    "hashicorp/aws" = ${JSON.stringify(folder)}
  }
  direct {}
}
`;

async function providerOrWhy(): Promise<{ readonly folder: string } | { readonly why: string }> {
  if (program === undefined) return { why: 'no terraform and no tofu on PATH' };
  if (!isRequired('terraform-aws') && !(await terraformProvider())) {
    return { why: 'its provider is not built here; STATEFERRY_REQUIRE_RINGS=terraform-aws does' };
  }
  try {
    return { folder: await installTerraformProvider() };
  } catch (error) {
    return { why: `its provider cannot be built: ${String(error).slice(0, 300)}` };
  }
}
