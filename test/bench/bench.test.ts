/** The benchmark's own parts: what they measure with must be right before what they measure is believed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { FerryEvent } from '../../src/base/events.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { GRACE } from '../../src/maintenance/prune/prune-plan.ts';
import { prune } from '../../src/maintenance/prune/prune.ts';
import { findHoles, findRollbacks, readHistory } from '../../src/repository/history.ts';
import { openFolderStore } from '../../src/store/folder-store.ts';
import { engineFolder, NO_ABORT, openReader } from '../support/engine.ts';
import type { Cost } from './contestants.ts';
import { startCountingProxy } from './counting-proxy.ts';
import { makeCrowd } from './crowd.ts';
import { age, type DaysFigure } from './days.ts';
import { median, renderDays, renderTables } from './report.ts';
import type { Figure } from './round.ts';
import { seeded } from '../support/seeded.ts';
import { SECRET } from './tools.ts';
import { makeWorkload, WORKLOAD_NAMES, type Workload } from './workloads.ts';

const SCALE = 0.01;

describe('workloads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ferry-bench-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  // The config and the session indexes name the home, so both runs use the same one.
  const home = join(folder, 'home');
  const make = (name: Workload['name'], seed: number): Workload => {
    rmSync(home, { recursive: true, force: true });
    return makeWorkload(name, { home, seed, scale: SCALE });
  };

  for (const name of WORKLOAD_NAMES) {
    test(`${name}: one seed, the same bytes and times; another, other bytes`, () => {
      const first = digests(make(name, 1).stateDir);
      const again = digests(make(name, 1).stateDir);
      const other = digests(make(name, 2).stateDir);
      assert.ok(first.size > 8);
      assert.deepEqual(again, first);
      const same = [...first].filter(([path, digest]) => other.get(path) === digest);
      // The config has nothing random in it.
      assert.ok(same.length <= 1, `${same.length} files are the same`);
    });
  }

  test('gateway: a day changes what a day changes', () => {
    const workload = make('gateway', 1);
    const before = digests(workload.stateDir);
    workload.passDay?.();
    const now = digests(workload.stateDir);
    const changed = [...before].filter(([path, digest]) => now.get(path) !== digest);
    const databases = changed.filter(([path]) => path.endsWith('.sqlite'));
    assert.equal(databases.length, 4);
    assert.ok(now.size > before.size, 'new pictures');
    assert.ok(changed.length > 10 && changed.length < before.size / 2, `${changed.length} changed`);
  });

  test('gateway: the next day brings something else', () => {
    const workload = make('gateway', 1);
    const pictures = (): string[] =>
      [...digests(workload.stateDir).keys()].filter((path) => path.includes('/later/'));
    workload.passDay?.();
    const first = pictures();
    workload.passDay?.();
    assert.ok(first.length > 0 && pictures().length === 2 * first.length);
  });

  test('what is a day older is so to the second, with its content', () => {
    const place = join(folder, 'aged/below');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'object'), 'content');
    const { mtimeMs } = statSync(join(place, 'object'));
    age(join(folder, 'aged'), 2);
    const aged = statSync(join(place, 'object'));
    assert.ok(Math.abs(mtimeMs - aged.mtimeMs - 2 * 24 * 60 * 60 * 1000) < 1000);
    assert.equal(readFileSync(join(place, 'object'), 'utf8'), 'content');
  });
});

test('a crowd made cheaply is one that a reader believes: whole chains, and lists that name its packs', async (t) => {
  const folder = engineFolder(t);
  const crowd = await makeCrowd(folder);
  await crowd.grow(24, 12);
  await crowd.grow(2, 1);
  const store = await openFolderStore(folder);
  const secret = { with: 'passphrase', passphrase: SECRET } as const;
  const events: FerryEvent[] = [];
  const reader = await openReader(store, { secret, events });
  const emit = (event: FerryEvent): void => void events.push(event);
  const history = await readHistory(reader, emit, NO_ABORT);
  assert.deepEqual([history.snapshots.length, crowd.snapshots, crowd.packs], [26, 26, 13]);
  assert.deepEqual([...findHoles(history), ...findRollbacks(history, {})], []);
  const { plan } = await prune(
    { graceMs: GRACE.defaultMs, dryRun: {} },
    { repository: reader, random: systemRandom, emit },
    NO_ABORT,
  );
  assert.equal(plan.stored.filter(({ name }) => name.startsWith('packs/')).length, 13);
  assert.deepEqual([plan.snapshots, ...plan.young, ...plan.announce], [26]);
  assert.deepEqual(
    events.filter(({ type }) => type === 'problem' || type === 'notice'),
    [],
  );
});

describe('what stands before the server', () => {
  const body = seeded('wire').noise(300_000);
  const server = createServer((incoming, outgoing) => {
    const hash = createHash('sha256');
    incoming.on('data', (part: Buffer) => hash.update(part));
    incoming.on('end', () => outgoing.end(`${incoming.headers.host} ${hash.digest('hex')}`));
  });
  after(() => server.close());
  const start = async (): Promise<string> => {
    if (!server.listening) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const digest = createHash('sha256').update(body).digest('hex');

  test('the proxy counts requests by kind and bytes both ways, and keeps the Host header', async () => {
    const proxy = await startCountingProxy(await start());
    const answer = await send(proxy.endpoint, 'PUT', '/bucket/name', body);
    await send(proxy.endpoint, 'GET', '/bucket?list-type=2');
    await send(proxy.endpoint, 'GET', '/bucket/name');
    await send(proxy.endpoint, 'DELETE', '/bucket/name');
    assert.equal(answer, `${new URL(proxy.endpoint).host} ${digest}`);
    const { bytesDown, ...counted } = proxy.take();
    assert.deepEqual(counted, {
      put: 1,
      get: 1,
      head: 0,
      list: 1,
      delete: 1,
      bytesUp: body.length,
    });
    assert.ok(bytesDown >= answer.length * 4);
    assert.equal(proxy.take().put, 0);
    await proxy.close();
  });
});

describe('the table', () => {
  const figure = (tool: string, wallMs: number): Figure => ({
    tool,
    workload: 'gateway',
    operation: 'first push',
    wallMs,
    cpuMs: wallMs,
    rssMaxBytes: 2 ** 27,
    storedBytes: 2 ** 30,
  });

  test('shows medians and how many times ours the peer took', () => {
    const ours = [1000, 9000, 2000].map((wallMs) => figure('stateferry', wallMs));
    const page = renderTables([...ours, figure('restic', 5000)], []);
    assert.match(page, /\| first push \| stateferry \| 2\.00 \| 1\.00–9\.00 \| – \|/);
    assert.match(page, /\| first push \| restic \| 5\.00 \| 5\.00–5\.00 \| 2\.50 \|/);
  });

  test('of the days shows how many times our CPU time the peer took', () => {
    const cost = (cpuMs: number): Cost => ({ wallMs: cpuMs, cpuMs, rssMaxBytes: 2 ** 27 });
    const days = (tool: string, cpuMs: number): DaysFigure => ({
      tool,
      push: cost(60_000),
      tidy: cost(cpuMs),
      tidied: 6,
      deletedBytes: 2 ** 20,
      endBytes: 2 ** 30,
      settledBytes: 2 ** 29,
      check: cost(3000),
    });
    const page = renderDays([days('stateferry', 4000), days('restic', 10_000)]);
    assert.match(page, /\| restic \| 60\.00 \|  \| 6 \| 10\.00 \| 10\.00 \| 2\.50 \| 128 \|/);
    assert.match(page, /\| 1 \| 1024 \| 512 \| 3\.00 \| 128 \|$/);
  });

  test('the median of an even number is between the two', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5);
  });
});

function digests(folder: string): Map<string, string> {
  const files = globSync('**/*', { cwd: folder }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );
  return new Map(
    files.map((path) => {
      const hash = createHash('sha256').update(readFileSync(join(folder, path)));
      // A database's time is that of its last write.
      const time = path.endsWith('.sqlite') ? 0 : statSync(join(folder, path)).mtimeMs;
      return [path, `${hash.digest('hex')} ${time}`];
    }),
  );
}

function send(endpoint: string, method: string, path: string, body?: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(`${endpoint}${path}`, { method, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve(Buffer.concat(parts).toString()));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
