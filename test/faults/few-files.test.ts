/** A process that may open no more files says so; it takes nothing for unreadable, damaged, or not there. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { runProcess } from '../../src/process/run.ts';
import { asRecord, makeFolder, makeMachine, MAIN, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
after(() => folder.remove());
const { signal } = new AbortController();

const CHILD = join(import.meta.dirname, '../support/few-files-child.ts');
/** More than any of it needs at once. */
const PLENTY = 40;
const FREES = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, PLENTY];

/** Of the process and of whatever it starts, whoever may raise it. */
const withLimit = (files: number, args: readonly string[], env: Readonly<Record<string, string>>) =>
  runProcess(
    '/bin/sh',
    ['-c', 'ulimit -n "$0" && exec "$@"', String(files), process.execPath, ...args],
    { env: { PATH: '/usr/bin:/bin', TMPDIR: folder.path, ...env }, timeoutMs: 120_000, signal },
  );

test('whatever opens files is done, or says that the limit is reached', async () => {
  const place = join(folder.path, 'parts');
  mkdirSync(place);
  const { stdout, stderr } = await withLimit(128, [CHILD, place, ...FREES.map(String)], {});
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => asRecord(JSON.parse(line)));
  assert.deepEqual(
    answers.map(({ free }) => free),
    FREES,
    stderr,
  );
  for (const answer of answers) {
    const { free } = answer;
    const said = Object.entries(asRecord(answer['said']));
    assert.equal(said.length, 11);
    for (const [what, outcome] of said) {
      const where = `${what} with ${String(free)} left: ${JSON.stringify(outcome)}`;
      if (free !== PLENTY && outcome === 'open-files-limit') continue;
      assert.ok(outcome === 'done' && free !== 0, where);
    }
  }
});

test('a push is whole or says so, and the next one is whole', async () => {
  const alice = makeMachine(folder.path, 'alice');
  writeSample({ home: alice.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  const repository = join(folder.path, 'repository');
  const secret = ['--passphrase-file', alice.passphraseFile];
  succeeded(await alice.run('init', repository, '--kit', join(folder.path, 'kit'), ...secret));
  const env = { HOME: alice.home, STATEFERRY_HOME: alice.settings };
  const refused: number[] = [];
  for (let limit = 24; ; limit += 2) {
    assert.ok(limit <= 128, 'never enough');
    const ended = await withLimit(limit, [MAIN, 'push', '--json'], env);
    const last = ended.stdout.trim().split('\n').at(-1) ?? '';
    // Node itself, or its reading of our code, got no further.
    if (!last.startsWith('{"type":"error"') && ended.exit !== 0) continue;
    if (ended.exit === 0) break;
    const { code, hint } = asRecord(JSON.parse(last));
    assert.deepEqual([ended.exit, code], [2, 'open-files-limit'], `${limit}: ${last}`);
    assert.match(String(hint), /ulimit -n/);
    refused.push(limit);
  }
  assert.ok(refused.length > 0);
  const { snapshots } = succeeded(await alice.run('push', '--json')).last();
  const [pushed] = snapshots as { problems: unknown[]; files: number }[];
  assert.deepEqual(pushed?.problems, []);
  const listed = succeeded(await alice.run('snapshots', '--json', ...secret)).last();
  const files = (listed['snapshots'] as { files: number }[]).map((one) => one.files);
  assert.ok(files.length >= 2 && files.every((count) => count === pushed.files), String(files));
});
