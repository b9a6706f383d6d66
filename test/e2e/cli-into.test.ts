/** pull --into, export and cat: what they touch, what they refuse, and where their words go. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { fails, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const alice = makeMachine(folder.path, 'alice');
const repository = join(folder.path, 'repository');
const secret = ['--passphrase-file', alice.passphraseFile];
let snapshot = '';

before(async () => {
  writeSample({ home: alice.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  symlinkSync('openclaw.json', join(alice.home, '.openclaw/a-link'));
  const kit = ['--kit', join(folder.path, 'kit.txt')];
  succeeded(await alice.run('init', repository, ...kit, ...secret));
  const { snapshots } = succeeded(await alice.run('push', '--json')).last();
  snapshot = (snapshots as { id: string }[])[0]?.id ?? '';
});
after(() => folder.remove());

describe('pull --into', () => {
  const into = join(folder.path, 'into');
  const config = join(into, 'state/openclaw.json');
  const only = ['--only', 'state/openclaw.json'];
  const pull = ['pull', '--into', into, ...only, ...secret];

  test('--dry-run counts, and makes nothing', async () => {
    const summary = succeeded(await alice.run(...pull, '--dry-run', '--json')).last();
    assert.equal(summary['dryRun'], true);
    assert.equal(summary['files'], 1);
    assert.ok(!existsSync(into));
  });

  test('a pattern that matches nothing is no success, and makes nothing', async () => {
    const nothing = ['pull', '--into', into, '--only', 'nowhere/**', ...secret];
    const failure = { exit: 4, code: 'path-not-found' };
    await fails(alice, [...nothing, '--dry-run'], failure);
    await fails(alice, nothing, failure);
    assert.ok(!existsSync(into));
    const inner = join(into, 'made/by/hand');
    mkdirSync(inner, { recursive: true });
    await fails(alice, ['pull', '--into', inner, '--only', 'nowhere/**', ...secret], failure);
    assert.deepEqual(readdirSync(inner), []);
    rmSync(into, { recursive: true });
  });

  test('a link is a match, and of two patterns one is enough', async () => {
    const linked = join(folder.path, 'linked');
    const patterns = ['--only', 'state/a-link', '--only', 'workspace/nowhere'];
    const pulled = await alice.run('pull', '--into', linked, ...patterns, ...secret, '--json');
    const { placed } = succeeded(pulled).last();
    assert.deepEqual(
      (placed as { root: string }[]).map(({ root }) => root),
      ['state'],
    );
    assert.deepEqual(readdirSync(linked), ['state']);
    assert.deepEqual(readdirSync(join(linked, 'state')), ['a-link']);
  });

  test('what is there already is overwritten only after a yes', async () => {
    succeeded(await alice.run(...pull));
    const original = readFileSync(config, 'utf8');
    assert.deepEqual(readdirSync(into), ['state']);
    writeFileSync(config, 'mine');
    await fails(alice, pull, { exit: 23, code: 'confirmation-needed' });
    assert.equal(readFileSync(config, 'utf8'), 'mine');
    succeeded(await alice.run(...pull, '--yes'));
    assert.equal(readFileSync(config, 'utf8'), original);
  });

  test('the same pull completes one that was interrupted, and asks nothing', async () => {
    writeFileSync(join(into, '.stateferry-unfinished'), `${snapshot}\n`);
    succeeded(await alice.run(...pull));
    assert.deepEqual(readdirSync(into), ['state']);
  });

  test('a file in the way', async () => {
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    const args = ['pull', '--into', file, '--yes', ...secret];
    await fails(alice, args, { exit: 3, code: 'file-write' });
  });
});

describe('bytes on stdout', () => {
  test('export --json - is an archive from its first byte', async () => {
    const answer = succeeded(await alice.run('export', 'latest', '-', '--json', ...secret));
    assert.equal(answer.stdout.slice(257, 262), 'ustar');
    assert.match(answer.stderr, /^\{"type":"stage"/);
  });

  test('cat --json is the file and nothing else', async () => {
    const path = 'latest:state/openclaw.json';
    const answer = succeeded(await alice.run('cat', path, '--json', ...secret));
    const file = join(alice.home, '.openclaw/openclaw.json');
    assert.equal(answer.stdout, readFileSync(file, 'utf8'));
  });
});

describe('before anybody types a passphrase', () => {
  test('a place without a repository says so', async () => {
    const empty = join(folder.path, 'empty');
    mkdirSync(empty);
    await fails(alice, ['ls', 'latest', '-r', empty], { exit: 10, code: 'repository-missing' });
  });
});

describe('words', () => {
  test('an install that no snapshot is of', () =>
    fails(alice, ['snapshots', '--install', 'openclaw@nowhere'], {
      exit: 4,
      code: 'install-not-found',
    }));

  test('no verb', () => fails(alice, ['-q'], { exit: 2, code: 'usage' }));

  test('an archive that is not there', () =>
    fails(alice, ['import', 'gone.tgz', '--as', 'openclaw'], { exit: 3, code: 'file-unreadable' }));

  test('names that turn text round do not reach the terminal', async () => {
    const odd = join(alice.home, '.openclaw/workspace/\u202egnp.exe');
    writeFileSync(odd, '');
    succeeded(await alice.run('push'));
    const { stdout } = succeeded(await alice.run('ls', 'latest:state/workspace', ...secret));
    assert.ok(stdout.includes('\\u202egnp.exe') && !stdout.includes('\u202e'));
  });
});
