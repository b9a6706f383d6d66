/** prune on the command line: shown, asked for, announced, deleted; on a folder whose files are made old. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { DAY_MS } from '../../src/base/durations.ts';
import { noise } from '../support/tree.ts';
import {
  asRecord,
  fails,
  makeFolder,
  makeMachine,
  succeeded,
  type Machine,
} from '../support/cli-run.ts';

const folder = makeFolder();
after(() => folder.remove());

/** As if everything below had been stored so many days earlier. */
function age(path: string, days: number): void {
  const seconds = (systemClock.nowMs() - days * DAY_MS) / 1000;
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), seconds, seconds);
  }
}

async function threePushes(machine: Machine, repository: string): Promise<void> {
  const state = join(machine.home, '.openclaw');
  mkdirSync(state);
  writeFileSync(join(state, 'openclaw.json'), '{}');
  const secret = ['--passphrase-file', machine.passphraseFile];
  succeeded(await machine.run('init', repository, '--kit', join(machine.home, 'kit'), ...secret));
  for (const seed of [1, 2, 3]) {
    writeFileSync(join(state, 'blob'), noise(seed, 200_000));
    succeeded(await machine.run('push', '-q'));
  }
}

test('what no snapshot needs is announced by one prune and deleted by a later one', async () => {
  const machine = makeMachine(folder.path, 'alice');
  const repository = join(folder.path, 'repository');
  await threePushes(machine, repository);
  const secret = ['--passphrase-file', machine.passphraseFile];
  const [, middle] = succeeded(await machine.run('snapshots', '--json')).last()['snapshots'] as {
    id: string;
  }[];
  const [writer = ''] = readdirSync(join(repository, 'snapshots'));
  rmSync(join(repository, 'snapshots', writer, middle?.id ?? ''));
  age(repository, 20);

  // Removed by hand, and nothing explains it.
  await fails(machine, ['prune', '--yes', ...secret], { exit: 21, code: 'history-rolled-back' });
  const dry = succeeded(await machine.run('prune', '--dry-run', '--accept-missing', ...secret));
  assert.match(dry.stderr, /announce 1 pack, 1 pack list \(.* KiB\): to be deleted after \d{4}-/);
  assert.match(dry.stdout, /nothing was changed/);
  await fails(machine, ['prune', '--accept-missing', ...secret], {
    exit: 23,
    code: 'confirmation-needed',
  });
  assert.deepEqual(readdirSync(join(repository, 'packs', writer)).length, 3);

  const announced = succeeded(await machine.run('prune', '--yes', '--accept-missing', ...secret));
  assert.match(announced.stdout, /announced 1 pack, 1 pack list/);
  assert.match(announced.stdout, /next: a prune after \d{4}-.* UTC deletes what is announced/);
  assert.deepEqual(readdirSync(join(repository, 'packs', writer)).length, 3);

  age(join(repository, 'tombstones'), 8);
  const early = succeeded(
    await machine.run('prune', '--yes', '--accept-missing', '--json', ...secret),
  ).last();
  assert.equal(asRecord(early['waiting'])['packs'], 1);
  assert.equal(asRecord(early['deleted'])['packs'], 0);
  const eight = ['--grace', '8', '--accept-missing'];
  const deleted = await machine.run('prune', '--yes', '--json', ...eight, ...secret);
  const { bytes, ...counts } = asRecord(succeeded(deleted).last()['deleted']);
  // What was announced stays so for a while.
  assert.deepEqual(counts, { packs: 1, lists: 1, indexes: 1, drills: 0, tombstones: 0 });
  assert.ok(Number(bytes) > 200_000);
  assert.deepEqual(readdirSync(join(repository, 'packs', writer)).length, 2);
  // What is left is whole; that somebody took a snapshot away without a word is told all the same.
  const problems = (await machine.run('check', '--read-data', '--json', ...secret)).last();
  const codes = (problems['problems'] as { code: string }[]).map(({ code }) => code);
  assert.deepEqual(codes, ['history-rolled-back']);
});

