/** push to several places: one that fails keeps no other back, and is named once. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import { makeFolder, makeMachine, succeeded, type Answer } from '../support/cli-run.ts';

const folder = makeFolder();
const machine = makeMachine(folder.path, 'alice');
const [gone, there] = [join(folder.path, 'gone'), join(folder.path, 'there')];
const push = (...more: string[]): Promise<Answer> =>
  machine.run('push', '-r', gone, '-r', there, ...more);
const timesNamed = ({ stdout, stderr }: Answer): number =>
  (stdout + stderr).split(`there is no folder ${gone}`).length - 1;

before(async () => {
  writeSample({ home: machine.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  for (const place of [gone, there]) {
    const kit = ['--kit', `${place}-kit`, '--passphrase-file', machine.passphraseFile];
    succeeded(await machine.run('init', place, ...kit));
  }
  renameSync(gone, `${gone}.away`);
});
after(() => folder.remove());

test('the other is pushed to; the exit status is that of the first failure', async () => {
  const told = await push();
  assert.equal(told.exit, 10, told.stderr);
  assert.match(told.stdout, new RegExp(`^pushed openclaw as .* to ${there}$`, 'm'));
  assert.equal(timesNamed(told), 1, told.stdout + told.stderr);
});

test('also where only problems are told, and as one entry of the summary', async () => {
  assert.equal(timesNamed(await push('--quiet')), 1);
  const summary = (await push('--json')).last();
  assert.deepEqual(
    [summary['ok'], (summary['failed'] as unknown[]).length, (summary['snapshots'] as []).length],
    [false, 1, 1],
  );
});

test('where nothing was pushed at all, that is the error', async () => {
  renameSync(there, `${there}.away`);
  const told = await push();
  renameSync(`${there}.away`, there);
  assert.equal(told.exit, 10, told.stderr);
  assert.equal(timesNamed(told), 1, told.stderr);
});
