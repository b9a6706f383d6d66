import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { processLives } from '../../../src/gateway/running/processes.ts';
import { runProcess } from '../../../src/process/run.ts';
import { until } from '../../support/until.ts';
import { tempDir } from '../fs/temp-dir.ts';

const node = process.execPath;
const never = new AbortController().signal;
const script = (code: string): string[] => ['-e', code];

test('a process gets its arguments and environment as given, nothing inherited, no shell', async () => {
  const code = 'console.log(JSON.stringify([process.argv.slice(1), Object.keys(process.env)]))';
  const result = await runProcess(node, [...script(code), '$HOME; echo *'], {
    env: { ONLY: 'this' },
    timeoutMs: 20_000,
    signal: never,
  });
  assert.equal(result.exit, 0);
  assert.deepEqual(JSON.parse(result.stdout), [['$HOME; echo *'], ['ONLY']]);
});

test('exit codes, signals and both streams are answers', async () => {
  const options = { env: {}, timeoutMs: 20_000, signal: never };
  const failed = await runProcess(node, script('console.error("why"); process.exit(7)'), options);
  assert.deepEqual([failed.exit, failed.signal, failed.stderr], [7, null, 'why\n']);
  const killed = await runProcess(node, script('process.kill(process.pid, "SIGKILL")'), options);
  assert.deepEqual([killed.exit, killed.signal], [null, 'SIGKILL']);
});

test('stdin is closed at once, or holds what was given', async () => {
  const code = 'process.stdin.pipe(process.stdout)';
  const options = { env: {}, timeoutMs: 20_000, signal: never };
  assert.equal((await runProcess(node, script(code), options)).stdout, '');
  const fed = await runProcess(node, script(code), { ...options, stdin: 'words' });
  assert.equal(fed.stdout, 'words');
});

test('output beyond the limit is read and dropped', async () => {
  const code = 'process.stdout.write("x".repeat(300000), () => process.exit(3))';
  const result = await runProcess(node, script(code), {
    env: {},
    timeoutMs: 20_000,
    signal: never,
    outputBytesMax: 1_000,
  });
  assert.deepEqual([result.exit, result.stdout.length, result.truncated], [3, 1_000, true]);
});

test('a timeout ends the whole group', async (context) => {
  const fifo = join(tempDir(context), 'fifo');
  spawnSync('mkfifo', [fifo]);
  // Time does not pass before the shell has started its child.
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const family = ['-c', `sleep 600 & echo $! > '${fifo}'; wait`];
  const options = { env: { PATH: '/usr/bin:/bin' }, timeoutMs: 20_000, signal: never };
  const running = runProcess('/bin/sh', family, options);
  const child = Number(await readFile(fifo, 'utf8'));
  assert.ok(child > 1 && processLives(child));
  context.mock.timers.tick(20_000);
  assert.equal((await running).timedOut, true);
  context.mock.timers.reset();
  await until(() => !processLives(child));
});

test('an abort is told as an interruption, before and during the run', async () => {
  const interrupted = (error: unknown): boolean =>
    error instanceof FerryError && error.code === 'interrupted';
  const abort = new AbortController();
  const options = { env: {}, timeoutMs: 20_000, signal: abort.signal };
  const running = runProcess(node, script('setInterval(() => {}, 1000)'), options);
  abort.abort();
  await assert.rejects(running, interrupted);
  await assert.rejects(runProcess(node, script(''), options), interrupted);
});

test('a grandchild that keeps the pipes open does not keep us', async () => {
  const code = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit', detached: true });
    child.unref();
    console.log(child.pid);
    process.exit(0);
  `;
  const result = await runProcess(node, script(code), {
    env: {},
    timeoutMs: 30_000,
    signal: never,
  });
  assert.deepEqual([result.exit, result.timedOut], [0, false]);
  process.kill(Number(result.stdout), 'SIGKILL');
});

test('a command that is not there cannot be started', async () => {
  const options = { env: { PATH: '/nowhere' }, timeoutMs: 1_000, signal: never };
  await assert.rejects(
    runProcess('no-such-command', [], options),
    (error) => error instanceof FerryError && error.code === 'gateway-command',
  );
});
