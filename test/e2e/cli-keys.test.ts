/** keys: what opens a repository is added, tried, and removed; and what was removed opens it no more. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  asRecord,
  fails,
  makeFolder,
  makeMachine,
  PASSPHRASE,
  succeeded,
} from '../support/cli-run.ts';
import type { Machine } from '../support/cli-run.ts';

const folder = makeFolder();
after(() => folder.remove());
const repository = join(folder.path, 'repository');
const kit = join(folder.path, 'kit.txt');
const second = join(folder.path, 'second-passphrase');
const SECOND = 'planted-second-0815';
let machine: Machine;

before(async () => {
  machine = makeMachine(folder.path, 'alice');
  writeFileSync(second, `${SECOND}\n`);
  const { passphraseFile } = machine;
  succeeded(
    await machine.run('init', repository, '--kit', kit, '--passphrase-file', passphraseFile),
  );
});

type Key = { readonly id: string; readonly opensWith: string; readonly isOpened: boolean };

async function keys(...args: string[]): Promise<{ summary: Record<string, unknown>; keys: Key[] }> {
  const answer = succeeded(await machine.run('keys', ...args, '--json'));
  for (const secret of [PASSPHRASE, SECOND, 'SF1-', 'stateferry-reader-1']) {
    assert.ok(!(answer.stdout + answer.stderr).includes(secret), 'no secret is printed');
  }
  const summary = answer.last();
  assert.ok(Array.isArray(summary['keys']));
  const lines = summary['keys'].map(asRecord).map((one) => ({
    id: String(one['id']),
    opensWith: String(one['opensWith']),
    isOpened: one['isOpened'] === true,
  }));
  return { summary, keys: lines };
}

const byPassphrase = (): string[] => ['--passphrase-file', machine.passphraseFile];
const opens = async (...secret: string[]): Promise<void> =>
  void succeeded(await machine.run('snapshots', '-r', repository, ...secret));

test('a new repository has a passphrase and a recovery code, and says which one opened it', async () => {
  const { keys: lines } = await keys(...byPassphrase());
  assert.deepEqual(lines.map((one) => one.opensWith).toSorted(), ['passphrase', 'recovery code']);
  assert.deepEqual(
    lines.filter((one) => one.isOpened).map((one) => one.opensWith),
    ['passphrase'],
  );
});

test('a second passphrase opens it; the first is removed by the second and opens it no more', async () => {
  const added = await keys('add', 'passphrase', '--new-passphrase-file', second, ...byPassphrase());
  assert.equal(added.keys.length, 3);
  await opens('--passphrase-file', second);
  const before = await keys('--passphrase-file', second);
  const mine = before.keys.find((one) => one.isOpened);
  const old = before.keys.find((one) => one.opensWith === 'passphrase' && !one.isOpened);
  assert.ok(mine && old);
  const own = ['keys', 'remove', mine.id.slice(0, 8), '--passphrase-file', second, '--yes'];
  await fails(machine, own, { exit: 2, code: 'usage' });
  const first = ['keys', 'remove', old.id.slice(0, 8), '--passphrase-file', second];
  await fails(machine, first, { exit: 23, code: 'confirmation-needed' });
  const removed = await keys(...first.slice(1), '--yes');
  assert.equal(removed.summary['removed'], old.id);
  const locked = ['snapshots', '-r', repository, ...byPassphrase()];
  await fails(machine, ['export', 'latest', '-', ...locked.slice(1)], {
    exit: 12,
    code: 'nothing-opens',
  });
});

test('a new kit and a reader key, each in a private file of its own', async () => {
  const [page, reader] = [join(folder.path, 'kit-2.txt'), join(folder.path, 'drill.key')];
  const made = await keys('kit', page, '--recovery-file', kit);
  assert.equal(made.summary['file'], page);
  await keys('add', 'reader', reader, '--recovery-file', page);
  for (const file of [page, reader]) assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(page, 'utf8'), /SF1-/);
  await opens('--recovery-file', page);
  await opens('--reader-key', reader);
  const taken = ['keys', 'add', 'reader', reader, '--recovery-file', page];
  const slots = readdirSync(join(repository, 'keys')).length;
  await fails(machine, taken, { exit: 2, code: 'usage' });
  assert.equal(readdirSync(join(repository, 'keys')).length, slots, 'no slot without its file');
});

test('a damaged key is named, and can be removed', async () => {
  const id = 'ab'.repeat(16);
  writeFileSync(join(repository, 'keys', id), '{ damaged');
  const { keys: lines } = await keys('--recovery-file', kit);
  assert.equal(lines.find((one) => one.id === id)?.opensWith, 'damaged');
  const unknown = ['keys', 'remove', 'ffff', '--recovery-file', kit];
  await fails(machine, unknown, { exit: 4, code: 'path-not-found' });
  await keys('remove', 'abab', '--recovery-file', kit, '--yes');
  assert.ok(!readdirSync(join(repository, 'keys')).includes(id));
});

test('what keys does not do is refused before anything is asked', async () => {
  for (const words of [['add'], ['add', 'reader'], ['rotate'], ['remove'], ['list', 'x']]) {
    await fails(machine, ['keys', ...words], { exit: 2, code: 'usage' });
  }
});
