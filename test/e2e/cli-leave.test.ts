/** leave: a repository that is retired is named no more, and nothing but what this machine kept of it goes. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import { asRecord, fails, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';

const folder = makeFolder();
const machine = makeMachine(folder.path, 'alice');
const [disk, nas] = [join(folder.path, 'disk'), join(folder.path, 'nas')];
const settingsFile = join(machine.settings, 'settings.json');
const settings = (): Record<string, unknown> =>
  asRecord(JSON.parse(readFileSync(settingsFile, 'utf8')));
const caches = (): string[] =>
  readdirSync(join(machine.settings, 'cache')).filter((name) => name.endsWith('.sqlite'));
const files = (place: string): string[] => readdirSync(place, { recursive: true }).map(String);

before(async () => {
  writeSample({ home: machine.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  for (const place of [disk, nas]) {
    const kit = ['--kit', `${place}-kit`, '--passphrase-file', machine.passphraseFile];
    succeeded(await machine.run('init', place, '--machine', 'desk', ...kit));
  }
  succeeded(await machine.run('push', '-r', disk, '-r', nas));
});
after(() => folder.remove());

test('a place that is gone is told, with the way to be told no more', async () => {
  renameSync(disk, `${disk}.away`);
  const status = await machine.run('status');
  renameSync(`${disk}.away`, disk);
  assert.match(
    status.stdout,
    new RegExp(`or, if it is retired for good: stateferry leave '${disk}'`),
  );
});

test('the plan says what goes and what stays; without a yes nothing happens', async () => {
  const before_ = readFileSync(settingsFile, 'utf8');
  const shown = succeeded(await machine.run('leave', disk, '--dry-run')).stdout;
  assert.match(shown, /the keys that it writes there with, as "desk"/);
  assert.match(shown, new RegExp(`machines revoke 'desk' -r '${disk}'`));
  await fails(machine, ['leave', disk], { exit: 23, code: 'confirmation-needed' });
  await fails(machine, ['leave', join(folder.path, 'other'), '--yes'], {
    exit: 12,
    code: 'not-joined',
  });
  assert.equal(readFileSync(settingsFile, 'utf8'), before_);
  assert.equal(caches().length, 2);
});

test('a place that the schedule works on is not left', async () => {
  const kept = readFileSync(settingsFile, 'utf8');
  const schedule = {
    installed: new Date(0).toISOString(),
    scheduler: { kind: 'cron', scope: 'user' },
    at: '03:30',
    command: ['node', 'stateferry'],
    files: [],
    repositories: [disk, nas],
    jobs: [],
    notify: {},
    went: {},
  };
  writeFileSync(settingsFile, JSON.stringify({ ...settings(), schedule }));
  const refused = await machine.run('leave', disk, '--yes');
  assert.equal(refused.exit, 2, refused.stderr);
  assert.match(refused.stderr, new RegExp(`schedule install -r '${nas}'`));
  writeFileSync(settingsFile, kept);
});

test('it goes without the disk: keys, marks and cache; the other becomes the default', async () => {
  const stored = files(disk);
  renameSync(disk, `${disk}.away`);
  const left = succeeded(await machine.run('leave', disk, '--yes', '--json')).last();
  assert.equal(left['machine'], 'desk');
  assert.deepEqual([left['wasDefault'], left['newDefault']], [true, nas]);
  assert.ok(!readFileSync(settingsFile, 'utf8').includes(disk));
  assert.equal(settings()['defaultRepository'], nas);
  assert.equal(caches().length, 1);
  const status = succeeded(await machine.run('status', '--json')).last();
  assert.deepEqual(status['attention'], []);
  renameSync(`${disk}.away`, disk);
  assert.deepEqual(files(disk), stored);
});

test('the repository is what it was: it opens, and this machine may join again', async () => {
  const secret = ['--passphrase-file', machine.passphraseFile];
  const seen = succeeded(await machine.run('snapshots', '-r', disk, '--json', ...secret)).last();
  assert.ok(Array.isArray(seen['snapshots']) && seen['snapshots'].length > 0);
  await fails(machine, ['push', '-r', disk], { exit: 12, code: 'not-joined' });
  const joined = succeeded(
    await machine.run('join', disk, '--machine', 'desk-2', '--json', ...secret),
  ).last();
  assert.notEqual(joined['writer'], undefined);
  succeeded(await machine.run('push', '-r', disk));
  assert.ok(existsSync(join(disk, 'snapshots')));
});

test('of a repository at two places only one is left, and what both share stays', async () => {
  const [first, second] = [`${nas}-a`, `${nas}-b`];
  succeeded(await machine.run('mirror', nas, first));
  succeeded(await machine.run('mirror', nas, second));
  const secret = ['--passphrase-file', machine.passphraseFile];
  for (const place of [first, second]) {
    succeeded(await machine.run('join', place, '--yes', ...secret));
  }
  const before_ = caches();
  succeeded(await machine.run('leave', first, '--yes'));
  assert.deepEqual(caches(), before_);
  succeeded(await machine.run('push', '-r', second));
});

test('what a handoff left here is not dropped unsaid, and then it is', async () => {
  const place = `${nas}-b`;
  const begun = { time: new Date(0).toISOString() };
  const id = '0'.repeat(32);
  const ticket = { grant: id, repository: id, writer: id, snapshot: id, endsAt: begun.time };
  const offer = { ...ticket, digest: id + id, claimKey: id + id, receiptKey: id + id };
  const handoffs = [
    { install: 'openclaw', ...begun, offer, fence: {} },
    { install: 'openclaw:work', ...begun },
  ];
  const repositories = settings()['repositories'];
  assert.ok(Array.isArray(repositories));
  const changed = repositories.map((one) => ({ ...asRecord(one), handoffs }));
  writeFileSync(settingsFile, JSON.stringify({ ...settings(), repositories: changed }));
  const shown = succeeded(await machine.run('leave', place, '--dry-run')).stdout;
  const fence = join(machine.settings, 'fence-openclaw');
  assert.match(
    shown,
    new RegExp(`openclaw was handed off there: .* its fence stays: ${fence} says how to lift it`),
  );
  assert.match(
    shown,
    /openclaw:work was begun there and made no ticket; .* handoff openclaw:work --cancel/,
  );
  const left = succeeded(await machine.run('leave', place, '--yes', '--json')).last();
  assert.deepEqual(left['handoffs'], ['openclaw', 'openclaw:work']);
  assert.deepEqual(left['fences'], [{ install: 'openclaw', file: fence }]);
  assert.deepEqual(left['interrupted'], ['openclaw:work']);
  assert.ok(!readFileSync(settingsFile, 'utf8').includes(place));
});
