import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import { parseOwnRules } from '../../../../src/gateway/relocate/own-rules.ts';

test('a rule is two absolute paths; the new one may begin with the home', () => {
  const typed = [
    '/srv/old ws/=/srv/ws/',
    '/home/al=~/al',
    'C:\\Users\\Al=/home/al',
    'D:/data=/mnt/data',
    '/a=b=/c=d',
    '\\\\nas\\share=/mnt/nas',
  ];
  assert.deepEqual(parseOwnRules(typed, '/home/bob'), [
    { from: '/srv/old ws', to: '/srv/ws' },
    { from: '/home/al', to: '/home/bob/al' },
    { from: 'C:\\Users\\Al', to: '/home/al' },
    { from: 'D:/data', to: '/mnt/data' },
    { from: '/a=b', to: '/c=d' },
    { from: '\\\\nas\\share', to: '/mnt/nas' },
  ]);
});

const REFUSED: Readonly<Record<string, readonly [typed: readonly string[], why: RegExp]>> = {
  'no equals sign': [['/a'], /not OLD=NEW/],
  'a relative old path': [['a=/b'], /not OLD=NEW/],
  'a relative new path': [['/a=b'], /not OLD=NEW/],
  'a home of the old machine that nobody knows': [['~/a=/b'], /not OLD=NEW/],
  'two ways to read it': [['/a=/b=/c'], /can be split in two ways/],
  'an old path that climbs': [['/a/../b=/c'], /must not hold/],
  'a new path that climbs': [['/a=/b/../../etc'], /must not hold/],
  'a Windows path that climbs': [['C:\\a\\..\\b=/c'], /must not hold/],
  'a doubled slash': [['/a//b=/c'], /doubled slash/],
  'the top': [['/=/c'], /whole file system/],
  'onto the top': [['/a=/'], /whole file system/],
  'a whole drive': [['C:\\=/c'], /whole file system/],
  'a NUL': [['/a\0b=/c'], /NUL/],
  'a new path of Windows': [['/a=C:\\b'], /not a path of this machine/],
  'one place twice': [['/a=/b', '/a/=/c'], /given twice: \/a=\/b and \/a=\/c/],
  'one place twice, in another spelling': [['C:\\A=/b', 'c:/a=/c'], /given twice/],
  'two places into one': [['/a=/c', '/b=/c/'], /two places into one: \/a=\/c and \/b=\/c/],
};

test('what is no rule, or contradicts another, is refused by name', () => {
  for (const [what, [typed, why]] of Object.entries(REFUSED)) {
    assert.throws(
      () => parseOwnRules(typed, '/home/bob'),
      (error) => {
        assert.ok(error instanceof FerryError, what);
        assert.equal(error.code, 'usage', what);
        assert.match(error.message, why, what);
        return true;
      },
      what,
    );
  }
});
