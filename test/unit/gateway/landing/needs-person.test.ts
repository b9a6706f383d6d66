/** What is left for a person, and what is not: nobody reads a list of things that are well. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../../../src/gateway/config/config-text.ts';
import { readFileIfAny } from '../../../../src/gateway/disk/read.ts';
import { BRANDS, findBrand } from '../../../../src/gateway/install/brands.ts';
import type { GatewayRecord } from '../../../../src/gateway/install/record.ts';
import { personNeeded, type PersonNeeded } from '../../../../src/gateway/landing/needs-person.ts';

const folder = mkdtempSync(join(tmpdir(), 'person-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const brand = findBrand(BRANDS, 'openclaw') ?? assert.fail();
const DAY_MS = 24 * 60 * 60 * 1000;
let states = 0;

type Given = {
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly config?: object;
  readonly environmentNames?: readonly string[];
  readonly ageDays?: number;
  readonly env?: Record<string, string>;
  /** Of the state dir, and of the config. */
  readonly modes?: readonly [number, number];
};

function needs(given: Given) {
  const { files = {}, config = {}, environmentNames, ageDays = 0, env = {} } = given;
  const [ofState, ofConfig] = given.modes ?? [0o700, 0o600];
  states += 1;
  const stateDir = join(folder, `state-${states}`);
  const all = { ...files, 'openclaw.json': JSON.stringify(config) };
  for (const [name, content] of Object.entries(all)) {
    const path = join(stateDir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  chmodSync(stateDir, ofState);
  chmodSync(join(stateDir, 'openclaw.json'), ofConfig);
  const counts = { agents: [], credentialFiles: 0, channels: [], cronJobs: 0, workspaces: [] };
  const record: GatewayRecord = {
    home: '/home/alice',
    stateDir: '/home/alice/.openclaw',
    configPath: '/home/alice/.openclaw/openclaw.json',
    mode: 'local',
    port: 1,
    configVersion: null,
    cliVersion: null,
    running: false,
    agents: [],
    channels: ['telegram'],
    countsBefore: counts,
    countsAfter: counts,
    service: environmentNames
      ? {
          kind: 'systemd',
          name: 'openclaw-gateway.service',
          environmentNames: [...environmentNames],
        }
      : null,
    roots: [],
  };
  return personNeeded({
    record,
    brand,
    home: folder,
    stateDir,
    config: loadConfig(join(stateDir, 'openclaw.json'), readFileIfAny),
    env: { PATH: '/usr/bin:/bin', ...env },
    ageMs: ageDays * DAY_MS,
    machine: { platform: 'linux', arch: 'x64' },
  });
}

const OLD_GATEWAY: PersonNeeded = { kind: 'old-gateway', channels: ['telegram'] };
const others = (given: Given): PersonNeeded[] =>
  needs(given).filter(({ kind }) => kind !== 'old-gateway');

test('always: the old gateway stays down; else nothing', () => {
  assert.deepEqual(needs({}), [OLD_GATEWAY]);
});

test('an old WhatsApp login', () => {
  const files = { 'credentials/whatsapp/default/creds.json': '{}' };
  assert.deepEqual(others({ files, ageDays: 3 }), []);
  assert.deepEqual(others({ files, ageDays: 20 }), [
    { kind: 'relink', channel: 'whatsapp', ageDays: 20 },
  ]);
  assert.deepEqual(others({ ageDays: 20 }), []);
});

test('compiled parts of plugins, when none of them is for this machine', () => {
  const elf = (machine: number): Buffer => {
    const head = Buffer.alloc(64);
    head.writeUInt32BE(0x7f454c46, 0);
    head.writeUInt16LE(machine, 18);
    return head;
  };
  const at = (name: string): string => `extensions/${name}/node_modules/x/build.node`;
  const found = others({
    files: {
      [at('for-arm')]: elf(0xb7),
      [at('for-both')]: elf(0xb7),
      'extensions/for-both/node_modules/x/prebuilds/linux-x64.node': elf(0x3e),
      'extensions/plain/index.js': '',
      [at('of-a-mac')]: Buffer.from('cffaedfe0c000001' + '00'.repeat(24), 'hex'),
      [at('odd')]: 'short',
    },
  });
  const [only] = found;
  assert.equal(found.length, 1);
  assert.ok(only?.kind === 'native-modules');
  assert.deepEqual(
    only.folders.map((path) => path.slice(path.lastIndexOf('/') + 1)),
    ['for-arm', 'odd', 'of-a-mac'],
  );
});

test('variables of the old service and the old shell, by name, if they are nowhere here', () => {
  const environmentNames = ['HOME', 'PATH', 'OPENCLAW_GATEWAY_TOKEN', 'OPENAI_API_KEY', 'KEPT_KEY'];
  const found = others({
    environmentNames,
    files: { '.env': 'KEPT_KEY=planted-secret\nOTHER=1\n' },
    config: { gateway: { auth: { token: '${SHELL_TOKEN}', extra: '${OTHER} ${FROM_HERE}' } } },
    env: { FROM_HERE: 'planted-secret', OPENAI_API_KEY: 'only in this shell' },
  });
  assert.deepEqual(found, [
    { kind: 'service-variables', service: 'openclaw-gateway.service', names: ['OPENAI_API_KEY'] },
    { kind: 'shell-variables', names: ['SHELL_TOKEN'] },
  ]);
  assert.ok(!JSON.stringify(found).includes('planted-secret'));
});

test('tools that the config names, by path or by name', () => {
  const servers = {
    here: { command: 'sh' },
    gone: { command: 'tool-of-the-old-machine' },
    path: { command: '/opt/homebrew/bin/mcp' },
    filled: { command: '${TOOL}' },
  };
  const [found, ...more] = others({
    config: { mcp: { servers }, browser: { executablePath: '/Applications/Chrome' } },
    env: { TOOL: 'x' },
  });
  assert.deepEqual(more, []);
  assert.ok(found?.kind === 'tools');
  assert.deepEqual(
    found.missing.map(({ key }) => key),
    ['mcp.servers.gone.command', 'mcp.servers.path.command', 'browser.executablePath'],
  );
});

test('what others may read, unless the folder around it keeps them out', () => {
  assert.deepEqual(others({ modes: [0o700, 0o644] }), []);
  const [need] = others({ modes: [0o755, 0o644] });
  const stateDir = join(folder, `state-${states}`);
  assert.deepEqual(need, {
    kind: 'open-modes',
    open: [
      { path: stateDir, mode: '700' },
      { path: join(stateDir, 'openclaw.json'), mode: '600' },
    ],
  });
});
