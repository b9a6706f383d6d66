/** Which gateways a command is about: clients of remote ones, other machines' disks, and one command at a time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { runProcess } from '../../src/process/run.ts';
import { lockSettings } from '../../src/settings/lock.ts';
import { asRecord, fails, makeFolder, makeMachine, MAIN, succeeded } from '../support/cli-run.ts';

const folder = makeFolder();
after(() => folder.remove());
const machine = makeMachine(folder.path, 'alice');
const repository = join(folder.path, 'repository');
const withSecret = ['--passphrase-file', machine.passphraseFile];

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
}

const remote = `{ gateway: { mode: 'remote',
  remote: { url: 'ws://me:planted@far.example:18789/?token=planted', token: 'planted' } } }`;

before(async () => {
  const { home } = machine;
  put(join(home, '.openclaw/openclaw.json'), remote);
  put(
    join(home, '.openclaw-work/openclaw.json'),
    `{ gateway: { mode: 'local' }, agents: { defaults: { workspace: '${home}/notes' } } }`,
  );
  put(join(home, 'notes/SOUL.md'), 'a soul');
  const kit = join(folder.path, 'kit');
  succeeded(await machine.run('init', repository, '--kit', kit, ...withSecret));
});

describe('a client of a remote gateway', () => {
  test('is refused by name, with the host that has it all', async () => {
    await fails(machine, ['push', 'openclaw'], { exit: 6, code: 'remote-mode' });
    const { stderr } = await machine.run('push', 'openclaw');
    assert.match(stderr, /ws:\/\/far\.example:18789/);
    assert.ok(!stderr.includes('planted'));
    const { stdout } = succeeded(await machine.run('gateways'));
    assert.match(stdout, /^openclaw .* client of ws:\/\/far\.example:18789\/, not running$/m);
  });

  test('is noted and skipped when all are meant', async () => {
    const pushed = succeeded(await machine.run('push', '--all', '--json'));
    const notice = pushed.lines().find((line) => line['code'] === 'remote-mode');
    assert.match(String(notice?.['message']), /openclaw .*far\.example.*skipped/);
    const { snapshots } = pushed.last();
    assert.ok(Array.isArray(snapshots));
    assert.deepEqual(
      snapshots.map((one: Record<string, unknown>) => one['install']),
      ['openclaw:work'],
    );
  });

  test('and nothing else: there is nothing to push', async () => {
    const client = makeMachine(folder.path, 'client');
    put(join(client.home, '.openclaw/openclaw.json'), remote);
    const kit = join(folder.path, 'kit-2');
    const own = join(folder.path, 'repository-2');
    const secret = ['--passphrase-file', client.passphraseFile];
    succeeded(await client.run('init', own, '--kit', kit, ...secret));
    await fails(client, ['push'], { exit: 6, code: 'remote-mode' });
  });
});

test('a command of the product that takes long is told of while it runs', async () => {
  const [bin, fifo, go] = ['bin', 'fifo', 'go'].map((name) => join(folder.path, name));
  assert.ok(bin && fifo && go);
  const { signal } = new AbortController();
  await runProcess('mkfifo', [fifo], { env: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000, signal });
  put(
    join(bin, 'openclaw'),
    `#!/bin/sh\n[ -e '${go}' ] || cat '${fifo}'\necho 'OpenClaw 2026.3.2'\n`,
  );
  chmodSync(join(bin, 'openclaw'), 0o755);
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: machine.home,
    STATEFERRY_HOME: machine.settings,
  };
  const child = spawn(process.execPath, [MAIN, 'gateways', '--json'], { env });
  const exited = once(child, 'exit');
  const told: Record<string, unknown>[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = asRecord(JSON.parse(line));
    if (event['type'] !== 'underway' || told.push(event) > 1) continue;
    // It waits for this, and nothing but the event lets it go on.
    writeFileSync(go, '');
    await writeFile(fifo, '');
  }
  assert.deepEqual(await exited, [0, null]);
  assert.equal(told[0]?.['what'], 'openclaw --version');
  assert.ok(Number(told[0]?.['durationMs']) > 0);
});

test('another machine’s disk: read where it is mounted, recorded as it was', async () => {
  const { home } = machine;
  const mounted = join(folder.path, 'mnt', home);
  mkdirSync(dirname(mounted), { recursive: true });
  renameSync(home, mounted);
  // This machine has something of that name, which is nobody's business.
  put(join(home, 'notes/SOUL.md'), 'of this machine');
  try {
    const listed = succeeded(await machine.run('gateways', '--json', '--home', mounted));
    assert.ok(listed.lines().some((line) => line['code'] === 'mounted-disk'));
    const installs = listed.last()['installs'] as Record<string, unknown>[];
    const work = installs.find((one) => one['install'] === 'openclaw:work');
    assert.equal(work?.['stateDir'], join(home, '.openclaw-work'));
    assert.equal(work?.['readFrom'], join(mounted, '.openclaw-work'));
    const words = succeeded(await machine.run('gateways', '--home', mounted));
    assert.ok(words.stdout.includes(`read from  ${mounted}/.openclaw-work`), words.stdout);
    succeeded(await machine.run('push', '--home', mounted));
    const soul = await machine.run('cat', `latest:${home}/notes/SOUL.md`, ...withSecret);
    assert.equal(succeeded(soul).stdout, 'a soul');
    // Told that it is a home of this machine, it is one: the paths in it are this machine's.
    const asHere = ['push', '--dry-run', '--json', '--home', mounted, '--old-home', mounted];
    const plan = succeeded(await machine.run(...asHere)).last()['plan'] as { roots: unknown }[];
    assert.ok(JSON.stringify(plan[0]?.roots).includes(`"path":"${home}/notes"`));
  } finally {
    renameSync(home, join(folder.path, 'was-in-the-way'));
    renameSync(mounted, home);
  }
  assert.equal(readFileSync(join(home, 'notes/SOUL.md'), 'utf8'), 'a soul');
});

test('two pulls at once: the second is refused, and works when the first has ended', async () => {
  const other = makeMachine(folder.path, 'bob');
  const secret = ['--passphrase-file', other.passphraseFile];
  mkdirSync(other.settings, { recursive: true });
  const args = ['pull', '-r', repository, '--no-doctor', '--no-restart', '--yes', ...secret];
  const first = lockSettings(join(other.settings, 'lock'));
  try {
    await fails(other, args, { exit: 2, code: 'settings-locked' });
  } finally {
    first.release();
  }
  succeeded(await other.run(...args));
  assert.equal(readFileSync(join(other.home, 'notes/SOUL.md'), 'utf8'), 'a soul');
});
