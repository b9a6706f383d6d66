/** Secrets are counted by kind; no value and no name of one is in the answer. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { secretsInventory } from '../../../../src/gateway/contents/secrets-inventory.ts';

const folder = mkdtempSync(join(tmpdir(), 'inventory-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const put = (path: string, content: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
};
const profiles = JSON.stringify({
  profiles: {
    'planted-name': { type: 'api_key', key: 'planted-value' },
    other: { type: 'oauth', access: 'planted-value' },
  },
});
const config = {
  gateway: { auth: { token: 'planted-value' } },
  channels: {
    telegram: { botToken: 'planted-value' },
    discord: { token: '${DISCORD_TOKEN}' },
    slack: { accounts: { a: { botToken: 'planted-value', appToken: 'planted-value' } } },
  },
  models: { providers: { x: { apiKey: 'planted-value', baseUrl: 'https://x' } } },
  skills: { entries: { y: { apiKey: 'planted-value', clientSecret: '' } } },
};

test('an empty install has none', () => {
  const stateDir = join(folder, 'nothing');
  assert.deepEqual(secretsInventory({ stateDir, agentDirs: [], config: {} }), []);
});

test('files of January and March', () => {
  put('a/.env', 'DISCORD_TOKEN=planted-value\nEMPTY=\n');
  put('a/agents/main/agent/auth-profiles.json', profiles);
  put('a/agents/work/agent/auth-profiles.json', '{ damaged');
  put('a/credentials/whatsapp/default/creds.json', '{}');
  put('a/credentials/whatsapp/default/pre-key-1.json', '{}');
  put('a/credentials/telegram-allowFrom.json', '[]');
  put('a/credentials/github-copilot.token.json', '{}');
  put('a/credentials/oauth.json', '{}');
  put('a/identity/device.json', '{}');
  put('a/devices/paired.json', '{"planted-name":{},"b":{}}');
  const stateDir = join(folder, 'a');
  const agentDirs = ['main', 'work', 'work'].map((id) => `${stateDir}/agents/${id}/agent`);
  const found = secretsInventory({ stateDir, agentDirs, config });
  assert.deepEqual(Object.fromEntries(found.map(({ kind, count }) => [kind, count])), {
    'provider keys': 2,
    'provider logins': 2,
    'keys in .env': 1,
    'gateway tokens': 1,
    'channel tokens': 3,
    'WhatsApp logins': 1,
    'other channel logins': 1,
    'device identities': 1,
    'paired devices': 2,
    'stored secrets': 1,
  });
  assert.ok(!JSON.stringify(found).includes('planted'));
});

test('databases of September', () => {
  for (const path of ['b/state', 'b/agents/main/agent'])
    mkdirSync(join(folder, path), { recursive: true });
  const state = new DatabaseSync(join(folder, 'b/state/openclaw.sqlite'));
  state.exec(
    "CREATE TABLE device_identities (id); INSERT INTO device_identities VALUES ('x');" +
      "CREATE TABLE device_pairing_paired (id); INSERT INTO device_pairing_paired VALUES ('x'), ('y')",
  );
  state.close();
  const agent = new DatabaseSync(join(folder, 'b/agents/main/agent/openclaw-agent.sqlite'));
  agent.exec('CREATE TABLE auth_profile_store (store_key, store_json)');
  agent.prepare('INSERT INTO auth_profile_store VALUES (?, ?)').run('main', profiles);
  agent.close();
  const stateDir = join(folder, 'b');
  const agentDirs = [`${stateDir}/agents/main/agent`];
  assert.deepEqual(secretsInventory({ stateDir, agentDirs, config: {} }), [
    { kind: 'provider keys', count: 1 },
    { kind: 'provider logins', count: 1 },
    { kind: 'device identities', count: 1 },
    { kind: 'paired devices', count: 2 },
  ]);
});
