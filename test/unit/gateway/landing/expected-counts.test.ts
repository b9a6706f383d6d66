import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytePathFromText } from '../../../../src/base/byte-path.ts';
import type { SnapshotBody } from '../../../../src/format/snapshot.ts';
import type { InstallCounts } from '../../../../src/gateway/install/counts.ts';
import type { GatewayRecord } from '../../../../src/gateway/install/record.ts';
import { compareCounts } from '../../../../src/gateway/landing/checklist.ts';
import {
  besidePartial,
  expectedCounts,
  lostFiles,
} from '../../../../src/gateway/landing/expected-counts.ts';

const STATE = '/home/a/.openclaw';
const counts = (files: number, sessions = 3): InstallCounts => ({
  agents: [{ id: 'main', sessions, transcripts: sessions }],
  credentialFiles: 5,
  channels: [],
  cronJobs: 1,
  workspaces: [{ path: `${STATE}/workspace`, files }],
});

const record = (running: boolean, before: InstallCounts, after: InstallCounts): GatewayRecord => ({
  home: '/home/a',
  stateDir: STATE,
  configPath: `${STATE}/openclaw.json`,
  mode: 'local',
  port: 1,
  configVersion: null,
  cliVersion: null,
  running,
  agents: [
    {
      id: 'main',
      isDefault: true,
      workspace: `${STATE}/workspace`,
      agentDir: `${STATE}/agents/main/agent`,
      sessionsDir: `${STATE}/agents/main/sessions`,
    },
  ],
  channels: [],
  countsBefore: before,
  countsAfter: after,
  service: null,
  roots: [
    { name: 'state', kind: 'state', path: STATE, aliases: ['/data/a'], only: null },
    { name: 'shared', kind: 'shared', path: '/home/a', aliases: [], only: ['one.json', 'memory'] },
  ],
});

const failing = (one: GatewayRecord, lost: readonly string[], staged: InstallCounts): string[] =>
  compareCounts(expectedCounts(one, lost, staged), staged, (path) => path)
    .filter(({ ok }) => !ok)
    .map(({ check, expected, found }) => `${check}: ${expected}, ${found}`);

test('of an install at rest the counts are exact', () => {
  const still = record(false, counts(10), counts(10));
  assert.deepEqual(failing(still, [], counts(10)), []);
  assert.deepEqual(failing(still, [], counts(9)), [`files in workspace ${STATE}/workspace: 10, 9`]);
  assert.deepEqual(failing(still, [], counts(11)).length, 1);
});

test('keys of a running one may come and go between count and capture; sessions may not get lost', () => {
  const busy = record(true, counts(10, 3), counts(10, 4));
  assert.deepEqual(failing(busy, [], { ...counts(10, 3), credentialFiles: 4 }), []);
  assert.deepEqual(failing(busy, [], { ...counts(10, 4), credentialFiles: 7 }), []);
  assert.equal(failing(busy, [], counts(9, 4)).length, 1);
  assert.deepEqual(failing(busy, [], counts(10, 2)), [
    'sessions of main: 3 to 4, 2',
    'transcripts of main: 3 to 4, 2',
  ]);
});

test('what could not be read is not expected', () => {
  const still = record(false, counts(10), counts(10));
  const problems = [
    { path: 'state/credentials/secret.json', code: 'file-unreadable' },
    { path: 'state/agents/main/sessions/one.jsonl', code: 'file-unreadable' },
    { path: 'elsewhere/x', code: 'file-unreadable' },
  ];
  const lost = lostFiles(still, { problems } as unknown as SnapshotBody);
  assert.deepEqual(lost.slice(0, 2), [
    `${STATE}/credentials/secret.json`,
    '/data/a/credentials/secret.json',
  ]);
  assert.equal(lost.length, 4);
  const staged = { ...counts(10), credentialFiles: 4 };
  const fewer = { ...staged, agents: [{ id: 'main', sessions: 3, transcripts: 2 }] };
  assert.deepEqual(failing(still, lost, fewer), []);
  assert.equal(failing(still, [], fewer).length, 2);
});

test('beside the entries of a partial root nothing is counted, but roots are', () => {
  const isOmitted = besidePartial(
    [
      ['state', bytePathFromText('/home/b/.openclaw')],
      ['shared', bytePathFromText('/home/b')],
    ],
    record(false, counts(1), counts(1)),
  );
  const asked = (path: string, type: 'file' | 'dir' | 'start'): boolean =>
    isOmitted(bytePathFromText(path), type);
  assert.equal(asked('/home/b', 'start'), false);
  assert.equal(asked('/home/b/one.json', 'file'), false);
  assert.equal(asked('/home/b/memory/deep/x', 'file'), false);
  assert.equal(asked('/home/b/other.json', 'file'), true);
  assert.equal(asked('/home/b/.openclaw', 'dir'), true);
  assert.equal(asked('/home/b/.openclaw', 'start'), false);
  assert.equal(asked('/home/b/.openclaw/openclaw.json', 'file'), false);
  assert.equal(asked('/elsewhere', 'dir'), false);
});
