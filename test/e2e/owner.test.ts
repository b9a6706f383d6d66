/** Whose files they are: root for somebody else, a user alone, a service account. Nothing of root's stays in a home. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { writeStandIn } from '../../src/gateway/sample/stand-in.ts';
import { nobodyAbsence } from '../support/nobody.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import { MAIN, PASSPHRASE } from '../support/cli-run.ts';

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? (nobodyAbsence() ?? false) : 'only root can become somebody else';
const [ALICE, BOB, CLAW] = [14_001, 14_002, 14_003];

const folder = mkdtempSync(join(tmpdir(), 'owner-'));
after(() => rmSync(folder, { recursive: true, force: true }));
chmodSync(folder, 0o755);
const homes = join(folder, 'home');
const home = { alice: join(homes, 'alice'), bob: join(homes, 'bob') };
const state = join(home.alice, '.openclaw');
const repository = join(folder, 'repository');
const passphraseFile = join(folder, 'passphrase');
const binDir = join(folder, 'bin');

type Run = { readonly uid?: number; readonly env?: Readonly<Record<string, string>> };

/** As root unless told otherwise. */
function run({ uid = 0, env = {} }: Run, ...args: string[]) {
  const variables = {
    PATH: `${binDir}:${dirname(process.execPath)}:/usr/bin:/bin`,
    TMPDIR: join(folder, `tmp-${uid}`),
    NO_COLOR: '1',
    ...env,
  };
  mkdirSync(variables.TMPDIR, { recursive: true });
  chownSync(variables.TMPDIR, uid, uid);
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: variables,
    uid,
    gid: uid,
    encoding: 'utf8',
  });
  return { exit: status, stdout, stderr, all: stdout + stderr };
}

const withSecret = ['--passphrase-file', passphraseFile];
const quiet = ['--no-doctor', '--no-restart', '--yes'];

