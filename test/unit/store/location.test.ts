import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FerryError } from '../../../src/base/errors.ts';
import {
  overrideLocation,
  parseLocation,
  printLocation,
  type Location,
} from '../../../src/store/location.ts';

const parse = (text: string): Location => parseLocation(text, '/home/ana');

describe('location', () => {
  const good: [string, Location][] = [
    ['./usb', { kind: 'folder', path: '/home/ana/usb' }],
    ['/mnt/nas/ferry/', { kind: 'folder', path: '/mnt/nas/ferry' }],
    ['file:///mnt/a%20b', { kind: 'folder', path: '/mnt/a b' }],
    ['./with:colon', { kind: 'folder', path: '/home/ana/with:colon' }],
    ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' }],
    ['s3://my.bucket/a/b/', { kind: 's3', bucket: 'my.bucket', prefix: 'a/b' }],
    [
      's3://bucket/p?endpoint=http://127.0.0.1:9000/&region=eu-1&addressing=path&profile=my+own',
      {
        kind: 's3',
        bucket: 'bucket',
        prefix: 'p',
        endpoint: 'http://127.0.0.1:9000',
        region: 'eu-1',
        addressing: 'path',
        profile: 'my own',
      },
    ],
  ];
  for (const [text, location] of good) {
    test(`${text} is understood and survives printing`, () => {
      assert.deepEqual(parse(text), location);
      assert.deepEqual(parse(printLocation(location)), location);
    });
  }

  const bad = [
    '',
    '  ',
    '~/usb',
    'https://bucket.example.com/x',
    's3:bucket',
    's3://',
    's3://b',
    'sftp://x/y',
    's3://bucket//a',
    's3://bucket/../a',
    's3://bucket/a b',
    's3://bucket/a?region=',
    's3://bucket/a#x',
    's3://bucket?what=1',
    's3://bucket?region=a&region=b',
    's3://bucket?addressing=other',
    's3://bucket?endpoint=nonsense',
    's3://bucket?endpoint=ftp://x',
    's3://bucket?a=1?b=2',
    'file://host/x',
    'file:x?y',
    's3://host:9000/bucket',
    `s3://bucket/${'a'.repeat(121)}`,
    'a\nb',
  ];
  for (const text of bad) {
    test(`${JSON.stringify(text)} is refused with a way on`, () => {
      const error = usageError(() => parse(text));
      assert.ok(text.includes('\n') || error.hint !== undefined);
    });
  }

  const secret = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY';
  for (const text of [
    `s3://AKIA123:${secret}@bucket/p`,
    `s3://${secret}@bucket`,
    `s3://bucket?secret_access_key=${secret}`,
    `s3://bucket?${secret}=1`,
    `s3://bucket?sessionToken=${secret}`,
    `s3://bucket?endpoint=https://user:${secret}@host`,
    `ftp://${secret}@host/`,
    `file://${secret}/x`,
    `s3://bucket?region=${secret}/`,
  ]) {
    test(`a credential in ${text.replace(secret, '…')} is refused and not repeated`, () => {
      const error = usageError(() => parse(text));
      const shown = JSON.stringify([error.message, error.hint, error.details]);
      assert.ok(!shown.includes(secret), shown);
    });
  }

  test('options of the command line win over the query, and are for buckets', () => {
    const location = parse('s3://bucket?region=a&profile=p');
    assert.deepEqual(overrideLocation(location, { region: 'b', endpoint: 'https://h' }), {
      ...location,
      region: 'b',
      endpoint: 'https://h',
    });
    assert.deepEqual(overrideLocation(location, {}), location);
    usageError(() => overrideLocation(location, { addressing: 'sideways' }));
    const error = usageError(() => overrideLocation(parse('./usb'), { profile: 'p' }));
    assert.match(error.message, /--aws-profile/);
  });

  test('whatever is typed is parsed or refused as usage, and what is parsed prints and parses again', () => {
    const pieces = fc.constantFrom(
      's3://',
      'bucket',
      '/',
      '?',
      '&',
      'region=',
      'a',
      '..',
      '%',
      '+',
      'file://',
      ':',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 8 }), (parts) => {
        let location: Location;
        try {
          location = parse(parts.join(''));
        } catch (error) {
          assert.ok(error instanceof FerryError && error.code === 'usage', String(error));
          return;
        }
        assert.deepEqual(parse(printLocation(location)), location);
      }),
    );
  });
});

function usageError(action: () => unknown): FerryError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof FerryError && error.code === 'usage', String(error));
    return error;
  }
  assert.fail('was taken');
}
