import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import { FerryError } from '../../../src/base/errors.ts';
import { IGNORE_FILE, omitMatching, parsePatterns, readIgnoreFile } from '../../../src/fs/globs.ts';
import { tempDir } from './temp-dir.ts';

/** Pattern, paths it leaves out, paths it does not. A `/` at the end of a path: a directory. */
const CASES: readonly [string, readonly string[], readonly string[]][] = [
  ['*.log', ['a.log', 'x/y/a.log', '.log'], ['a.logs', 'log', 'a.log/x']],
  ['/a', ['a'], ['x/a', 'ab']],
  ['a/b', ['a/b'], ['x/a/b', 'a/b/c', 'b']],
  ['node_modules/', ['node_modules/', 'x/node_modules/'], ['node_modules', 'x/node_modules']],
  ['a/**', ['a/x', 'a/x/y'], ['a', 'b/a/x']],
  ['**/x', ['x', 'a/x', 'a/b/x'], ['xx']],
  ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['z', 'a/b/zz']],
  ['a/**/b/**/c', ['a/b/c', 'a/b/b/c', 'a/x/b/y/c'], ['a/c', 'b/c']],
  ['a?c', ['abc', 'a\u00e9c', 'a\u{1f600}c'], ['ac', 'abbc', 'a/c']],
  ['[a-c]x', ['ax', 'cx'], ['dx', 'x', '-x']],
  ['[!a-c]x', ['dx', '\u00e9x'], ['ax', 'x']],
  ['[]x]', [']', 'x'], ['y']],
  ['a*b*c', ['abc', 'axxbxxc', 'abcbc'], ['ab', 'acb', 'a/b/c']],
  ['\\*', ['*'], ['a']],
  ['\\#x', ['#x'], ['x']],
  ['caf\u00e9', ['caf\u00e9'], ['cafe\u0301', 'caf']],
  ['*', ['a', 'a/b'], []],
];

for (const [pattern, out, kept] of CASES) {
  test(`pattern ${pattern}`, () => {
    assert.ok(out.length > 0);
    for (const path of out) assert.equal(reason([pattern], path), `excluded by ${pattern}`, path);
    for (const path of kept) assert.equal(reason([pattern], path), undefined, path);
  });
}

test('the last match counts, and ! takes back', () => {
  const lines = ['*.log', '!keep.log', 'x/keep.log'];
  assert.equal(reason(lines, 'a.log'), 'excluded by *.log');
  assert.equal(reason(lines, 'keep.log'), undefined);
  assert.equal(reason(lines, 'x/keep.log'), 'excluded by x/keep.log');
});

test('comments, blank lines and trailing blanks say nothing', () => {
  assert.equal(parsePatterns(['', '# x', '   ', 'a  '], 'x').length, 1);
  assert.equal(reason(['a  '], 'a'), 'excluded by a');
});

test('what cannot be a pattern is refused with its line', () => {
  for (const bad of [
    'a//b',
    '../x',
    './x',
    '/',
    '!',
    '[a',
    '[z-a]',
    '[\u00e9]',
    'x'.repeat(2_000),
  ]) {
    assert.throws(
      () => parsePatterns(['ok', bad], 'file'),
      (error) =>
        error instanceof FerryError && error.code === 'usage' && error.message.includes('file:2'),
      bad,
    );
  }
  assert.throws(
    () =>
      parsePatterns(
        Array.from({ length: 2_000 }, () => 'a'),
        'file',
      ),
    FerryError,
  );
});

test('a pattern made to be slow is not', () => {
  const pattern = 'a*'.repeat(200) + 'b';
  assert.equal(reason([pattern], 'a'.repeat(255)), undefined);
  assert.equal(reason([`${'**/a/'.repeat(100)}b`], 'a/'.repeat(1_000) + 'a'), undefined);
});

test('the file of a root', (context) => {
  const root = tempDir(context);
  assert.deepEqual(readIgnoreFile(bytePathFromText(root)), []);
  writeFileSync(join(root, IGNORE_FILE), '# mine\r\n*.iso\r\n');
  assert.deepEqual(
    readIgnoreFile(bytePathFromText(root)).map((pattern) => pattern.text),
    ['*.iso'],
  );
});

function reason(lines: readonly string[], path: string): string | undefined {
  const isDirectory = path.endsWith('/');
  const bytes = bytePathFromText(isDirectory ? path.slice(0, -1) : path);
  return omitMatching(parsePatterns(lines, 'test'))(bytes, isDirectory ? 'dir' : 'file');
}
