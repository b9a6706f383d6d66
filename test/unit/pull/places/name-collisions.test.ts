import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { asBytePath, bytePathFromText, type BytePath } from '../../../../src/base/byte-path.ts';
import { FerryError } from '../../../../src/base/errors.ts';
import { isOneName } from '../../../../src/fs/one-name.ts';
import { refuseCollisions } from '../../../../src/pull/places/name-collisions.ts';
import type { PlacedRoot, Placement } from '../../../../src/pull/places/placement.ts';
import type { SnapshotReader } from '../../../../src/repository/snapshot-reader.ts';

const folder = mkdtempSync(join(tmpdir(), 'collisions-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const PATHS = [
  '',
  'NOTES',
  'a',
  'a/README.md',
  'a/readme.md',
  'b',
  'caf\u00e9',
  'cafe\u0301',
  'notes',
];

/** Only what the walk looks at. */
const snapshot = {
  async *entries() {
    for (const path of PATHS.map(bytePathFromText)) yield { path };
  },
} as unknown as SnapshotReader;
const placedWith = (without: readonly string[]): Placement => {
  const root = {
    root: { name: 'workspace' },
    base: bytePathFromText(folder),
    below: asBytePath(''),
    without: without.map(bytePathFromText),
    isBrought: false,
  } as unknown as PlacedRoot;
  return { roots: [root] } as unknown as Placement;
};

const own = bytePathFromText(folder);
const asked: [string, string][] = [];
const foldsAll = (_: BytePath, first: BytePath, second: BytePath): boolean =>
  asked.push([first, second]) > 0;

test('every pair that is one name here is refused by name, before anything is written', async () => {
  await assert.rejects(refuseCollisions(placedWith([]), snapshot, own, foldsAll), (error) => {
    assert.ok(error instanceof FerryError);
    assert.equal(error.code, 'target-unsafe');
    assert.match(error.message, /workspace\/a\/README\.md and readme\.md/);
    assert.match(error.message, /workspace\/caf\u00e9 and cafe\u0301/);
    assert.match(error.message, /workspace\/NOTES and notes/);
    return true;
  });
  assert.equal(asked.length, 3);
});

test('what has another place does not count, and a file system that tells them apart takes them', async () => {
  await refuseCollisions(placedWith([]), snapshot, own, () => false);
  const without = ['a', 'cafe\u0301', 'notes'];
  await refuseCollisions(placedWith(without), snapshot, own, () => true);
});

test('the file system itself is asked, and nothing is left of it', () => {
  const at = bytePathFromText(folder);
  assert.equal(isOneName(at, bytePathFromText('x'), bytePathFromText('x')), true);
  assert.equal(isOneName(at, bytePathFromText('x'), bytePathFromText('y')), false);
  assert.deepEqual(readdirSync(folder), []);
});
