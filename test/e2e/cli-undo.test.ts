/** undo on the command line: asks, puts back, accepts, and says what there is to undo. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fails, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const old = makeMachine(folder.path, 'alice');
const fresh = makeMachine(folder.path, 'bob');
const kit = join(folder.path, 'kit');
const repository = join(folder.path, 'repository');
const placing = ['pull', '-r', repository, '--recovery-file', kit, '--no-doctor', '--no-restart'];
const since = join(fresh.home, '.openclaw/since.md');
after(() => folder.remove());

before(async () => {
  const sessions = join(old.home, '.openclaw/agents/main/sessions');
  mkdirSync(sessions, { recursive: true });
  writeFileSync(join(old.home, '.openclaw/openclaw.json'), `{"gateway":{"port":${CLOSED_PORT}}}`);
  writeFileSync(join(sessions, 'sessions.json'), '{"a":{"sessionId":"first"}}');
  writeFileSync(join(sessions, 'first.jsonl'), '{"type":"session"}\n');
  const secret = ['--passphrase-file', old.passphraseFile];
  succeeded(await old.run('init', repository, '--kit', kit, ...secret));
  succeeded(await old.run('push'));
});

test('before any pull there is nothing to undo', async () => {
  assert.match(succeeded(await fresh.run('undo')).stdout, /^nothing to undo: no pull keeps/);
  succeeded(await fresh.run(...placing));
  writeFileSync(since, 'a turn since');
  const { stdout } = succeeded(await fresh.run(...placing, '--yes'));
  assert.match(stdout, /swapped in \d+ ms/);
});

test('undo asks, puts back what was here, and keeps what was pulled', async () => {
  const since = join(fresh.home, '.openclaw/since.md');
  assert.ok(!existsSync(since));
  assert.match(
    succeeded(await fresh.run('status')).stdout,
    /can be undone\n {2}the pull of openclaw/,
  );
  await fails(fresh, ['undo'], { exit: 23, code: 'confirmation-needed' });
  const rehearsed = succeeded(await fresh.run('undo', '--dry-run', '--json')).last();
  assert.equal(rehearsed['dryRun'], true);
  assert.ok(!existsSync(since));
  const undone = succeeded(await fresh.run('undo', 'openclaw:default', '--yes', '--json')).last();
  assert.equal(readFileSync(since, 'utf8'), 'a turn since');
  const pulled = undone['pulled'] as { aside: string; bytes: number; remove: string }[];
  assert.ok(pulled.length > 0 && pulled.every(({ aside }) => existsSync(aside)));
  assert.ok(pulled.every(({ remove, bytes }) => remove.startsWith('rm -rf ') && bytes > 0));
  await fails(fresh, ['undo', 'resonix', '--yes'], { exit: 4, code: 'install-not-found' });
});

test('undo --discard accepts what is here; then there is nothing to undo', async () => {
  const { stdout } = succeeded(await fresh.run('undo', '--discard', '--yes'));
  assert.match(stdout, /nothing was kept aside of the pull/);
  for (const more of [[], ['--discard']]) {
    const again = succeeded(await fresh.run('undo', ...more));
    assert.match(again.stdout, /^nothing to undo: /);
  }
  assert.doesNotMatch(succeeded(await fresh.run('status')).stdout, /can be undone/);
  // What is here now was accepted: pulled again it stays, and there is nothing to go back to.
  rmSync(since);
  const pulled = succeeded(await fresh.run(...placing, '--json')).last();
  assert.equal(pulled['alreadyInPlace'], true);
  assert.equal(pulled['undo'], null);
});

test('two at once: the second is told who is at work', async () => {
  const holder = { pid: process.pid, started: '' };
  writeFileSync(join(fresh.settings, 'lock'), JSON.stringify(holder));
  for (const words of [
    [...placing, '--yes'],
    ['undo', '--yes'],
  ]) {
    await fails(fresh, words, { exit: 2, code: 'settings-locked' });
  }
  rmSync(join(fresh.settings, 'lock'));
});
