import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytePathFromText } from '../../../../src/base/byte-path.ts';
import { omitRules } from '../../../../src/gateway/contents/omit-rules.ts';
import type { EntryType } from '../../../../src/gateway/contents/omit-rules.ts';

const state = omitRules('state', [bytePathFromText('notes/mine')]);
const isOmitted = (path: string, type: EntryType = 'file'): boolean =>
  state.omissionFor(bytePathFromText(path), type) !== undefined;

test('what must never be left out is not', () => {
  const kept = [
    'openclaw.json',
    'openclaw.json.bak',
    'openclaw.json.bak.4',
    '.env',
    'credentials/whatsapp/default/pre-key-1.json',
    'agents/main/sessions/sessions.json',
    'agents/main/sessions/a.jsonl',
    'agents/main/sessions/a.jsonl.deleted.2026-01-01T00-00-00.000Z',
    'agents/main/sessions/cold/a.jsonl.zst',
    'agents/main/agent/openclaw-agent.sqlite',
    'agents/main/agent/openclaw-agent.sqlite-wal',
    'agents/main/qmd/index.sqlite',
    'memory/main.sqlite',
    'memory/lancedb/a.lance',
    'logs/gateway.log',
    'cron/runs/a.jsonl',
    'delivery-queue/1.json',
    'extensions/x/node_modules/y/package-lock.json',
    'extensions/x/Cargo.lock',
    'skills/a/cache.tmp',
    'workspace/notes.tmp',
    'workspace-work/package.json.lock',
    'notes/mine/scratch.tmp',
    'media/inbound/photo.tmp',
    'browser/openclaw/user-data/Default/Cookies',
    'config-journal-fingerprint.key',
  ];
  assert.deepEqual(
    kept.filter((path) => isOmitted(path)),
    [],
  );
});

test('locks, leftovers and what belongs to this machine are left out, each with a reason', () => {
  const omitted: readonly (readonly [string, EntryType])[] = [
    ['agents/main/sessions/a.jsonl.lock', 'file'],
    ['agents/main/sessions/sessions.json.lock', 'file'],
    ['agents/main/sessions/sessions.json.12.0f.tmp', 'file'],
    ['agents/main/agent/openclaw-agent.sqlite.reindex-lock.sqlite', 'file'],
    ['agents/main/agent/openclaw-agent.sqlite.generation-lock.sqlite', 'file'],
    ['agents/main/agent/openclaw-agent.sqlite.memory-reindex-1f-wal', 'file'],
    ['tmp', 'dir'],
    ['gateway.cmd', 'file'],
    ['plugin-skills', 'dir'],
    ['cache/control-ui-assets', 'dir'],
    ['browser/openclaw/user-data/SingletonLock', 'symlink'],
    ['browser/openclaw/user-data/Default/Cache', 'dir'],
    ['node.pid', 'file'],
  ];
  assert.deepEqual(
    omitted.filter(([path, type]) => !isOmitted(path, type)),
    [],
  );
});

test('sockets, pipes and devices are left out everywhere, ordinary files of a workspace nowhere', () => {
  const workspace = omitRules('workspace');
  for (const type of ['socket', 'fifo', 'block-device', 'character-device'] as const) {
    assert.ok(workspace.omissionFor(bytePathFromText('any'), type));
    assert.ok(isOmitted('workspace/deep/any', type));
  }
  for (const path of ['x.tmp', 'sessions.json.lock', 'tmp', 'a.pid']) {
    assert.equal(workspace.omissionFor(bytePathFromText(path), 'file'), undefined);
  }
});

test('an agent folder that lies elsewhere is judged as one', () => {
  const agent = omitRules('agent');
  assert.ok(agent.omissionFor(bytePathFromText('sessions.json.lock'), 'file'));
  assert.equal(agent.omissionFor(bytePathFromText('a.jsonl'), 'file'), undefined);
  assert.equal(agent.isSecret(bytePathFromText('auth-profiles.json'), false), true);
});

test('secrets are known by their place and by their name', () => {
  const secret = [
    'openclaw.json',
    'openclaw.json.bak.2',
    'channels.json5',
    '.env',
    'secrets.json',
    'credentials/whatsapp/default/creds.json',
    'agents/main/agent/auth-profiles.json',
    'agents/main/agent/models.json',
    'identity/device.json',
    'devices/paired.json',
    'nodes/paired.json',
    'exec-approvals.json',
    'gateway/tls/key.pem',
    'config-journal-fingerprint.key',
    'browser/p/user-data/Default/Cookies',
    'workspace/project/.env',
    'workspace/.ssh/config',
  ];
  const plain = [
    'agents/main/sessions/a.jsonl',
    'agents/main/sessions/sessions.json',
    'agents/main/agent/openclaw-agent.sqlite',
    'workspace/AGENTS.md',
    'workspace/package.json',
    'cron/jobs.json',
    'logs/gateway.log',
  ];
  assert.deepEqual(
    secret.filter((path) => !state.isSecret(bytePathFromText(path), false)),
    [],
  );
  assert.deepEqual(
    plain.filter((path) => state.isSecret(bytePathFromText(path), path.endsWith('.sqlite'))),
    [],
  );
  assert.equal(omitRules('credentials').isSecret(bytePathFromText('whatever'), false), true);
});
