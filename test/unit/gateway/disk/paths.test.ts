import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  expandTilde,
  isWithin,
  normalizePath,
  restBelow,
} from '../../../../src/gateway/disk/paths.ts';
import { movePath, pathMap } from '../../../../src/gateway/relocate/path-map.ts';

const map = pathMap([
  { from: '/home/al', to: '/home/bob' },
  { from: '/home/al/.openclaw', to: '/srv/claw' },
  { from: 'C:\\Users\\Al', to: '/home/bob' },
  { from: '/Users/al/', to: '/home/bob' },
]);

test('the longest prefix decides, and never inside a longer name', () => {
  const moved: Record<string, string | undefined> = {
    '/home/al': '/home/bob',
    '/home/al/': '/home/bob/',
    '/home/al/notes': '/home/bob/notes',
    '/home/alice/notes': undefined,
    '/home/al.bak': undefined,
    '/home/al/.openclaw': '/srv/claw',
    '/home/al/.openclaw/workspace': '/srv/claw/workspace',
    '/home/al/.openclaw-work/x': '/home/bob/.openclaw-work/x',
    '/data/home/al/x': undefined,
    'C:\\Users\\Al\\.openclaw\\x.json': '/home/bob/.openclaw/x.json',
    'c:/users/al/x': '/home/bob/x',
    'C:\\Users\\Alice\\x': undefined,
    '/Users/al/Library': '/home/bob/Library',
    'relative/home/al': undefined,
  };
  for (const [from, to] of Object.entries(moved)) assert.equal(movePath(map, from), to, from);
});

test('of rules with one origin the first counts; an empty origin moves nothing', () => {
  const rules = pathMap([
    { from: '/a', to: '/first' },
    { from: '/a/', to: '/second' },
    { from: '/', to: '/everything' },
  ]);
  assert.equal(movePath(rules, '/a/x'), '/first/x');
  assert.equal(movePath(rules, '/b'), undefined);
});

test('property: a path moves exactly when it is the origin or below it', () => {
  const segment = fc.stringMatching(/^[a-z. -]{1,6}$/).filter((text) => !/^\.{1,2}$/.test(text));
  const path = fc.array(segment, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(path, path, (origin, other) => {
      const rule = pathMap([{ from: `/${origin.join('/')}`, to: '/new' }]);
      const inside = origin.every((part, at) => other[at] === part);
      const rest = other
        .slice(origin.length)
        .map((part) => `/${part}`)
        .join('');
      assert.equal(movePath(rule, `/${other.join('/')}`), inside ? `/new${rest}` : undefined);
    }),
  );
});

test('paths as text', () => {
  assert.equal(restBelow('/', '/x'), '/x');
  assert.equal(isWithin('/a/b', '/a/b'), true);
  assert.equal(isWithin('/a/b', '/a'), false);
  assert.equal(normalizePath('/a//b/./c/../d/'), '/a/b/d');
  assert.equal(normalizePath('/../..'), '/');
  assert.equal(expandTilde('~/x', '/home/al'), '/home/al/x');
  assert.equal(expandTilde('~other/x', '/home/al'), '~other/x');
});