function put(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

/** Every entry below a folder, itself included. */
function entriesOf(path: string): string[] {
  if (!lstatSync(path).isDirectory()) return [path];
  return [path, ...readdirSync(path).flatMap((name) => entriesOf(join(path, name)))];
}

function give(path: string, uid: number): void {
  for (const entry of entriesOf(path)) lchownSync(entry, uid, uid);
}

/** What in a tree is not this user's. */
const foreignIn = (path: string, uid: number): string[] =>
  entriesOf(path).filter((entry) => {
    const stats = lstatSync(entry);
    return stats.uid !== uid || stats.gid !== uid;
  });

const modesIn = (path: string): Record<string, string> =>
  Object.fromEntries(
    entriesOf(path)
      .filter((entry) => !lstatSync(entry).isSymbolicLink())
      .map((entry) => [entry.slice(path.length), (lstatSync(entry).mode & 0o7777).toString(8)]),
  );

function makeHome(path: string, uid: number, mode = 0o750): string {
  mkdirSync(path, { recursive: true });
  chmodSync(homes, 0o755);
  chmodSync(path, mode);
  chownSync(path, uid, uid);
  return path;
}

function lastLine(stdout: string): Record<string, unknown> {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return z.record(z.string(), z.unknown()).parse(JSON.parse(last));
}

before(() => {
  if (skip !== false) return;
  mkdirSync(homes);
  writeStandIn(binDir, process.execPath);
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`);
  chmodSync(passphraseFile, 0o644);
  makeHome(home.alice, ALICE);
  const workspace = join(home.alice, 'notes');
  const transcript = join(state, 'agents/main/sessions/one.jsonl');
  put(
    join(state, 'openclaw.json'),
    `{ agents: { defaults: { workspace: '${workspace}' } }, gateway: { mode: 'local', port: ${CLOSED_PORT} } }`,
  );
  put(transcript, '{"type":"session"}\n', 0o644);
  put(
    join(state, 'agents/main/sessions/sessions.json'),
    JSON.stringify({ a: { sessionId: 'one', sessionFile: transcript } }),
  );
  put(join(state, 'credentials/telegram.json'), '{"token":"planted"}');
  put(join(workspace, 'AGENTS.md'), 'hello', 0o664);
  put(join(workspace, 'shared/note.md'), 'for the group', 0o660);
  put(join(workspace, 'drop/box.md'), 'for all', 0o606);
  put(join(workspace, 'run.sh'), '#!/bin/sh\n', 0o750);
  chmodSync(join(workspace, 'shared'), 0o2770);
  chmodSync(join(workspace, 'drop'), 0o1777);
  symlinkSync('AGENTS.md', join(workspace, 'link'));
  give(home.alice, ALICE);
  // Giving away takes setgid from files, not from folders; said here so that the test does not rest on it.
  chmodSync(join(workspace, 'shared'), 0o2770);
});

describe('push', { skip }, () => {
  test('as root for a user: settings, cache and repository are the user’s, who goes on without root', () => {
    const kit = join(folder, 'kit');
    const root = run({}, 'init', repository, '--home', home.alice, '--kit', kit, ...withSecret);
    assert.equal(root.exit, 0, root.all);
    const pushed = run({}, 'push', '--home', home.alice);
    assert.equal(pushed.exit, 0, pushed.all);
    assert.deepEqual(foreignIn(home.alice, ALICE), []);
    assert.deepEqual(foreignIn(repository, ALICE), []);
    assert.deepEqual(foreignIn(kit, ALICE), []);
    put(join(home.alice, 'notes/more.md'), 'more');
    give(join(home.alice, 'notes/more.md'), ALICE);
    const own = run({ uid: ALICE, env: { HOME: home.alice } }, 'push');
    assert.equal(own.exit, 0, own.all);
    assert.deepEqual(foreignIn(home.alice, ALICE), []);
  });

  test('files that only root can read: named one by one as the user, taken along as root', () => {
    const secret = join(state, 'credentials/of-root.json');
    const closed = join(home.alice, 'notes/closed/inside.md');
    put(secret, '{"only":"root"}');
    put(closed, 'of root');
    put(join(state, 'agents/main/agent/openclaw-agent.sqlite'), 'of root');
    put(join(state, 'state/openclaw.sqlite'), 'of root');
    lchownSync(join(state, 'state'), ALICE, ALICE);
    const alice = { uid: ALICE, env: { HOME: home.alice } };
    const part = run(alice, 'push', '--json');
    assert.equal(part.exit, 3, part.all);
    const problems = z
      .object({ snapshots: z.array(z.object({ problems: z.array(z.unknown()) })) })
      .parse(lastLine(part.stdout)).snapshots[0]?.problems;
    assert.deepEqual(problems, [
      { path: 'state/agents/main/agent', code: 'EACCES' },
      { path: 'state/credentials/of-root.json', code: 'EACCES' },
      { path: 'state/state/openclaw.sqlite', code: 'EACCES' },
      { path: 'workspace/closed', code: 'EACCES' },
    ]);
    const words = run(alice, 'push');
    assert.match(words.all, /of-root\.json/);
    const whole = run({}, 'push', '--home', home.alice);
    assert.equal(whole.exit, 0, whole.all);
    assert.deepEqual(
      foreignIn(home.alice, ALICE)
        .map((path) => path.slice(home.alice.length))
        .toSorted(),
      [
        '/.openclaw/agents/main/agent',
        '/.openclaw/agents/main/agent/openclaw-agent.sqlite',
        '/.openclaw/credentials/of-root.json',
        '/.openclaw/state/openclaw.sqlite',
        '/notes/closed',
        '/notes/closed/inside.md',
      ],
    );
  });
});

describe('pull', { skip }, () => {
  const elsewhere = join(folder, 'hidden');

  before(() => {
    renameSync(home.alice, elsewhere);
    for (const entry of entriesOf(repository)) chmodSync(entry, 0o755);
  });
  after(() => renameSync(elsewhere, home.alice));

  function assertLanded(at: string, uid: number): void {
    assert.deepEqual(foreignIn(at, uid), []);
    const landed = modesIn(join(at, 'notes'));
    assert.deepEqual(landed, modesIn(join(elsewhere, 'notes')));
    assert.deepEqual([landed['/shared'], landed['/drop']], ['2770', '1777']);
    const old = modesIn(join(elsewhere, '.openclaw'));
    const now = modesIn(join(at, '.openclaw'));
    for (const [path, mode] of Object.entries(old)) assert.equal(now[path], mode, path);
    assert.equal(
      readFileSync(join(at, '.openclaw/credentials/of-root.json'), 'utf8'),
      '{"only":"root"}',
    );
  }

  test('as root for a user, doctor and all; put back as root, and again by the user', () => {
    makeHome(home.bob, BOB);
    put(join(home.bob, '.openclaw/openclaw.json'), '{ /* of bob */ }');
    give(home.bob, BOB);
    const args = ['-r', repository, ...withSecret, '--yes', '--no-restart', '--home', home.bob];
    const first = run({ env: { HOME: '/root', SUDO_UID: String(BOB) } }, 'pull', ...args);
    assert.equal(first.exit, 0, first.all);
    assertLanded(home.bob, BOB);
    assert.deepEqual(foreignIn(join(folder, 'tmp-0'), 0), []);
    const undone = run({}, 'undo', '--yes', '--home', home.bob);
    assert.equal(undone.exit, 0, undone.all);
    assert.match(readFileSync(join(home.bob, '.openclaw/openclaw.json'), 'utf8'), /of bob/);
    assert.deepEqual(foreignIn(home.bob, BOB), []);
    assert.equal(run({}, 'pull', ...args).exit, 0);
    assertLanded(home.bob, BOB);
    const bob = { uid: BOB, env: { HOME: home.bob } };
    const byBob = run(bob, 'undo', '--yes');
    assert.equal(byBob.exit, 0, byBob.all);
    assert.match(readFileSync(join(home.bob, '.openclaw/openclaw.json'), 'utf8'), /of bob/);
  });

  test('by the user alone', () => {
    const carl = makeHome(join(homes, 'carl'), BOB);
    const as = { uid: BOB, env: { HOME: carl } };
    const pulled = run(as, 'pull', '-r', repository, ...withSecret, ...quiet);
    assert.equal(pulled.exit, 0, pulled.all);
    assertLanded(carl, BOB);
  });

  test('a service account: its home is elsewhere and nobody logs in there', () => {
    const account = makeHome(join(folder, 'var/lib/claw'), CLAW, 0o700);
    const args = ['-r', repository, ...withSecret, ...quiet, '--home', account];
    const pulled = run({}, 'pull', ...args);
    assert.equal(pulled.exit, 0, pulled.all);
    assertLanded(account, CLAW);
    const own = run({ uid: CLAW, env: { HOME: account } }, 'gateways', '--json');
    assert.equal(own.exit, 0, own.all);
    assert.match(own.stdout, /"sessions":1/);
  });

  test('into a home that is a link, and without HOME', () => {
    const real = makeHome(join(folder, 'disk2/dora'), BOB);
    const link = join(homes, 'dora');
    symlinkSync(real, link);
    const as = { uid: BOB, env: { HOME: link } };
    const pulled = run(as, 'pull', '-r', repository, ...withSecret, ...quiet);
    assert.equal(pulled.exit, 0, pulled.all);
    assertLanded(real, BOB);
    const config = readFileSync(join(real, '.openclaw/openclaw.json'), 'utf8');
    assert.ok(config.includes(`'${link}/notes'`), config);
    const eve = makeHome(join(homes, 'eve'), BOB);
    const homeless = run(
      { uid: BOB },
      'pull',
      '-r',
      repository,
      ...withSecret,
      ...quiet,
      '--home',
      eve,
    );
    assert.equal(homeless.exit, 0, homeless.all);
    assertLanded(eve, BOB);
  });

  test('where the user may not write nothing is begun', () => {
    const frank = makeHome(join(homes, 'frank'), BOB);
    const locked = join(folder, 'ferry-of-frank');
    mkdirSync(locked);
    chownSync(locked, BOB, BOB);
    chownSync(frank, 0, 0);
    const as = { uid: BOB, env: { HOME: frank, STATEFERRY_HOME: locked } };
    chmodSync(frank, 0o755);
    const pulled = run(as, 'pull', '-r', repository, ...withSecret, ...quiet);
    assert.equal(pulled.exit, 18, pulled.all);
    assert.match(pulled.stderr, /error: .*frank.* cannot be written/);
    assert.deepEqual(readdirSync(frank), []);
    assert.ok(!existsSync(join(frank, '.openclaw')));
  });
});
