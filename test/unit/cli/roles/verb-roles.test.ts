import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import { namingTheRole } from '../../../../src/cli/roles/verb-roles.ts';

const denied = (answer: string): FerryError =>
  new FerryError('store-denied', 'cannot put packs/1', { hint: 'as it was', details: { answer } });

const hintOf = (error: unknown): string | undefined =>
  error instanceof FerryError ? error.hint : undefined;

test('a right that is missing is told by the role that has it', () => {
  const told = namingTheRole(denied('403 AccessDenied'), 'push');
  assert.match(hintOf(told) ?? '', /"writer": stateferry policy writer/);
  assert.equal((told as FerryError).message, 'cannot put packs/1');
  assert.match(hintOf(namingTheRole(denied('403 AccessDenied'), 'join')) ?? '', /"maintainer"/);
});

test('a wrong key is no missing right, and neither is anything else', () => {
  for (const answer of ['403 SignatureDoesNotMatch', '403 InvalidAccessKeyId', '']) {
    assert.equal(hintOf(namingTheRole(denied(answer), 'push')), 'as it was');
  }
  const other = new FerryError('no-space', 'full', { hint: 'as it was' });
  assert.equal(namingTheRole(other, 'push'), other);
  const bug = new Error('no FerryError');
  assert.equal(namingTheRole(bug, 'push'), bug);
});

test('of two repositories it is not said whose role is meant', () => {
  assert.equal(hintOf(namingTheRole(denied('403 AccessDenied'), 'mirror')), 'as it was');
});