test('a grace period that no push could rely on is refused', async () => {
  const machine = makeMachine(folder.path, 'bob');
  for (const days of ['7', '0', 'x', '-14']) {
    await fails(machine, ['prune', `--grace=${days}`], { exit: 2, code: 'usage' });
  }
});

test('a repack moves what lives in packs that are mostly dead, and says what it moves', async () => {
  const machine = makeMachine(folder.path, 'carol');
  const repository = join(folder.path, 'repacked');
  const state = join(machine.home, '.openclaw');
  mkdirSync(state);
  writeFileSync(join(state, 'openclaw.json'), '{}');
  const secret = ['--passphrase-file', machine.passphraseFile];
  const kit = ['--kit', join(folder.path, 'kit of carol')];
  succeeded(await machine.run('init', repository, ...kit, ...secret));
  for (const seed of [1, 2, 3]) {
    for (const part of ['a', 'b', 'c']) {
      writeFileSync(join(state, part), noise(seed * 10 + part.charCodeAt(0), 200_000));
    }
    writeFileSync(join(state, `kept-${seed}`), noise(seed, 20_000));
    succeeded(await machine.run('push', '-q'));
  }
  succeeded(await machine.run('forget', '--keep-last', '1', '--yes', ...secret));
  age(repository, 20);
  const dry = succeeded(await machine.run('prune', '--repack', '--dry-run', ...secret));
  assert.match(dry.stderr, /% of what is stored for snapshots lies dead/);
  assert.match(dry.stderr, /repack 2 packs: read .* MiB, store about .* KiB, free .* MiB/);
  await fails(machine, ['prune', '--repack', ...secret], {
    exit: 23,
    code: 'confirmation-needed',
  });
  const done = await machine.run('prune', '--repack', '--yes', '--json', ...secret);
  const { repack, announce } = succeeded(done).last();
  const { emptied, made, bytesRead } = asRecord(repack);
  assert.deepEqual([emptied, made, asRecord(announce)['packs']], [2, 1, 2]);
  assert.ok(Number(bytesRead) > 1_000_000);
  age(join(repository, 'tombstones'), 20);
  const swept = succeeded(await machine.run('prune', '--yes', '--json', ...secret)).last();
  assert.equal(asRecord(swept['deleted'])['packs'], 2);
  assert.match(succeeded(await machine.run('check', '--read-data', ...secret)).stdout, /\S/);
  succeeded(await machine.run('push', '-q'));
  const [writer = ''] = readdirSync(join(repository, 'packs'));
  assert.equal(readdirSync(join(repository, 'packs', writer)).length, 2);
});

test('how much a repack may move has a unit, and a repack that it is about', async () => {
  const machine = makeMachine(folder.path, 'dave');
  for (const words of [
    ['--max-repack', '5M'],
    ['--repack', '--max-repack', '5'],
    ['--repack', '--max-repack=0G'],
  ]) {
    await fails(machine, ['prune', ...words], { exit: 2, code: 'usage' });
  }
});

test('forget --prune does both in one run, and what only prune knows is refused without it', async () => {
  const machine = makeMachine(folder.path, 'both');
  const repository = join(folder.path, 'both-repository');
  await threePushes(machine, repository);
  age(repository, 20);
  const rules = ['forget', '--keep-last', '1', '--passphrase-file', machine.passphraseFile];
  for (const words of [['--repack'], ['--grace', '9']]) {
    await fails(machine, [...rules, ...words], { exit: 2, code: 'usage' });
  }
  await fails(machine, ['forget', '--missing', '--prune'], { exit: 2, code: 'usage' });
  await fails(machine, [...rules, '--prune', '--grace', '3'], { exit: 2, code: 'usage' });

  const done = succeeded(await machine.run(...rules, '--prune', '--repack', '--yes'));
  assert.match(done.stdout, /forgot 2 snapshots, kept 1/);
  assert.match(done.stdout, /repacked 2 packs into 1/);
  assert.match(done.stdout, /announced 3 packs, 2 pack lists/);
  const again = succeeded(await machine.run(...rules, '--prune', '--yes', '--json')).last();
  const { waiting } = asRecord(again['prune']);
  assert.deepEqual([again['verb'], asRecord(waiting)['packs']], ['forget', 3]);
});
