/** machines: who writes is listed, one of them is revoked, and everybody goes by it. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import {
  asRecord,
  fails,
  makeFolder,
  makeMachine,
  succeeded,
  type Answer,
} from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const repository = join(folder.path, 'repository');
const kit = join(folder.path, 'kit.txt');
const [alice, bob] = [makeMachine(folder.path, 'alice'), makeMachine(folder.path, 'bob')];
const byKit = ['--recovery-file', kit];

before(async () => {
  for (const { home } of [alice, bob]) {
    writeSample({ home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  }
  const secret = ['--passphrase-file', alice.passphraseFile];
  succeeded(await alice.run('init', repository, '--machine', 'desk', '--kit', kit, ...secret));
  succeeded(await bob.run('join', repository, '--machine', 'old-vps', ...byKit));
  succeeded(await alice.run('push'));
  succeeded(await bob.run('push'));
  appendFileSync(join(bob.home, '.openclaw/workspace/MEMORY.md'), 'more\n');
  succeeded(await bob.run('push'));
});
after(() => folder.remove());

type Line = {
  readonly machine: string;
  readonly id: string;
  readonly snapshots: number;
  readonly installs: readonly string[];
  readonly revoked: string | null;
  readonly bytesStored: number;
  readonly isThis: boolean;
};

async function machines(...args: string[]): Promise<{ answer: Answer; lines: Line[] }> {
  const answer = succeeded(await alice.run('machines', ...args, '--json', ...byKit));
  const lines = answer.last()['machines'];
  assert.ok(Array.isArray(lines));
  return { answer, lines: lines as Line[] };
}

const snapshotsOf = async (): Promise<unknown[]> =>
  succeeded(await alice.run('snapshots', '--json', ...byKit)).last()['snapshots'] as unknown[];

test('they are listed with what they have there', async () => {
  const { lines } = await machines();
  assert.deepEqual(
    lines.map(({ machine, snapshots, installs, revoked, isThis }) => [
      machine,
      snapshots,
      installs,
      revoked,
      isThis,
    ]),
    [
      ['desk', 1, ['openclaw'], null, true],
      ['old-vps', 2, ['openclaw'], null, false],
    ],
  );
  for (const { bytesStored } of lines) assert.ok(bytesStored > 10_000);
  const words = succeeded(await alice.run('machines', ...byKit));
  assert.match(words.stdout, /^name +id +since +last snapshot/);
  assert.match(words.stdout, /^desk .* this machine$/m);
});

test('what cannot be meant is refused', async () => {
  await fails(alice, ['machines', 'revoke', ...byKit], { exit: 2, code: 'usage' });
  await fails(alice, ['machines', 'list', '--last', 'latest', ...byKit], {
    exit: 2,
    code: 'usage',
  });
  const unknown = ['machines', 'revoke', 'nobody', '--yes', ...byKit];
  await fails(alice, unknown, { exit: 4, code: 'path-not-found' });
  await fails(bob, ['machines'], { exit: 12, code: 'secret-needed' });
});

test('revoking shows what will count and asks first', async () => {
  const revoke = ['machines', 'revoke', 'old-vps', ...byKit];
  await fails(alice, revoke, { exit: 23, code: 'confirmation-needed' });
  const words = await alice.run(...revoke);
  assert.match(words.stderr, /counts on: its 2 snapshots up to [0-9a-f]{8} of 2/);
  assert.match(words.stderr, /does not count: whatever it stores from now on/);
  assert.ok((await machines()).lines.every(({ revoked }) => revoked === null));
});

test('revoked: it is told what else is to do, and the list says so', async () => {
  const words = succeeded(await alice.run('machines', 'revoke', 'old-vps', '--yes', ...byKit));
  assert.match(words.stdout, /^revoked "old-vps" \([0-9a-f]{8}\): its 2 snapshots up to /);
  assert.match(words.stdout, /access key/);
  assert.match(words.stdout, /stateferry copy/);
  assert.match(words.stdout, /^old-vps .* revoked 2/m);
  const again = await machines('revoke', 'old-vps', '--yes');
  assert.equal(asRecord(again.answer.last()['revoked'])['isNew'], false);
  assert.equal((await snapshotsOf()).length, 3);
  assert.equal(readdirSync(join(repository, 'revocations')).length, 1);
});

test('its pushes and handoffs are refused with 25, and its status says why', async () => {
  await fails(bob, ['push'], { exit: 25, code: 'machine-revoked' });
  const handoff = ['handoff', '--yes', '--ticket-file', join(folder.path, 'ticket'), ...byKit];
  await fails(bob, handoff, { exit: 25, code: 'machine-revoked' });
  const status = await bob.run('status', '--json');
  assert.equal(status.exit, 25);
  const attention = status.last()['attention'] as { code: string }[];
  assert.ok(attention.some(({ code }) => code === 'machine-revoked'));
});

test('a record that disappears is missed, and stays in force on both machines', async () => {
  const records = join(repository, 'revocations');
  renameSync(records, join(folder.path, 'hidden'));
  const answer = await alice.run('snapshots', '--json', ...byKit);
  assert.ok(answer.lines().some(({ code }) => code === 'history-rolled-back'));
  await fails(bob, ['push'], { exit: 25, code: 'machine-revoked' });
  const check = await alice.run('check', '--json', ...byKit);
  assert.equal(check.exit, 21);
  const problems = check.last()['problems'] as { object: string }[];
  assert.match(problems.at(-1)?.object ?? '', /^revocations\//);
  // Revoking once more puts a record back.
  const { lines } = await machines('revoke', 'old-vps', '--yes');
  assert.ok(lines.some(({ machine, revoked }) => machine === 'old-vps' && revoked !== null));
  assert.equal(readdirSync(records).length, 1);
});

test('it joins again as a new machine, and both are told apart by their ids', async () => {
  succeeded(await bob.run('join', repository, '--machine', 'old-vps', ...byKit));
  succeeded(await bob.run('push'));
  const settings = readFileSync(join(bob.settings, 'settings.json'), 'utf8');
  assert.match(settings, /"revoked"/, 'joining forgets nothing');
  const { lines } = await machines();
  assert.deepEqual(
    lines.map(({ machine, revoked }) => [machine, revoked !== null]),
    [
      ['desk', false],
      ['old-vps', true],
      ['old-vps', false],
    ],
  );
  assert.equal((await snapshotsOf()).length, 4);
  const ambiguous = ['machines', 'revoke', 'old-vps', '--yes', ...byKit];
  await fails(alice, ambiguous, { exit: 4, code: 'install-ambiguous' });
});

test('--last says where it ends', async () => {
  appendFileSync(join(bob.home, '.openclaw/workspace/MEMORY.md'), 'stolen by now\n');
  succeeded(await bob.run('push'));
  const { lines } = await machines();
  const now = lines.at(-1);
  assert.ok(now && now.snapshots === 2);
  const shown = (await snapshotsOf()).map(asRecord).filter((one) => one['machine'] === 'old-vps');
  const first = String(shown.at(-2)?.['id']);
  const revoke = ['revoke', now.id.slice(0, 8), '--last', first.slice(0, 8), '--yes'];
  const done = await machines(...revoke);
  assert.equal(done.lines.at(-1)?.snapshots, 1);
  const answer = succeeded(await alice.run('snapshots', '--json', ...byKit));
  assert.equal((answer.last()['snapshots'] as unknown[]).length, 4);
  assert.ok(answer.lines().some(({ code }) => code === 'revoked-aside'));
  assert.deepEqual(answer.last()['missing'], [], 'what does not count is not missed');
});
