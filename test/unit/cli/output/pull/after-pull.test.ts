/** What is left to do after a pull, in words; and which secrets have travelled, without any of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  adviceFor,
  afterPullLines,
  secretFor,
} from '../../../../../src/cli/output/pull/after-pull.ts';
import { paintFor } from '../../../../../src/cli/output/text/paint.ts';
import type { PullSummary } from '../../../../../src/cli/output/pull/summary.ts';

const summary = (parts: Partial<PullSummary>): PullSummary => ({
  verb: 'pull',
  snapshot: '0123456789abcdef',
  install: 'openclaw',
  files: 1,
  bytes: 1,
  bytesFetched: 1,
  placed: [],
  relocated: [],
  doctor: { ran: false, exit: null, findings: [] },
  checklist: [],
  undo: null,
  downtimeMs: 0,
  problems: [],
  requests: { put: 0, get: 0, head: 0, list: 0, delete: 0 },
  durationMs: 1,
  rssMaxBytes: 1,
  ...parts,
});
const lines = (parts: Partial<PullSummary>, verbose = false): string[] =>
  afterPullLines(summary(parts), { exit: 0, verbose, paint: paintFor(false) });

const warnings = [
  adviceFor({ kind: 'start-gateway', why: 'no service', command: 'openclaw gateway run' }),
  adviceFor({ kind: 'relink', channel: 'whatsapp', ageDays: 20 }),
  adviceFor({ kind: 'native-modules', folders: ['/home/bob/.openclaw/extensions/x'] }),
  adviceFor({ kind: 'service-variables', service: 'openclaw-gateway.service', names: ['A_KEY'] }),
  adviceFor({ kind: 'shell-variables', names: ['B_KEY'] }),
  adviceFor({ kind: 'tools', missing: [{ key: 'browser.executablePath', path: '/opt/chrome' }] }),
  adviceFor({ kind: 'open-modes', open: [{ path: '/home/bob/.openclaw', mode: '700' }] }),
  adviceFor({ kind: 'old-gateway', channels: ['telegram'] }),
];
test('one of a kind is one', () => {
  const one = (['device identities', 'keys in .env', 'WhatsApp logins'] as const).map((kind) =>
    secretFor({ kind, count: 1 }),
  );
  assert.match(
    lines({ secrets: one })[0] ?? '',
    /: 1 device identity, 1 key in \.env, 1 WhatsApp login \(/,
  );
});
const secrets = [secretFor({ kind: 'provider keys', count: 3 })];

test('each says what it is about and what to do', () => {
  const text = lines({ warnings }).join('\n');
  for (const word of [
    'Start it: openclaw gateway run',
    'whatsapp',
    '20 days',
    'extensions/x',
    'A_KEY',
    'B_KEY',
    '/opt/chrome',
    "chmod 700 '/home/bob/.openclaw'",
  ]) {
    assert.ok(text.includes(word), word);
  }
  assert.match(text, /must not be started again: telegram/);
  assert.equal(lines({ warnings: [...warnings, ...warnings] }).length, lines({ warnings }).length);
});

test('secrets are one short line, and with --verbose what to rotate', () => {
  const [short, ...more] = lines({ secrets });
  assert.match(short ?? '', /^secrets that travelled: 3 provider keys \(--verbose/);
  assert.deepEqual(more, []);
  assert.match(lines({ secrets }, true)[1] ?? '', /3 provider keys: make new ones/);
});

test('nothing is left to do of what was undone', () => {
  assert.deepEqual(lines({ warnings, secrets, undone: { pulled: [], putBack: [] } }), []);
});
