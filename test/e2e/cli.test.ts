/** Every verb through its process, against a folder: exit codes, streams, and the JSON that scripts rely on. */
import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { runProcess } from '../../src/process/run.ts';
import { MAIN, fails, makeFolder, makeMachine, PASSPHRASE, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const old = makeMachine(folder.path, 'alice');
const fresh = makeMachine(folder.path, 'bob');
const repository = join(folder.path, 'repository');
const kit = join(folder.path, 'kit.txt');
const withPassphrase = ['--passphrase-file', old.passphraseFile];
let recoveryCode = '';

/** The fields that stay. */
const GATEWAY_FIELDS = [
  'install brand profile stateDir configPath workspaces agents version mode remoteUrl running service',
  'why readFrom notices',
].flatMap((names) => names.split(' '));
const PUSHED_FIELDS =
  'id repository install files bytes bytesNew bytesStored omissions problems'.split(' ');
const PULL_FIELDS = [
  'snapshot install files bytes bytesFetched requests placed relocated doctor checklist undo',
  'durationMs rssMaxBytes',
].flatMap((names) => names.split(' '));
const shell = {
  env: { PATH: '/usr/bin:/bin' },
  timeoutMs: 60_000,
  signal: new AbortController().signal,
};

before(() => {
  const sample = writeSample({ home: old.home, nodePath: process.execPath, port: CLOSED_PORT });
  sample.close();
});
after(() => folder.remove());

describe('before there is a repository', () => {
  test('push, ls and snapshots say what to do', async () => {
    for (const verb of [['push'], ['ls', 'latest'], ['snapshots']]) {
      await fails(old, verb, { exit: 10, code: 'repository-missing' });
    }
  });

  test('a location without one', () =>
    fails(old, ['ls', 'latest', '-r', folder.path, ...withPassphrase], {
      exit: 10,
      code: 'repository-missing',
    }));

  test('init without a terminal needs --kit, and creates nothing without it', async () => {
    await fails(old, ['init', repository, ...withPassphrase], { exit: 2, code: 'usage' });
    assert.ok(!existsSync(join(repository, 'stateferry.json')));
  });

  test('init without a passphrase leaves no kit behind', async () => {
    await fails(old, ['init', repository, '--kit', kit], { exit: 12, code: 'secret-needed' });
    assert.ok(!existsSync(kit));
  });

  test('gateways lists the sample', async () => {
    const { installs } = succeeded(await old.run('gateways', '--json')).last();
    assert.ok(Array.isArray(installs));
    const [install] = installs as Record<string, unknown>[];

    assert.deepEqual(Object.keys(install ?? {}), GATEWAY_FIELDS);
    assert.equal(install?.['install'], 'openclaw');
  });
});

describe('init and push', () => {
  let planned: Record<string, unknown> | undefined;

  test('init answers, and the kit is a page for its owner only', async () => {
    const answer = succeeded(
      await old.run(
        'init',
        repository,
        '--kit',
        kit,
        '--machine',
        'old-mac',
        '--json',
        ...withPassphrase,
      ),
    );
    const summary = answer.last();
    assert.equal(summary['type'], 'summary');
    assert.equal(summary['ok'], true);
    assert.equal(summary['isDefault'], true);
    const page = readFileSync(kit, 'utf8');
    assert.equal(statSync(kit).mode & 0o777, 0o600);
    recoveryCode = /SF1(-\w{4}){9}/.exec(page)?.[0] ?? '';
    assert.notEqual(recoveryCode, '');
    assert.ok(page.includes(repository) && page.includes(String(summary['id'])));
    assert.ok(!(answer.stdout + answer.stderr).includes(recoveryCode));
  });

  test('a second init is refused', () =>
    fails(old, ['init', repository, '--kit', join(folder.path, 'kit2'), ...withPassphrase], {
      exit: 2,
      code: 'repository-exists',
    }));

  test('push --dry-run stores nothing', async () => {
    linkSync(join(old.home, '.openclaw/.env'), join(old.home, '.openclaw/env.same'));
    const count = readdirSync(repository, { recursive: true }).length;
    const summary = succeeded(await old.run('push', '--dry-run', '--json')).last();
    assert.equal(summary['dryRun'], true);
    assert.equal(readdirSync(repository, { recursive: true }).length, count);
    [planned] = summary['plan'] as Record<string, unknown>[];
  });

  test('push needs no secret; its summary has the fields that stay', async () => {
    const summary = succeeded(await old.run('push', '--json', '--label', 'first')).last();
    for (const field of ['verb', 'snapshots', 'requests', 'durationMs', 'rssMaxBytes']) {
      assert.ok(field in summary, field);
    }
    assert.deepEqual(Object.keys(summary['requests'] ?? {}).toSorted(), [
      'delete',
      'get',
      'head',
      'list',
      'put',
    ]);
    const [snapshot] = summary['snapshots'] as Record<string, unknown>[];
    for (const field of PUSHED_FIELDS) {
      assert.ok(field in (snapshot ?? {}), field);
    }
    assert.equal(snapshot?.['bytes'], planned?.['bytes']);
    assert.ok(Array.isArray(snapshot?.['omissions']) && snapshot['omissions'].length > 0);
  });

  test('an install that is not here', () =>
    fails(old, ['push', 'resonix'], { exit: 4, code: 'install-not-found' }));

  test('an empty home', () =>
    fails(fresh, ['push', '-r', repository], { exit: 4, code: 'install-not-found' }));

  test('a second snapshot', async () => {
    appendFileSync(join(old.home, '.openclaw/workspace/MEMORY.md'), 'and more\n');
    writeFileSync(join(old.home, '.openclaw/workspace/\u001b[2Jodd'), 'x');
    const { stdout } = succeeded(await old.run('push'));
    assert.match(stdout, /^pushed openclaw as [0-9a-f]{8} to /);
  });
});

describe('reading', () => {
  test('snapshots: with a secret all, without one this machine’s own', async () => {
    const all = succeeded(await old.run('snapshots', '--json', ...withPassphrase)).last();
    const own = succeeded(await old.run('snapshots', '--json')).last();
    assert.deepEqual(all['snapshots'], own['snapshots']);
    assert.equal(own['ownOnly'], true);
    const [first, second] = own['snapshots'] as Record<string, unknown>[];
    const fields = 'id time install machine sequence files bytes label'.split(' ');
    assert.deepEqual(Object.keys(first ?? {}), fields);
    assert.equal(first?.['label'], 'first');
    assert.equal(second?.['sequence'], 2);
    assert.match(String(first?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test('ls, find and cat', async () => {
    const roots = succeeded(await old.run('ls', 'latest', ...withPassphrase)).stdout;
    assert.match(roots, /^state {2}\//);
    const below = succeeded(
      await old.run('ls', 'latest:state/workspace', ...withPassphrase),
    ).stdout;
    assert.ok(below.includes('state/workspace/\\x1b[2Jodd'));
    assert.ok(!below.includes('\u001b'));
    const found = succeeded(await old.run('find', 'MEMORY.md', '--json', ...withPassphrase)).last();
    assert.equal(found['matches'], 6);
    const path = join(old.home, '.openclaw/workspace/MEMORY.md');
    const byRoot = await old.run('cat', 'latest:state/workspace/MEMORY.md', ...withPassphrase);
    const byPath = await old.run('cat', `latest:${path}`, ...withPassphrase);
    assert.equal(succeeded(byRoot).stdout, readFileSync(path, 'utf8'));
    assert.equal(succeeded(byPath).stdout, readFileSync(path, 'utf8'));
  });

  test('diff', async () => {
    const answer = succeeded(
      await old.run('diff', 'latest~1', 'latest', '--json', ...withPassphrase),
    );
    const { added, removed, changed } = answer.last();
    assert.deepEqual([added, removed], [1, 0]);
    assert.ok(Number(changed) >= 1);
    const difference = answer.lines().filter(({ type }) => type === 'difference');
    assert.equal(difference.length, Number(added) + Number(changed));
  });

  test('export is read by tar, as a file for its owner only and as a pipe', async () => {
    const archive = join(folder.path, 'all.tar');
    const answer = succeeded(await old.run('export', 'latest', archive, ...withPassphrase));
    assert.match(answer.stderr, /plain text/);
    assert.equal(statSync(archive).mode & 0o777, 0o600);
    await fails(old, ['export', 'latest', archive, ...withPassphrase], { exit: 2, code: 'usage' });
    const { stdout, exit } = await runProcess('tar', ['-tf', archive], shell);
    assert.equal(exit, 0);
    assert.ok(stdout.includes('state/openclaw.json\n'));
    const piped = await old.run(
      'export',
      'latest:state/workspace',
      '-',
      '--json',
      ...withPassphrase,
    );
    assert.match(succeeded(piped).stderr, /"type":"summary","verb":"export","ok":true/);
    assert.ok(piped.stdout.includes('state/workspace/MEMORY.md'));
  });

  test('what is not there, and what does not open', async () => {
    const latest = ['--passphrase-file', old.passphraseFile];
    await fails(old, ['ls', 'ffff', ...latest], { exit: 4, code: 'snapshot-not-found' });
    await fails(old, ['ls', 'latest~9', ...latest], { exit: 4, code: 'snapshot-not-found' });
    await fails(old, ['cat', 'latest:state/no', ...latest], { exit: 4, code: 'path-not-found' });
    await fails(old, ['cat', 'latest', ...latest], { exit: 2, code: 'usage' });
    await fails(old, ['ls', 'latest'], { exit: 12, code: 'secret-needed' });
    await fails(old, ['ls', 'latest', '--passphrase-command', 'echo wrong'], {
      exit: 12,
      code: 'nothing-opens',
    });
  });

  test('check: the structure without a secret, the content with one', async () => {
    const own = succeeded(await old.run('check', '--json')).last();
    assert.deepEqual(own['problems'], []);
    assert.deepEqual(own['read'], { objects: 0, bytes: 0 });
    const all = succeeded(
      await old.run('check', '--read-data', '--json', ...withPassphrase),
    ).last();
    assert.deepEqual(all['problems'], []);
    assert.ok((all['read'] as { objects: number }).objects > 0);
    await fails(old, ['check', '--read-data=0'], { exit: 2, code: 'usage' });
  });

  test('status and probe', async () => {
    const status = succeeded(await old.run('status', '--json')).last();
    assert.deepEqual(status['attention'], []);
    const probe = succeeded(await old.run('probe', '--json')).last();
    assert.equal(probe['repository'], repository);
  });
});

describe('on a fresh machine', () => {
  const landing = ['pull', '-r', repository, '--recovery-file', kit];
  const placing = [...landing, '--no-doctor', '--no-restart'];

  test('without the product’s command, a pull that needs it says so', () =>
    fails(fresh, landing, { exit: 5, code: 'cli-missing' }));

  test('--only without --into is refused', () =>
    fails(fresh, [...landing, '--only', 'x'], { exit: 2, code: 'usage' }));

  test('--into restores below a folder and touches nothing else', async () => {
    const into = join(fresh.folder, 'deep/into');
    succeeded(await fresh.run(...landing, '--into', into, '--only', 'state/openclaw.json'));
    assert.deepEqual(readdirSync(join(into, 'state')), ['openclaw.json']);
    assert.deepEqual(readdirSync(fresh.home), []);
  });

  test('--dry-run shows the plan and places nothing', async () => {
    const summary = succeeded(await fresh.run(...placing, '--dry-run', '--json')).last();
    assert.equal(summary['dryRun'], true);
    assert.ok((summary['relocated'] as unknown[]).length > 0);
    assert.deepEqual(readdirSync(fresh.home), []);
  });

  test('pull places, repairs and checks; its summary has the fields that stay', async () => {
    const answer = succeeded(await fresh.run(...placing, '--json'));
    const summary = answer.last();
    for (const field of PULL_FIELDS) {
      assert.ok(field in summary, field);
    }
    const config = readFileSync(join(fresh.home, '.openclaw/openclaw.json'), 'utf8');
    assert.ok(config.includes(fresh.home) && !config.includes(old.home));
    const checklist = summary['checklist'] as { ok: boolean }[];
    assert.ok(checklist.length > 3 && checklist.every(({ ok }) => ok));
  });

  test('a second pull changes nothing; after a new turn it asks first', async () => {
    const again = succeeded(await fresh.run(...placing, '--json')).last();
    assert.equal(again['alreadyInPlace'], true);
    writeFileSync(join(fresh.home, '.openclaw/since.md'), 'a turn since');
    await fails(fresh, placing, { exit: 23, code: 'confirmation-needed' });
    const { stdout } = succeeded(await fresh.run(...placing, '--yes'));
    assert.match(stdout, /kept aside: .*\.openclaw\.before-stateferry-.* MiB\)/);
    assert.match(stdout, /to put back what was here before: stateferry undo openclaw$/m);
    assert.match(stdout, /to remove it for good: stateferry undo openclaw --discard$/m);
  });

  test('join, and the first push from there', async () => {
    const env = { STATEFERRY_RECOVERY_CODE: recoveryCode };
    succeeded(await fresh.runWith(env, 'join', repository, '--machine', 'new-mac'));
    succeeded(await fresh.run('push'));
    const { snapshots } = succeeded(
      await old.run('snapshots', '--json', '--install', 'openclaw@new-mac', ...withPassphrase),
    ).last();
    assert.equal((snapshots as unknown[]).length, 1);
  });

  test('now two installs: which one is meant must be said', async () => {
    await fails(fresh, [...placing, '--yes'], { exit: 4, code: 'install-ambiguous' });
  });

  test('import takes an archive of the old way', async () => {
    const archive = join(folder.path, 'old.tgz');
    const { exit } = await runProcess('tar', ['-czf', archive, '.openclaw'], {
      ...shell,
      cwd: old.home,
    });
    assert.equal(exit, 0);
    await fails(fresh, ['import', archive], { exit: 2, code: 'usage' });
    const args = ['import', archive, '--as', 'openclaw:old'];
    const summary = succeeded(await fresh.run(...args, '--json')).last();
    assert.equal(summary['home'], old.home);
    const { stdout } = succeeded(await fresh.run(...args));
    assert.ok(/^next: stateferry pull [0-9a-f]{8} -r '/m.test(stdout), stdout);
  });
});

describe('all along', () => {
  test('no secret is in settings, cache or anything that was said', async () => {
    let files = 0;
    for (const root of [old.settings, fresh.settings]) {
      for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
        const path = join(root, name);
        if (!statSync(path).isFile()) continue;
        files += 1;
        const text = readFileSync(path, 'latin1');
        assert.ok(!text.includes(PASSPHRASE) && !text.includes(recoveryCode), path);
        assert.ok(!text.includes('sample-gateway-token'), path);
      }
    }
    assert.ok(files >= 4);
    const answer = await old.run('push', '--json', '--verbose');
    assert.ok(!answer.stdout.includes('sample-gateway-token'));
  });

  for (const signals of [['SIGINT'], ['SIGTERM'], ['SIGINT', 'SIGTERM']] as const) {
    const asked = signals.join(' and at once ');
    test(`${asked} ends with 130 and an error as the last line`, async () => {
      const fifo = join(folder.path, `at-work-${signals.join('-')}`);
      await runProcess('mkfifo', [fifo], shell);
      const command = ['--passphrase-command', `echo yes > '${fifo}'; sleep 60`];
      const args = [MAIN, 'ls', 'latest', '--json', ...command];
      const env = { PATH: '/usr/bin:/bin', HOME: old.home, STATEFERRY_HOME: old.settings };
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
      const said = text(child.stdout);
      const exited = once(child, 'exit');
      // Opened for writing when the command runs: from here on the process waits for it.
      await readFile(fifo);
      for (const signal of signals) child.kill(signal);
      assert.deepEqual(await exited, [130, null]);
      const last: unknown = JSON.parse((await said).trimEnd().split('\n').at(-1) ?? '');
      assert.equal((last as { code: string }).code, 'interrupted');
    });
  }

  test('whoever stops reading early is no failure', async () => {
    const find = `'${process.execPath}' '${MAIN}' find '*' --passphrase-file '${old.passphraseFile}'`;
    const command = `{ ${find}; echo "exit $?" >&2; } | head -1`;
    const answer = await runProcess('/bin/sh', ['-c', command], {
      ...shell,
      env: { ...shell.env, HOME: old.home, STATEFERRY_HOME: old.settings },
    });
    assert.equal(answer.stdout.split('\n').length, 2);
    assert.equal(answer.stderr, 'exit 0\n');
  });
});

test('demo moves its sample', async () => {
  const demo = join(folder.path, 'demo');
  const summary = succeeded(await old.run('demo', '--folder', demo, '--json')).last();
  assert.equal((summary['product'] as { standIn: boolean }).standIn, true);
  const checklist = summary['checklist'] as { ok: boolean }[];
  assert.ok(checklist.length > 10 && checklist.every(({ ok }) => ok));
  await fails(old, ['demo', '--folder', demo], { exit: 2, code: 'usage' });
});
