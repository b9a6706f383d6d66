import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BRANDS, findBrand } from '../../../../src/gateway/install/brands.ts';
import { isRunning, lockFiles } from '../../../../src/gateway/running/running.ts';
import type { RunningInput } from '../../../../src/gateway/running/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'running-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const brand = findBrand(BRANDS, 'openclaw');
assert.ok(brand);
const configPath = `${folder}/state/openclaw.json`;
const hash = createHash('sha256').update(configPath).digest('hex').slice(0, 8);
const input: RunningInput = {
  brand,
  stateDir: `${folder}/state`,
  configPath,
  port: 1,
  env: { TMPDIR: `${folder}/tmp` },
  uid: 4242,
  signal: new AbortController().signal,
};
const startTime = (pid: string): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
};

function lock(path: string, content: unknown): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

const inTmp = `${folder}/tmp/openclaw-4242/gateway.${hash}.lock`;
const inState = `${folder}/state/tmp/openclaw-4242/gateway.state.lock`;

test('nothing there is not running', async () => {
  assert.deepEqual(await isRunning(input), {
    running: false,
    pid: undefined,
    portOpen: false,
    heldBy: undefined,
    why: 'no lock, port closed',
  });
});

test('a service may have another temporary folder than whoever asks', () => {
  const inService = `${folder}/service/openclaw-4242/gateway.${hash}.lock`;
  assert.ok(!lockFiles(input).includes(inService));
  assert.ok(lockFiles({ ...input, serviceTmpdir: `${folder}/service/` }).includes(inService));
});

test('a lock counts only if its process lives, is as old as it says, and is a gateway', async () => {
  const isLinux = process.platform === 'linux';
  const cases: readonly (readonly [string, unknown, boolean])[] = [
    ['dead', { pid: 2 ** 22 - 1, startTime: 1 }, false],
    ['another process with that id', { pid: process.pid, startTime: 1 }, !isLinux],
    ['half written', '{"pid": 1', false],
    ['no lock at all', '[]', false],
  ];
  for (const [what, content, expected] of cases) {
    lock(inTmp, content);
    assert.equal((await isRunning(input)).running, expected, what);
  }
  if (!isLinux) return;
  const asNode = { ...input, brand: { ...brand, command: 'node' } };
  lock(inTmp, { pid: process.pid, startTime: startTime('self') });
  assert.deepEqual((await isRunning(asNode)).pid, process.pid);
  rmSync(inTmp);
  lock(inState, { pid: process.pid, startTime: startTime('self') });
  assert.deepEqual((await isRunning(asNode)).pid, process.pid);
  const other = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    lock(inState, { pid: other.pid, startTime: startTime(String(other.pid)) });
    assert.equal((await isRunning(input)).running, false, 'no gateway');
  } finally {
    other.kill('SIGKILL');
    rmSync(inState);
  }
});

test('a port of which another install has a lock is that of its gateway', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const other = `${folder}/other.json`;
    writeFileSync(other, `{ gateway: { port: ${port} } }`);
    const path = `${folder}/tmp/openclaw-4242/gateway.0badc0de.lock`;
    lock(path, { pid: process.pid, configPath: other });
    const asNode = { ...input, port, brand: { ...brand, command: 'node' } };
    const shared = await isRunning(asNode);
    assert.deepEqual([shared.running, shared.portOpen], [false, true]);
    assert.match(shared.heldBy ?? '', /other\.json/);
    rmSync(path);
  } finally {
    server.close();
  }
});
