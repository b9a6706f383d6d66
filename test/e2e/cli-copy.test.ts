/** copy on the command line: an old repository into a new one with another passphrase, and pulled from there. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeSmallInstall } from '../support/small-install.ts';
import { fails, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
after(() => folder.remove());

test('new keys for what an old repository holds', async () => {
  const machine = makeMachine(folder.path, 'alice');
  writeSmallInstall(machine.home, CLOSED_PORT);
  const [old, fresh] = ['old', 'fresh'].map((name) => join(folder.path, name));
  assert.ok(old && fresh);
  const secret = ['--passphrase-file', machine.passphraseFile];
  succeeded(await machine.run('init', old, '--kit', join(folder.path, 'kit'), ...secret));
  succeeded(await machine.run('push', '--label', 'before the move'));
  const copy = ['copy', old, fresh];
  await fails(machine, [...copy, ...secret], { exit: 12, code: 'not-joined' });

  const other = join(folder.path, 'another-passphrase');
  writeFileSync(other, 'quite another passphrase\n');
  const kit = ['--kit', join(folder.path, 'kit-2'), '--passphrase-file', other];
  succeeded(await machine.run('init', fresh, ...kit));
  const neverPushed = async (): Promise<boolean> => {
    const { stdout } = await machine.run('status');
    return stdout.includes(`was never pushed to ${fresh}`);
  };
  const plan = succeeded(await machine.run(...copy, '--dry-run', ...secret));
  assert.ok(await neverPushed());
  assert.match(plan.stdout, /would copy .*\n1 snapshot to copy/);
  const done = succeeded(await machine.run(...copy, ...secret, '--json')).last();
  assert.equal((done['copied'] as unknown[]).length, 1);
  const again = succeeded(await machine.run(...copy, ...secret));
  assert.match(again.stdout, /0 snapshots copied .*; 1 were there/);
  assert.match((await machine.run('status')).stdout, /fresh .*\n +last copy .*, from .*old\n/);
  assert.equal(await neverPushed(), false, 'it holds what was copied');

  const newSecret = ['-r', fresh, '--passphrase-file', other];
  const listed = succeeded(await machine.run('snapshots', ...newSecret));
  assert.match(listed.stdout, /before the move/);
  assert.match(listed.stdout, /~/);
  const into = join(folder.path, 'into');
  succeeded(await machine.run('pull', '--into', into, ...newSecret));
  const path = 'agents/main/sessions/first.jsonl';
  assert.deepEqual(
    readFileSync(join(into, 'state', path)),
    readFileSync(join(machine.home, '.openclaw-work', path)),
  );
  await fails(machine, ['pull', '--into', `${into}-2`, '-r', fresh, ...secret], {
    exit: 12,
    code: 'nothing-opens',
  });
});
