import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { BRANDS, findBrand } from '../../../src/gateway/brands.ts';
import {
  checkDoctor,
  checkLive,
  compareCounts,
  failedCritical,
  NOT_CHECKED,
} from '../../../src/gateway/checklist.ts';
import type { InstallCounts } from '../../../src/gateway/counts.ts';

const signal = new AbortController().signal;
const counts = (sessions: number, files = 3): InstallCounts => ({
  agents: [{ id: 'main', sessions, transcripts: sessions }],
  credentialFiles: 2,
  channels: ['whatsapp'],
  cronJobs: 1,
  workspaces: [{ path: '/old/ws', files }],
});

const failures = (least: InstallCounts, most: InstallCounts, found: InstallCounts, grown = false) =>
  failedCritical(
    compareCounts({ countsBefore: least, countsAfter: most }, found, (path) => path, grown),
  ).map((line) => line.check);

test('what was counted must be found; what grew during the capture may be either', () => {
  assert.deepEqual(failures(counts(5), counts(5), counts(5)), []);
  assert.deepEqual(failures(counts(5), counts(7), counts(6)), []);
  assert.deepEqual(failures(counts(5), counts(7), counts(4)), [
    'sessions of main',
    'transcripts of main',
  ]);
  assert.deepEqual(failures(counts(5), counts(5), counts(8)), [
    'sessions of main',
    'transcripts of main',
  ]);
  assert.deepEqual(failures(counts(5), counts(5), counts(8), true), []);
  assert.deepEqual(failures(counts(5), counts(5), counts(5, 2)), ['files in workspace /old/ws']);
  const lost = { ...counts(5), agents: [], channels: [], cronJobs: 0, credentialFiles: 0 };
  assert.equal(failures(counts(5), counts(5), lost).length, 5);
});

test('a gateway that nobody started is not checked, and not failed', async () => {
  const [brand] = BRANDS;
  assert.ok(brand);
  const request = { brand, stateDir: '/none', configPath: '/none/c', port: 1, env: {}, uid: 0 };
  const idle = await checkLive(request, false, signal);
  assert.deepEqual(
    idle.map((line) => [line.ok, line.found]),
    [
      [true, NOT_CHECKED],
      [true, NOT_CHECKED],
    ],
  );
  assert.deepEqual(
    (await checkLive(request, true, signal)).map((line) => line.ok),
    [false, false],
  );
});

test('the dashboard is a page, not any answer', async () => {
  const brand = findBrand(BRANDS, 'openclaw');
  assert.ok(brand);
  let type = 'text/html; charset=utf-8';
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': type }).end('x'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const request = { brand, stateDir: '/none', configPath: '/none/c', port, env: {}, uid: 0 };
  try {
    const up = await checkLive(request, true, signal);
    assert.deepEqual(failedCritical(up), []);
    type = 'application/json';
    const other = await checkLive(request, true, signal);
    assert.deepEqual(
      failedCritical(other).map((line) => line.check),
      ['dashboard opens'],
    );
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('a doctor that found missing transcripts, or never ended, fails its line', () => {
  const answer = {
    ran: true,
    exit: 0,
    timedOut: false,
    findings: [],
    integrity: [],
    durationMs: 1,
    output: '',
  };
  assert.equal(checkDoctor(answer).ok, true);
  assert.equal(checkDoctor({ ...answer, integrity: ['1/1 missing'] }).ok, false);
  assert.equal(checkDoctor({ ...answer, timedOut: true }).ok, false);
  assert.equal(checkDoctor(undefined).found, NOT_CHECKED);
});
