/** However much a push leaves out or cannot read, its snapshot stays one that readers take. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeSnapshotBody,
  encodeSnapshotBody,
  SNAPSHOT_LIMITS,
  type SnapshotBody,
} from '../../../src/format/snapshot.ts';

const BODY: SnapshotBody = {
  tool: 'test',
  install: {
    install: 'openclaw',
    brand: 'openclaw',
    profile: 'default',
    version: null,
    platform: 'linux',
    home: '/home/mara',
  },
  roots: [],
  omissions: [],
  problems: [],
  gateway: {},
};

test('lists that are too long end with how many more there are, and nothing else is cut', () => {
  const name = (number: number): string => `state/${number}/${'long name '.repeat(1000)}`;
  const omissions = Array.from({ length: 4000 }, (_, number) => ({
    path: name(number),
    reason: 'matches *.png',
  }));
  const problems = omissions.map(({ path }) => ({ path, code: 'EIO' }));
  const encoded = encodeSnapshotBody({ ...BODY, omissions, problems });
  assert.ok(encoded.length < SNAPSHOT_LIMITS.snapshotBytesMax / 2);
  const decoded = decodeSnapshotBody(encoded, 'a body');
  for (const [list, whole] of [
    [decoded.omissions, omissions],
    [decoded.problems, problems],
  ] as const) {
    assert.ok(list.length > 1000);
    const named = list.length - 1;
    assert.deepEqual(list.slice(0, named), whole.slice(0, named));
    assert.equal(list.at(-1)?.path, `${whole.length - named} more`);
  }
  const short = { ...BODY, omissions: omissions.slice(0, 100), problems: problems.slice(0, 100) };
  assert.deepEqual(decodeSnapshotBody(encodeSnapshotBody(short), 'a body'), short);
});
