import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asBytePath,
  baseNameBytes,
  bytePathFromText,
  dirNameBytes,
  joinBytes,
  parseShownPath,
  showPath,
  toFsPath,
} from '../../../src/base/byte-path.ts';

const SHOWN: readonly (readonly [bytes: string, shown: string])[] = [
  ['', ''],
  ['plain/path', 'plain/path'],
  ['caf\xc3\xa9', 'café'],
  ['caf\xe9', 'caf\\xe9'],
  ['back\\slash', 'back\\\\slash'],
  ['\\x41', '\\\\x41'],
  ['line\nfeed\t\x7f', 'line\\x0afeed\\x09\\x7f'],
  ['\x1b[31m', '\\x1b[31m'],
  ['\xc2\x9b31m', '\\xc2\\x9b31m'],
  ['\xc2\xa0', '\u00a0'],
  ['\xf0\x9f\x9a\xa2', '🚢'],
  ['\xf0\x9f\x9a', '\\xf0\\x9f\\x9a'],
  ['\xc0\x80', '\\xc0\\x80'],
  ['\xed\xa0\x80', '\\xed\\xa0\\x80'],
  ['\xf4\x90\x80\x80', '\\xf4\\x90\\x80\\x80'],
  ['\xef\xbf\xbd', '\ufffd'],
  ['\xef\xbb\xbfbom', '\ufeffbom'],
  ['\xff\xfe', '\\xff\\xfe'],
];

for (const [bytes, shown] of SHOWN) {
  test(`${JSON.stringify(shown)} is shown, and read back`, () => {
    assert.equal(showPath(asBytePath(bytes)), shown);
    assert.equal(parseShownPath(shown), bytes);
  });
}

test('text becomes its UTF-8 bytes, and goes to the file system as them', () => {
  assert.equal(bytePathFromText('ü'), '\xc3\xbc');
  assert.equal(toFsPath(asBytePath('a')), 'a');
  assert.deepEqual(toFsPath(asBytePath('\xff')), Buffer.from([0xff]));
});

test('joining and taking apart', () => {
  const [a, b] = [asBytePath('a'), asBytePath('b')];
  assert.equal(joinBytes(asBytePath(''), b), 'b');
  assert.equal(joinBytes(a, b), 'a/b');
  assert.equal(joinBytes(asBytePath('/'), b), '/b');
  assert.equal(baseNameBytes(asBytePath('a/b')), 'b');
  assert.equal(dirNameBytes(asBytePath('a/b')), 'a');
  assert.equal(dirNameBytes(a), '');
});
