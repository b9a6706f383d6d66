/** The files below infra/, and the policies that they must hold. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policyFor } from '../../src/cli/roles/policy.ts';
import { NEVER_REPLACED, type Role } from '../../src/cli/roles/rights.ts';
import { asRecord } from '../support/cli-run.ts';

export const INFRA = join(import.meta.dirname, '../../infra');

/** What the reader of a plain file puts in its place. */
export const plainPolicy = (role: Role): object =>
  policyFor({ role, bucket: 'BUCKET', prefix: 'PREFIX', writer: 'WRITER' });

/** Of the bucket itself, in the words that only AWS has: over TLS, and nothing replaced. */
export const bucketPolicy = (): object => ({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'TlsOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: ['arn:aws:s3:::BUCKET', 'arn:aws:s3:::BUCKET/*'],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
    {
      Sid: 'NothingIsReplaced',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: NEVER_REPLACED.map((name) => `arn:aws:s3:::BUCKET/PREFIX/${name}`),
      // Parts of an upload cannot say it; its completion does.
      Condition: {
        Null: { 's3:if-none-match': 'true' },
        Bool: { 's3:ObjectCreationOperation': 'true' },
      },
    },
  ],
});

/** The same as a template has it. */
export const inTemplate = (value: unknown): unknown => {
  if (typeof value === 'string') {
    if (!value.startsWith('arn:')) return value;
    return { 'Fn::Sub': PLACES.reduce((text, [from, to]) => text.replaceAll(from, to), value) };
  }
  if (Array.isArray(value)) return value.map(inTemplate);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inTemplate(one)]));
};

const PLACES = [
  ['arn:aws:', 'arn:${AWS::Partition}:'],
  ['BUCKET', '${BucketName}'],
  ['PREFIX', '${Prefix}'],
  ['WRITER', '${WriterId}'],
] as const;

export function readJson(path: string): Record<string, unknown> {
  return asRecord(JSON.parse(readFileSync(join(INFRA, path), 'utf8')));
}

export function writeJson(path: string, value: unknown): void {
  writeFileSync(join(INFRA, path), `${JSON.stringify(value, null, 2)}\n`);
}

/** Follows the names into a JSON value; nothing there is a failure. */
export function at(value: unknown, ...names: readonly string[]): unknown {
  let found = value;
  for (const name of names) {
    found = Reflect.get(asRecord(found), name);
    if (found === undefined) throw new Error(`there is no ${names.join('.')}`);
  }
  return found;
}
