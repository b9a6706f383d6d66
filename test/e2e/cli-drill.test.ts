/** drill on the command line: unattended, its record, its page, and what every other verb makes of it. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { fails, makeFolder, makeMachine, succeeded, type Answer } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const alice = makeMachine(folder.path, 'alice');
const office = makeMachine(folder.path, 'office');
const repository = join(folder.path, 'repository');
const binDir = join(folder.path, 'bin');
const sandboxes = join(folder.path, 'sandboxes');
const readerKey = join(folder.path, 'drill.key');
const page = join(folder.path, 'page.txt');
const secret = ['--passphrase-file', alice.passphraseFile];
const path = { PATH: `${binDir}:/usr/bin:/bin` };
after(() => folder.remove());

const drill = (...args: string[]): Promise<Answer> =>
  office.runWith(path, 'drill', '--reader-key', readerKey, '--folder', sandboxes, ...args);

before(async () => {
  mkdirSync(sandboxes);
  const nodePath = process.execPath;
  writeSample({ home: alice.home, binDir, nodePath, port: CLOSED_PORT }).close();
  const kit = ['--kit', join(folder.path, 'kit.txt')];
  succeeded(await alice.run('init', repository, ...kit, ...secret));
  succeeded(await alice.run('push'));
  succeeded(await alice.run('keys', 'add', 'reader', readerKey, ...secret));
});

test('a machine that never joined drills with a reader key, and has no record to show', async () => {
  const answer = succeeded(await drill('-r', repository, '--report', page, '--json'));
  const summary = answer.last();
  assert.equal(summary['passed'], true);
  assert.equal(summary['record'], null);
  assert.match(String(summary['recordProblem']), /has not joined/);
  assert.ok(answer.lines().some(({ type, stage }) => type === 'stage' && stage === 'inspect'));
  assert.ok(answer.lines().some(({ type }) => type === 'progress'));
  assert.ok(!existsSync(join(repository, 'drills')));
  assert.deepEqual(readdirSync(sandboxes), []);
  const text = readFileSync(page, 'utf8');
  assert.match(text, /^stateferry drill report\n/);
  assert.match(text, /\n {2}Result {6}passed\n/);
  assert.match(text, /\nNot checked\n {2}gateway running: a rehearsal starts no gateway\n/);
  assert.match(text, /a full restore takes .+ here/);
  assert.equal(statSync(page).mode & 0o777, 0o600);
});

test('the page is written over an earlier one, and over nothing else', async () => {
  const other = join(folder.path, 'precious.txt');
  writeFileSync(other, 'stateferry is a fine word to begin with');
  const args = ['drill', '-r', repository, '--reader-key', readerKey, '--report'];
  await fails(office, [...args, other], { exit: 2, code: 'usage' });
  assert.match(readFileSync(other, 'utf8'), /^stateferry is a fine word/);
  await fails(office, [...args, join(folder.path, 'no/such/folder')], { exit: 2, code: 'usage' });
  writeFileSync(page, `${readFileSync(page, 'utf8')}and a remark`);
  succeeded(await drill('-r', repository, '--report', page, '--quiet'));
  assert.doesNotMatch(readFileSync(page, 'utf8'), /and a remark/);
});

test('a machine that joined signs what it found, and tells of it', async () => {
  assert.match(succeeded(await alice.run('snapshots', ...secret)).stdout, /\nno drill yet: /);
  succeeded(await office.run('join', repository, ...secret));
  const summary = succeeded(await drill('--json')).last();
  assert.match(String(summary['record']), /^drills\/[0-9a-f]{32}\/[0-9a-f]{32}$/);
  assert.ok(existsSync(join(repository, String(summary['record']))));
  const line = /last drill .+ UTC, [0-9a-f]{8} of openclaw@\S+: passed, on \S+/;
  assert.match(succeeded(await office.run('status')).stdout, line);
  assert.match(succeeded(await office.run('snapshots', ...secret)).stdout, line);
  assert.match(succeeded(await alice.run('snapshots', ...secret)).stdout, line);
  // Who only writes sees what is its own.
  assert.doesNotMatch(succeeded(await alice.run('status')).stdout, /last drill/);
});

test('a snapshot that cannot be read may be the newest: then a drill of the newest has failed', async () => {
  const [writer = ''] = readdirSync(join(repository, 'snapshots'));
  const unread = join(repository, 'snapshots', writer, 'ab'.repeat(16));
  writeFileSync(unread, 'no snapshot');
  const failed = await drill('--json');
  assert.equal(failed.exit, 20, failed.stderr);
  const lines = failed.last()['checklist'] as { check: string; ok: boolean; found: string }[];
  assert.deepEqual(
    lines.filter(({ ok }) => !ok).map(({ check }) => check),
    ['all snapshots of that machine'],
  );
  const [named = ''] = readdirSync(join(repository, 'snapshots', writer)).filter(
    (name) => name !== 'ab'.repeat(16),
  );
  succeeded(await drill(named));
  rmSync(unread);
});

test('no pull was remembered, and nothing can be undone', async () => {
  const status = succeeded(await office.run('status', '--json')).last();
  assert.equal(status['lastPull'], null);
  assert.deepEqual(status['kept'], []);
  assert.match(succeeded(await office.run('undo')).stdout, /^nothing to undo/);
  assert.deepEqual(readdirSync(office.home), []);
});

test('what a killed drill left is removed by the next one; what others have there is not', async () => {
  const killed = join(sandboxes, 'stateferry-drill-killed');
  const kept = join(sandboxes, 'stateferry-drill-kept');
  for (const one of [killed, kept]) mkdirSync(join(one, 'home/.openclaw'), { recursive: true });
  const gone = JSON.stringify({ pid: 2 ** 22 + 1, started: 'long ago' });
  writeFileSync(join(killed, 'unfinished.json'), gone);
  const { stderr } = succeeded(await drill());
  assert.match(stderr, /stateferry-drill-killed was left over from a drill that was killed/);
  assert.deepEqual(readdirSync(sandboxes), ['stateferry-drill-kept']);
  rmSync(kept, { recursive: true });
});

test('a drill that fails says so everywhere', async () => {
  const packs = join(repository, 'packs');
  const [writer = ''] = readdirSync(packs);
  const [pack = ''] = readdirSync(join(packs, writer));
  const file = join(packs, writer, pack);
  const bytes = readFileSync(file);
  rmSync(file);
  const failed = await drill('--report', page);
  assert.equal(failed.exit, 20, failed.stderr);
  assert.match(failed.stdout, /^drill FAILED: openclaw@/);
  assert.match(readFileSync(page, 'utf8'), /Result {6}FAILED[^]*\nFailed\n {2}restore: /);
  const status = (await office.run('status', '--json')).last();
  const attention = status['attention'] as { code: string }[];
  assert.ok(attention.some(({ code }) => code === 'drill-failed'));
  writeFileSync(file, bytes);
  succeeded(await drill());
  assert.doesNotMatch((await office.run('status')).stdout, /the last drill that this machine ran/);
});

test('a drill is a witness: what it saw and the repository hides is missed, also by a stranger', async () => {
  const snapshots = join(repository, 'snapshots');
  const [writer = ''] = readdirSync(snapshots);
  writeFileSync(join(alice.home, '.openclaw/workspace/more.md'), 'a new turn');
  const { snapshots: pushed } = succeeded(await alice.run('push', '--json')).last();
  const [{ id = '' } = {}] = pushed as { id?: string }[];
  succeeded(await drill());
  rmSync(join(snapshots, writer, id));
  const stranger = makeMachine(folder.path, 'stranger');
  const answer = await stranger.run('snapshots', '-r', repository, ...secret);
  assert.equal(answer.exit, 21, answer.stderr);
  assert.match(answer.stderr, new RegExp(`a drill on ".+" has seen snapshot ${id}`));
  const again = await drill('--json');
  assert.equal(again.exit, 21);
  assert.equal(again.last()['passed'], true);
});
