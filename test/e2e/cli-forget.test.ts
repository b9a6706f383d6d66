/** forget through the process: what it says, what it asks, and what the other verbs make of its records. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
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
const alice = makeMachine(folder.path, 'alice');
const repository = join(folder.path, 'repository');
const whole = join(folder.path, 'whole');
const secret = ['--passphrase-file', alice.passphraseFile];
const forget = (...args: string[]): Promise<Answer> => alice.run('forget', ...args, ...secret);

before(async () => {
  writeSample({ home: alice.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  const kit = ['--kit', join(folder.path, 'kit.txt')];
  succeeded(await alice.run('init', repository, '--machine', 'old-mac', ...kit, ...secret));
  for (const turn of [1, 2, 3, 4]) {
    appendFileSync(join(alice.home, '.openclaw/workspace/MEMORY.md'), `turn ${turn}\n`);
    succeeded(await alice.run('push', ...(turn === 1 ? ['--label', 'gold'] : [])));
  }
});
after(() => folder.remove());

const records = (): string[] => readdirSync(join(repository, 'forgets'));

async function numbers(): Promise<unknown> {
  const { snapshots } = succeeded(await alice.run('snapshots', '--json')).last();
  return (snapshots as { sequence: number }[]).map(({ sequence }) => sequence);
}

describe('before anything is forgotten', () => {
  test('a rule is needed, and a yes', async () => {
    await fails(alice, ['forget', ...secret], { exit: 2, code: 'usage' });
    await fails(alice, ['forget', '--keep-last', '0', ...secret], { exit: 2, code: 'usage' });
    await fails(alice, ['forget', '--keep-within', '5 days', ...secret], {
      exit: 2,
      code: 'usage',
    });
    const args = ['forget', '--keep-last', '1', ...secret];
    await fails(alice, args, { exit: 23, code: 'confirmation-needed' });
    assert.deepEqual(await numbers(), [1, 2, 3, 4]);
  });

  test('an install that is not there is named', async () => {
    const args = ['forget', '--keep-last', '1', '--install', 'resonix', ...secret];
    await fails(alice, args, { exit: 4, code: 'install-not-found' });
  });

  test('a dry run tells the reason for each', async () => {
    const { stderr, stdout } = succeeded(
      await forget('--keep-last', '1', '--keep-label', 'gold', '--dry-run'),
    );
    assert.match(stderr, /openclaw@old-mac: keeps 2 of 4 snapshots/);
    assert.match(stderr, /keep .* "gold" {2}label/);
    assert.match(stderr, /forget .* not among the last$/m);
    assert.match(stderr, /keep .* the newest, last/);
    assert.match(stdout, /would forget 2 snapshots and keep 2; nothing was changed/);
    assert.deepEqual(await numbers(), [1, 2, 3, 4]);
  });

  test('with --prune a dry run tells what prune would do after it', async () => {
    const rules = ['--keep-last', '1', '--keep-label', 'gold'];
    const { prune } = succeeded(await forget(...rules, '--prune', '--dry-run', '--json')).last();
    assert.equal(asRecord(prune)['snapshots'], 2);
    assert.equal(asRecord(prune)['dryRun'], true);
    assert.deepEqual(await numbers(), [1, 2, 3, 4]);
  });
});

describe('what was forgotten', () => {
  test('is gone, explained, and said to be freed by prune', async () => {
    const args = ['--keep-last', '1', '--keep-label', 'gold', '--yes'];
    const summary = succeeded(await forget(...args, '--json')).last();
    assert.deepEqual(summary['deleted'], { snapshots: 2, tickets: 0 });
    assert.equal((summary['records'] as string[]).length, 1);
    assert.deepEqual(await numbers(), [1, 4]);
    assert.deepEqual(succeeded(await alice.run('status', '--json')).last()['attention'], []);
    succeeded(await alice.run('check', ...secret));
    const again = succeeded(await forget(...args));
    assert.match(again.stdout, /nothing to forget/);
  });

  test('a label that nothing has is said: mistyped, it keeps nothing', async () => {
    const args = ['--keep-last', '9', '--keep-label', 'gold', '--keep-label', 'glod', '--dry-run'];
    const { stderr } = succeeded(await forget(...args));
    assert.match(stderr, /no snapshot has the label "glod"/);
    assert.doesNotMatch(stderr, /no snapshot has the label "gold"/);
  });

  test('costs the next push nothing', async () => {
    succeeded(await alice.run('push'));
    assert.deepEqual(await numbers(), [1, 4, 5]);
    const words = succeeded(await forget('--keep-last', '1', '--keep-label', 'gold', '--yes'));
    assert.match(words.stdout, /forgot 1 snapshot, kept 2[^]*next: stateferry prune announces/);
    assert.deepEqual(await numbers(), [1, 5]);
    cpSync(repository, whole, { recursive: true });
  });
});

describe('records that somebody meddles with', () => {
  test('one that is deleted leaves a hole, which is named', async () => {
    for (const name of records()) rmSync(join(repository, 'forgets', name));
    const { stderr, exit } = await alice.run('snapshots');
    assert.equal(exit, 21);
    assert.match(stderr, /numbers 2 to 4 of the snapshots of old-mac are not there/);
    const status = await alice.run('status', '--json');
    assert.equal(status.exit, 21);
    assert.equal((await alice.run('check', '--json', ...secret)).exit, 21);
  });

  test('one that the root key did not sign explains nothing', async () => {
    cpSync(whole, repository, { recursive: true });
    for (const name of records()) {
      const path = join(repository, 'forgets', name);
      const bytes = readFileSync(path);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(path, bytes);
    }
    // What was verified before may come from the cache: this is how another machine sees it.
    rmSync(join(alice.settings, 'cache'), { recursive: true });
    const { problems } = (await alice.run('check', '--json', ...secret)).last();
    const codes = (problems as { code: string }[]).map(({ code }) => code);
    assert.deepEqual(codes, ['object-foreign', 'object-foreign', 'history-rolled-back']);
  });

  test('nothing is forgotten where the newest is hidden, and --yes does not stand for a person', async () => {
    rmSync(repository, { recursive: true });
    cpSync(whole, repository, { recursive: true });
    const pushed = succeeded(await alice.run('push', '--json')).last();
    const [newest] = pushed['snapshots'] as { id: string }[];
    const [writer = ''] = readdirSync(join(repository, 'snapshots'));
    rmSync(join(repository, 'snapshots', writer, newest?.id ?? ''));
    const args = ['forget', '--keep-last', '1', '--yes', ...secret];
    await fails(alice, args, { exit: 21, code: 'history-rolled-back' });
  });
});

describe('what nobody will bring back', () => {
  test('is told with its cost, and needs more than being asked for', async () => {
    const told = succeeded(await forget('--missing', '--dry-run'));
    assert.match(told.stderr, /lost: number 6 of the snapshots of old-mac/);
    assert.match(told.stderr, /a mirror still has it, bring it back first/);
    const args = ['forget', '--missing', ...secret];
    await fails(alice, args, { exit: 23, code: 'confirmation-needed' });
    const both = ['forget', '--missing', '--keep-last', '1', '--yes', ...secret];
    await fails(alice, both, { exit: 2, code: 'usage' });
    assert.equal((await alice.run('status', '--json')).exit, 21);
  });

  test('is accepted by the owner: status tells of it, and is red no longer', async () => {
    assert.match(succeeded(await forget('--missing', '--yes')).stdout, /number 6 .*: accepted/);
    const { stdout } = succeeded(await alice.run('status'));
    assert.match(stdout, /^schedule\n {2}none of ours: stateferry schedule install/m);
    assert.match(stdout, /lost: number 6 of the snapshots of old-mac, as was accepted/);
    assert.deepEqual(succeeded(await alice.run('status', '--json')).last()['attention'], []);
    succeeded(await alice.run('prune', '--yes', ...secret));
    appendFileSync(join(alice.home, '.openclaw/workspace/MEMORY.md'), 'and on\n');
    succeeded(await alice.run('push'));
    assert.deepEqual(await numbers(), [1, 5, 7]);
  });

  test('one of a newer version stops prunes, and is not given up by who only has to update', async () => {
    const { snapshots } = succeeded(await alice.run('snapshots', '--json')).last();
    const [, { id }] = snapshots as [unknown, { id: string }];
    const [writer = ''] = readdirSync(join(repository, 'snapshots'));
    const path = join(repository, 'snapshots', writer, id);
    const whole = readFileSync(path);
    const newer = Buffer.from(whole);
    newer.writeUInt8(2, 7);
    writeFileSync(path, newer);
    rmSync(join(alice.settings, 'cache'), { recursive: true });
    const refusal = { exit: 17, code: 'format-too-new' };
    await fails(alice, ['prune', '--yes', ...secret], refusal);
    await fails(alice, ['forget', id, '--yes', ...secret], refusal);
    assert.deepEqual(readFileSync(path), newer);
    writeFileSync(path, whole);
  });

  test('a damaged snapshot stops prunes until its id is given up', async () => {
    const { snapshots } = succeeded(await alice.run('snapshots', '--json')).last();
    const [, { id }] = snapshots as [unknown, { id: string }];
    const [writer = ''] = readdirSync(join(repository, 'snapshots'));
    const path = join(repository, 'snapshots', writer, id);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(path, bytes);
    // What was verified before may come from the cache: this is how another machine sees it.
    rmSync(join(alice.settings, 'cache'), { recursive: true });
    await fails(alice, ['prune', '--yes', ...secret], { exit: 16, code: 'object-damaged' });
    await fails(alice, ['forget', 'ffffffff', '--yes', ...secret], {
      exit: 4,
      code: 'snapshot-not-found',
    });
    const { stderr, stdout } = succeeded(await forget(id.slice(0, 10), '--yes'));
    assert.match(stderr, /damaged: snapshots\/[^]*lost: number 5 of/);
    assert.match(stdout, /forgot 1 snapshot/);
    succeeded(await alice.run('prune', '--yes', ...secret));
    succeeded(await alice.run('check', ...secret));
    assert.equal((await alice.run('status', '--json')).exit, 0);
  });

  test('a whole one goes by its id, but not the newest', async () => {
    const { snapshots } = succeeded(await alice.run('snapshots', '--json')).last();
    const [first, last] = snapshots as { id: string }[];
    const args = ['forget', last?.id ?? '', '--yes', ...secret];
    await fails(alice, args, { exit: 2, code: 'usage' });
    // What is the latest may be another one by then.
    await fails(alice, ['forget', 'latest~1', ...secret], { exit: 2, code: 'usage' });
    const { stderr } = succeeded(await forget(first?.id ?? '', '--yes'));
    assert.match(stderr, /forget .* named/);
    assert.deepEqual(await numbers(), [7]);
    assert.equal((await alice.run('status', '--json')).exit, 0);
  });
});
