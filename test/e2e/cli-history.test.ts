/** A repository that shows less than this machine has seen, and machines that share a name: through the process. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { fails, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const alice = makeMachine(folder.path, 'alice');
const bob = makeMachine(folder.path, 'bob');
const repository = join(folder.path, 'repository');
const early = join(folder.path, 'early');
const secret = ['--passphrase-file', alice.passphraseFile];

before(async () => {
  writeSample({ home: alice.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  const kit = ['--kit', join(folder.path, 'kit.txt')];
  succeeded(await alice.run('init', repository, '--machine', 'old-mac', ...kit, ...secret));
  succeeded(await alice.run('push'));
  cpSync(repository, early, { recursive: true });
  appendFileSync(join(alice.home, '.openclaw/workspace/MEMORY.md'), 'more\n');
  succeeded(await alice.run('push'));
});
after(() => folder.remove());

function rollBack(): void {
  rmSync(repository, { recursive: true });
  cpSync(early, repository, { recursive: true });
}

function writersKnownTo(machine: typeof alice): readonly string[] {
  const text = readFileSync(join(machine.settings, 'settings.json'), 'utf8');
  const data = JSON.parse(text) as {
    repositories: { machine: { machine: string; highWater: Record<string, unknown> } }[];
  };
  return Object.keys(data.repositories[0]?.machine.highWater ?? {});
}

describe('machines of one name', () => {
  test('a name that is taken gets a number, and that is said', async () => {
    const first = succeeded(await bob.run('join', repository, '--json', ...secret)).last();
    const refused = await bob.run('join', repository, '--json', ...secret);
    assert.equal(refused.exit, 23, 'it would be a second machine');
    const args = ['--yes', '--json', ...secret];
    const again = succeeded(await bob.run('join', repository, ...args)).last();
    assert.equal(first['machine'], again['machine'], 'it has its own name already');
    const carol = makeMachine(folder.path, 'carol');
    const answer = succeeded(await carol.run('join', repository, '--json', ...secret));
    assert.equal(answer.last()['machine'], `${String(first['machine'])}-2`);
    assert.ok(answer.lines().some(({ code }) => code === 'machine-name-taken'));
  });

  test('the same repository in another place is no other one', async () => {
    const elsewhere = join(folder.path, 'elsewhere');
    cpSync(repository, elsewhere, { recursive: true });
    const refused = await bob.run('join', elsewhere, ...secret);
    assert.equal(refused.exit, 23, 'it would be one more machine');
    assert.ok(refused.stderr.includes(`which it knows as ${repository}. `), refused.stderr);
  });

  test('one that is typed is taken as it is, and that is said too', async () => {
    const dave = makeMachine(folder.path, 'dave');
    const args = ['--machine', 'old-mac', '--json', ...secret];
    const answer = succeeded(await dave.run('join', repository, ...args));
    assert.equal(answer.last()['machine'], 'old-mac');
    assert.ok(answer.lines().some(({ code }) => code === 'machine-name-taken'));
  });

  test('joining again forgets nothing that was seen', async () => {
    succeeded(await bob.run('snapshots', ...secret));
    const before = writersKnownTo(bob);
    assert.equal(before.length, 1);
    succeeded(await bob.run('join', repository, '--yes', ...secret));
    assert.deepEqual(writersKnownTo(bob), before);
  });
});

describe('a repository that was rolled back', () => {
  const code = 'history-rolled-back';

  test('before, all is well', async () => {
    const { attention } = succeeded(await alice.run('status', '--json')).last();
    assert.deepEqual(attention, []);
    rollBack();
  });

  test('snapshots says what is missing since when, and ends with 21', async () => {
    const answer = await alice.run('snapshots', '--json');
    assert.equal(answer.exit, 21);
    const [missing] = answer.last()['missing'] as { time: string; shown: string }[];
    assert.ok(missing && missing.shown < missing.time);
    const words = await alice.run('snapshots');
    assert.equal(words.exit, 21);
    assert.match(
      words.stderr,
      /^problem: .* has seen snapshot [0-9a-f]{32} of 2\S+ \S+ UTC, and the/m,
    );
  });

  test('status and check do', async () => {
    const status = await alice.run('status', '--json');
    assert.equal(status.exit, 21);
    const [attention] = status.last()['attention'] as { code: string }[];
    assert.equal(attention?.code, code);
    const check = await alice.run('check', '--json');
    assert.equal(check.exit, 21);
    const [problem] = check.last()['problems'] as { object: string; code: string }[];
    assert.equal(problem?.code, code);
    assert.match(problem?.object ?? '', /^snapshots\//);
  });

  test('another machine that had seen it notices as well', async () => {
    const answer = await bob.run('snapshots', '--json', ...secret);
    assert.equal(answer.exit, 21);
    const own = succeeded(await bob.run('snapshots', '--json'));
    assert.deepEqual(own.last()['missing'], [], 'without a secret it sees only its own');
  });

  test('pull goes on only when it is told to', async () => {
    const pull = ['pull', '--into', join(folder.path, 'into'), '--install', 'openclaw@old-mac'];
    await fails(alice, [...pull, ...secret], { exit: 21, code });
    succeeded(await alice.run(...pull, '--yes', ...secret));
  });

  test('push says it, goes on, and ends with 21; the next one is quiet', async () => {
    const answer = await alice.run('push', '--json');
    assert.equal(answer.exit, 21);
    const summary = answer.last();
    assert.equal((summary['snapshots'] as unknown[]).length, 1);
    assert.equal((summary['missing'] as unknown[]).length, 1);
    assert.ok(answer.lines().some((line) => line['type'] === 'problem' && line['code'] === code));
    succeeded(await alice.run('push'));
  });
});
