/** The demo as a stranger runs it: nothing set up, and nothing outside its own folder touched. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProcess, type RunResult } from '../../src/process/run.ts';
import { STAND_IN_LABEL } from '../../src/gateway/sample/stand-in.ts';
import { MAIN } from '../support/cli-run.ts';

const parent = mkdtempSync(join(tmpdir(), 'demo-'));
after(() => rmSync(parent, { recursive: true, force: true }));

async function demo(
  name: string,
  ...args: string[]
): Promise<RunResult & { home: string; temporary: string }> {
  const [home, temporary] = [join(parent, name, 'home'), join(parent, name, 'tmp')];
  for (const folder of [home, temporary]) mkdirSync(folder, { recursive: true });
  const env = { PATH: '/usr/bin:/bin', HOME: home, TMPDIR: temporary, LANG: 'C.UTF-8' };
  const { signal } = new AbortController();
  const result = await runProcess(process.execPath, [MAIN, 'demo', ...args], {
    env,
    timeoutMs: 120_000,
    signal,
  });
  return { ...result, home, temporary };
}

test('it migrates the sample, checks it, and says who judged and where to look', async () => {
  const { exit, stdout, stderr, home, temporary } = await demo('words');
  assert.equal(exit, 0, stderr + stdout);
  const said = stdout + stderr;
  for (const verb of ['alice$ stateferry init', 'alice$ stateferry push', 'bob$ stateferry pull']) {
    assert.ok(stderr.includes(verb), verb);
  }
  assert.match(stdout, /ok {6}sessions of research +6\n/);
  assert.match(stdout, /ok {6}credential files +344\n/);
  assert.match(stdout, /ok {6}database intact/);
  assert.ok(!said.includes('FAILED'));
  assert.match(said, /stand-in plays it, and its doctor is not a real one/);
  assert.ok(!/The doctor was the real one/.test(said));
  assert.match(stdout, /look at it .*:\n {2}diff -rq /);
  assert.deepEqual(readdirSync(home), [], 'the home of whoever runs it stays as it is');
  const [folder, ...others] = readdirSync(temporary).filter((name) =>
    name.startsWith('stateferry-demo-'),
  );
  assert.ok(folder);
  assert.deepEqual(others, []);
  assert.equal(statSync(join(temporary, folder)).mode & 0o777, 0o700);
  const old = join(temporary, folder, 'old-machine/home/alice');
  const now = join(temporary, folder, 'new-machine/home/bob');
  assert.ok(existsSync(join(old, '.openclaw/openclaw.json')), 'both are left to be looked at');
  const config = readFileSync(join(now, '.openclaw/openclaw.json'), 'utf8');
  assert.ok(config.includes(now) && !config.includes(old));
  assert.match(
    readFileSync(join(temporary, folder, 'bin/openclaw'), 'utf8'),
    new RegExp(STAND_IN_LABEL),
  );
});

test('as JSON, into a folder that is named; settings of whoever runs it stay as they are', async () => {
  const folder = join(parent, 'named');
  const settings = join(parent, 'json/home/.config/stateferry');
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, 'settings.json'), '{ damaged');
  const { exit, stdout, stderr } = await demo('json', '--folder', folder, '--json');
  assert.equal(exit, 0, stderr);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const summary = lines.at(-1) ?? {};
  assert.deepEqual([summary['type'], summary['verb'], summary['ok']], ['summary', 'demo', true]);
  assert.deepEqual(summary['product'], { standIn: true, version: 'stand-in' });
  assert.ok((summary['checklist'] as { ok: boolean }[]).every(({ ok }) => ok));
  assert.ok((summary['edits'] as number) > 20);
  assert.ok(existsSync(join(folder, 'repository/stateferry.json')));
  assert.deepEqual(readdirSync(settings), ['settings.json']);
  const again = await demo('json', '--folder', folder);
  assert.equal(again.exit, 2);
  assert.match(again.stderr, /hint: Name a new one/);
});

test('a product that the sample does not fit is refused before anything is fetched', async () => {
  const { exit, stderr, temporary } = await demo('refused', '--real', 'left-pad@1.0.0');
  assert.equal(exit, 2);
  assert.match(stderr, /demo --real cannot use left-pad/);
  assert.ok(existsSync(temporary));
});
