import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { asBytePath, bytePathFromText, toFsPath } from '../../src/base/byte-path.ts';
import { caseCollisions, checkEntryPath } from '../../src/fs/safe-path.ts';
import { walkTree } from '../../src/fs/walk.ts';

/** Few different bytes around `/` in value, so that prefixes and near misses are common. */
const name = fc
  .array(fc.constantFrom('a', 'A', '-', '.', '0', ' ', '\xc3', '\x01', '\xff'), {
    minLength: 1,
    maxLength: 3,
  })
  .map((chars) => chars.join(''))
  .filter((text) => text !== '.' && text !== '..');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));

test('a walk finds every entry once, in the order with / as 0x00', () => {
  fc.assert(
    fc.property(fc.uniqueArray(path, { minLength: 1, maxLength: 25 }), (paths) => {
      const root = mkdtempSync(join(tmpdir(), 'stateferry-walk-'));
      try {
        const made = makeTree(root, paths);
        const found = [...walkTree(bytePathFromText(root))].map((item) => item.path as string);
        assert.deepEqual(found, made);
        const entries = found.slice(1).map((each) => asBytePath(each));
        assert.ok(entries.every((each) => checkEntryPath(each) === undefined));
        assert.equal([...caseCollisions(entries)].length, collisionsBySearch(entries));
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    }),
    { numRuns: 60 },
  );
});

/** All paths made, the root included, in the order of the format, by the definition of that order. */
function makeTree(root: string, paths: readonly string[]): string[] {
  const made = new Set(['']);
  for (const each of paths) {
    const parts = each.split('/');
    for (let depth = 1; depth <= parts.length; depth++) made.add(parts.slice(0, depth).join('/'));
  }
  for (const each of [...made].toSorted((one, other) => one.length - other.length)) {
    if (each === '') continue;
    const full = toFsPath(asBytePath(`${root}/${each}`));
    if ([...made].some((other) => other.startsWith(`${each}/`))) mkdirSync(full);
    else writeFileSync(full, '');
  }
  const orderKey = (text: string): string => text.replaceAll('/', '\0');
  return [...made].toSorted((one, other) => (orderKey(one) < orderKey(other) ? -1 : 1));
}

/** The same question the slow way: later siblings equal to an earlier one without case. */
function collisionsBySearch(paths: readonly string[]): number {
  const fold = (text: string): string => Buffer.from(text, 'latin1').toString('utf8').toLowerCase();
  const parent = (text: string): string => text.slice(0, Math.max(0, text.lastIndexOf('/')));
  return paths.filter((each, at) =>
    paths
      .slice(0, at)
      .some(
        (other) =>
          parent(other) === parent(each) &&
          fold(other.slice(parent(other).length)) === fold(each.slice(parent(each).length)),
      ),
  ).length;
}
