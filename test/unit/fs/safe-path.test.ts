import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asBytePath, bytePathFromText } from '../../../src/base/byte-path.ts';
import { caseCollisions, checkEntryPath, checkLinkTarget } from '../../../src/fs/safe-path.ts';

test('paths that may be restored', () => {
  const good = ['a', 'a/b', '...', '..a', 'a..', ' ', 'a\nb', 'caf\xe9', 'x'.repeat(255), 'a\\b'];
  for (const path of good) assert.equal(checkEntryPath(asBytePath(path)), undefined, path);
});

test('paths that may not', () => {
  const bad = [
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    './a',
    'a/.',
    '..',
    '../a',
    'a/..',
    'a/../b',
    'a\0b',
    'x'.repeat(256),
    `a/${'x'.repeat(256)}/b`,
    'ab/'.repeat(1400) + 'x',
  ];
  for (const path of bad) assert.notEqual(checkEntryPath(asBytePath(path)), undefined, path);
});

test('link targets', () => {
  for (const target of ['/etc', '../..', 'x', '.']) {
    assert.equal(checkLinkTarget(asBytePath(target)), undefined);
  }
  for (const target of ['', 'a\0', 'x'.repeat(4096)]) {
    assert.notEqual(checkLinkTarget(asBytePath(target)), undefined);
  }
});

test('names that are one to a file system without case', () => {
  const paths = [
    'A',
    'A/x',
    'a',
    'a/x',
    'b',
    'b/Caf\u00e9',
    'b/cafe\u0301',
    'b/other',
    'c',
    'c/OTHER',
    'stra\u00dfe',
    'STRASSE',
    'z',
  ].map((path) => bytePathFromText(path));
  assert.deepEqual(
    [...caseCollisions(paths)].map(({ first, second }) => [first, second]),
    [
      ['A', 'a'],
      ['b/Caf\u00e9', 'b/cafe\u0301'],
      ['stra\u00dfe', 'STRASSE'],
    ].map((pair) => pair.map((path) => bytePathFromText(path))),
  );
});
