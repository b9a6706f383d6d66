import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { newestOfMachine } from '../../../src/repository/snapshot-list.ts';
import type { OpenedCover } from '../../../src/repository/snapshots.ts';

/** Only what the choice looks at. */
const cover = (id: string, install: string, machine: string): OpenedCover =>
  ({ id, machine, cover: { install } }) as unknown as OpenedCover;

const oldestFirst = [
  cover('1', 'openclaw', 'mac'),
  cover('2', 'openclaw:work', 'mac'),
  cover('3', 'openclaw', 'vps'),
  cover('4', 'openclaw', 'mac'),
];

const ids = (machine: string | undefined, all = oldestFirst): string[] =>
  newestOfMachine(all, machine).map(({ id }) => id);

test('the newest of each install of the machine that is meant', () => {
  assert.deepEqual(ids('mac'), ['4', '2']);
  assert.deepEqual(ids('vps'), ['3']);
  assert.deepEqual(ids(undefined, oldestFirst.slice(0, 2)), ['1', '2']);
});

test('several machines, an unknown one and an empty repository are refused by name', () => {
  const refused = (machine: string | undefined, all: OpenedCover[], exit: number, why: RegExp) =>
    assert.throws(
      () => ids(machine, all),
      (error) => {
        assert.ok(error instanceof FerryError);
        assert.equal(error.exit, exit);
        assert.match(error.message, why);
        return true;
      },
    );
  refused(undefined, oldestFirst, 4, /holds 2 machines: mac, vps/);
  refused('laptop', oldestFirst, 4, /no snapshot is of a machine named laptop/);
  refused(undefined, [], 4, /holds no snapshot yet/);
});
