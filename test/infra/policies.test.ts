/**
 * What lies below infra/ says the same as the rights in the source. STATEFERRY_UPDATE_TEXTS=1 writes the policies
 * anew (and `npm run format` after it), and the diff is what people will attach to their keys.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { policyFor } from '../../src/cli/roles/policy.ts';
import { NEVER_REPLACED, ROLES, type Role } from '../../src/cli/roles/rights.ts';
import {
  at,
  bucketPolicy,
  INFRA,
  inTemplate,
  plainPolicy,
  readJson,
  writeJson,
} from './infra-files.ts';

const isUpdating = process.env['STATEFERRY_UPDATE_TEXTS'] !== undefined;

const PLAIN: Readonly<Record<string, object>> = {
  'aws-bucket': bucketPolicy(),
  ...Object.fromEntries(ROLES.map((role) => [role, plainPolicy(role)])),
};

describe('the policies as plain files', () => {
  for (const [name, wanted] of Object.entries(PLAIN)) {
    test(`${name}.json is what the source says`, () => {
      const path = `policies/${name}.json`;
      if (isUpdating) writeJson(path, wanted);
      assert.deepEqual(readJson(path), wanted);
    });
  }

  test('are all that there are', () => {
    const files = readdirSync(join(INFRA, 'policies')).toSorted();
    assert.deepEqual(
      files,
      Object.keys(PLAIN)
        .map((name) => `${name}.json`)
        .toSorted(),
    );
  });
});

const TEMPLATES: Readonly<Record<string, readonly [path: string, resource: string]>> = {
  'aws-bucket': ['cloudformation/bucket.json', 'BucketPolicy'],
  reader: ['cloudformation/bucket.json', 'ReaderPolicy'],
  maintainer: ['cloudformation/bucket.json', 'MaintainerPolicy'],
  writer: ['cloudformation/machine.json', 'WriterPolicy'],
  handoff: ['cloudformation/machine.json', 'HandoffPolicy'],
};

describe('the policies in the templates', () => {
  for (const [name, [path, resource]] of Object.entries(TEMPLATES)) {
    test(`${name}'s is what the source says`, () => {
      const wanted = inTemplate(PLAIN[name]);
      const template = readJson(path);
      const properties = at(template, 'Resources', resource, 'Properties');
      if (isUpdating) {
        Object.assign(Object(properties), { PolicyDocument: wanted });
        writeJson(path, template);
      }
      assert.deepEqual(at(properties, 'PolicyDocument'), wanted);
    });
  }
});

describe('the rights', () => {
  const allowed = (role: Role): string =>
    JSON.stringify(policyFor({ role, bucket: 'b', prefix: 'p', writer: 'mine' }));

  test('of a writer name no secret of others and delete nothing', () => {
    const text = allowed('writer');
    assert.doesNotMatch(text, /Delete|\/p\/(keys|grants|claims|receipts)|p\/\*|Bypass|Retention/);
    assert.doesNotMatch(text, /"s3:\*"|"s3:Get\*"/);
    const reads = policyFor({ role: 'writer', bucket: 'b', prefix: 'p', writer: 'mine' }).Statement;
    const resources = reads.find(({ Action }) => Action.includes('s3:GetObject'))?.Resource ?? [];
    assert.ok(resources.length > 3);
    assert.ok(resources.every((one) => !one.includes('/packs/')));
  });

  test('lie at the top of a bucket without a prefix', () => {
    const policy = policyFor({ role: 'writer', bucket: 'b', prefix: '', writer: 'mine' });
    assert.match(JSON.stringify(policy), /"arn:aws:s3:::b\/packs\/mine\/\*"/);
  });

  test('of a bucket’s own policy say whom they are for', () => {
    const place = { bucket: 'b', prefix: '', writer: '', principal: 'old-mac' };
    const { Statement } = policyFor({ role: 'reader', ...place });
    assert.ok(Statement.length > 0);
    for (const { Principal } of Statement) assert.deepEqual(Principal, { AWS: ['old-mac'] });
  });

  test('tickets, claims and receipts may be stored again, snapshots may not', () => {
    assert.ok(NEVER_REPLACED.includes('snapshots/*') && NEVER_REPLACED.includes('stateferry.json'));
    assert.ok(!NEVER_REPLACED.some((name) => /grants|claims|receipts/.test(name)));
  });
});
