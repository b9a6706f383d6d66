import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError, systemCode } from '../../../src/base/errors.ts';
import { runProcess } from '../../../src/process/run.ts';

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

/** Starts a grandchild that would live on, prints its pid, and waits. */
const FAMILY = `
  const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  console.log(child.pid);
  setInterval(() => {}, 1000);
`;

test('a timeout ends the whole group', async () => {
  const result = await runProcess(node, script(FAMILY), { env: {}, timeoutMs: 700, signal: never });
  assert.equal(result.timedOut, true);
  await gone(Number(result.stdout));
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

/** Resolves when no process has this id (a zombie of somebody else's counts as gone once it is reaped). */
async function gone(pid: number): Promise<void> {
  assert.ok(pid > 1);
  for (let left = 200; left > 0; left -= 1) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      assert.equal(systemCode(error), 'ESRCH');
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const stat = await import('node:fs').then((fs) => fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  assert.match(stat, /\) Z /, 'the grandchild lives');
}
