/** pull --all, --as and --map from the command line: what they say, what they refuse, and what a dry run shows. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fails, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const alice = makeMachine(folder.path, 'alice');
const bob = makeMachine(folder.path, 'bob');
const repository = join(folder.path, 'repository');
const pull = ['pull', '-r', repository, '--passphrase-file', bob.passphraseFile, '--no-doctor'];
const quiet = [...pull, '--no-restart'];
const oldFile = (path: string): string => join(alice.home, path);
const token = 'planted-token-of-the-gateway';

function writeProfile(state: string, workspace: string, port: number): void {
  const sessions = `${state}/agents/main/sessions`;
  const files = {
    [`${state}/openclaw.json`]: `{
  gateway: { mode: 'local', port: ${port}, auth: { token: '${token}' } },
  agents: { defaults: { workspace: '${oldFile(workspace)}' } }, // here
}`,
    [`${sessions}/sessions.json`]: JSON.stringify({
      one: { sessionId: 'a', sessionFile: oldFile(`${sessions}/a.jsonl`) },
    }),
    [`${sessions}/a.jsonl`]: '{}\n',
    [`${workspace}/SOUL.md`]: state,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(oldFile(path)), { recursive: true });
    writeFileSync(oldFile(path), text, { mode: 0o600 });
  }
}

before(async () => {
  writeProfile('.openclaw', '.openclaw/workspace', CLOSED_PORT);
  writeProfile('.openclaw-work', '.openclaw/workspace-work', CLOSED_PORT + 1);
  const kit = ['--kit', join(folder.path, 'kit.txt'), '--passphrase-file', alice.passphraseFile];
  succeeded(await alice.run('init', repository, '--machine', 'old-mac', ...kit));
  succeeded(await alice.run('push', '--all'));
  renameSync(alice.home, `${alice.home}.hidden`);
});
after(() => folder.remove());

type Edits = {
  file: string;
  edits: number;
  changes: { where: string; line: number; to: string }[];
};

describe('pull --all', () => {
  test('a dry run shows every edit of every install, in JSON and in words, and no secret', async () => {
    const answer = succeeded(await bob.run(...quiet, '--all', '--dry-run', '--json'));
    const summary = answer.last();
    const relocated = summary['relocated'] as Edits[];
    assert.deepEqual(
      relocated.map(({ file, edits, changes }) => [file, edits, changes.length]),
      [
        [oldFile('.openclaw/openclaw.json'), 1, 1],
        [oldFile('.openclaw/agents/main/sessions/sessions.json'), 1, 1],
        [oldFile('.openclaw-work/openclaw.json'), 1, 1],
        [oldFile('.openclaw-work/agents/main/sessions/sessions.json'), 1, 1],
      ],
    );
    assert.deepEqual(relocated[0]?.changes[0], {
      where: 'agents.defaults.workspace',
      line: 3,
      from: oldFile('.openclaw/workspace'),
      to: join(bob.home, '.openclaw/workspace'),
    });
    const words = succeeded(await bob.run(...quiet, '--all', '--dry-run'));
    for (const { changes } of relocated) {
      for (const { where, line, to } of changes) {
        assert.ok(words.stdout.includes(`line ${line}, ${where}`), words.stdout);
        assert.ok(words.stdout.includes(`→ ${to}`));
      }
    }
    for (const text of [answer.stdout, words.stdout, words.stderr])
      assert.ok(!text.includes(token));
    assert.deepEqual(readdirSync(bob.home), []);
  });

  test('lands all of a machine; each is told by itself, with the sums beside it', async () => {
    const summary = succeeded(
      await bob.run(...quiet, '--all', '--install', '@old-mac', '--json'),
    ).last();
    const installs = summary['installs'] as { install: string; files: number }[];
    assert.deepEqual(
      installs.map(({ install }) => install),
      ['openclaw', 'openclaw:work'],
    );
    assert.equal(
      summary['files'],
      installs.reduce((sum, { files }) => sum + files, 0),
    );
    assert.equal(
      readFileSync(join(bob.home, '.openclaw/workspace-work/SOUL.md'), 'utf8'),
      '.openclaw-work',
    );
    const checks = (summary['checklist'] as { check: string }[]).map(({ check }) => check);
    assert.ok(checks.includes('openclaw: sessions of main'));
    assert.ok(checks.includes('openclaw:work: sessions of main'));
  });

  test('goes with no snapshot, no name and no other install', async () => {
    const refused = { exit: 2, code: 'usage' };
    await fails(bob, [...quiet, '--all', '--as', 'resonix'], refused);
    await fails(bob, [...quiet, '--all', '--into', 'x'], refused);
    await fails(bob, [...quiet, '--all', '--install', 'openclaw'], refused);
    await fails(bob, [...quiet, 'latest', '--all'], refused);
    const unknown = { exit: 4, code: 'install-not-found' };
    await fails(bob, [...quiet, '--all', '--install', '@nowhere'], unknown);
  });
});

describe('pull --as and --map', () => {
  test('land one of them under another name, with a folder elsewhere', async () => {
    const map = `${oldFile('.openclaw/workspace')}=~/my ws`;
    const wishes = [...quiet, '--install', 'openclaw', '--as', 'resonix:lab', '--map', map];
    const summary = succeeded(await bob.run(...wishes, '--json')).last();
    assert.equal(summary['install'], 'resonix:lab');
    assert.equal(summary['source'], 'openclaw');
    const config = readFileSync(join(bob.home, '.resonix-lab/resonix.json'), 'utf8');
    assert.ok(config.includes(`workspace: '${bob.home}/my ws' } }, // here`), config);
    assert.equal(readFileSync(join(bob.home, 'my ws/SOUL.md'), 'utf8'), '.openclaw');
    succeeded(await bob.run('undo', '--yes'));
    assert.ok(!existsSync(join(bob.home, '.resonix-lab')));
    assert.ok(existsSync(join(bob.home, '.openclaw/openclaw.json')));
  });

  test('what cannot be is refused before anything is fetched', async () => {
    const one = [...quiet, '--install', 'openclaw'];
    const refused = { exit: 2, code: 'usage' };
    await fails(bob, [...one, '--as', 'openclau'], refused);
    await fails(bob, [...one, '--as', 'openclaw:../x'], refused);
    await fails(bob, [...one, '--map', '/a=b'], refused);
    await fails(bob, [...one, '--map', '/a=/b', '--map', '/a/=/c'], refused);
    await fails(bob, [...one, '--map', '/a=/b', '--into', 'x'], refused);
    const unsafe = `${oldFile('.openclaw/workspace')}=~/.ssh`;
    await fails(bob, [...one, '--map', unsafe], { exit: 18, code: 'target-unsafe' });
  });
});
