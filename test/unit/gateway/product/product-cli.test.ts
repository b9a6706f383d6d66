import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BRANDS, findBrand } from '../../../../src/gateway/install/brands.ts';
import { parseJsonOutput } from '../../../../src/gateway/product/answer.ts';
import {
  doctorAnswer,
  parseBoxes,
  withoutHarmless,
} from '../../../../src/gateway/product/doctor.ts';
import { commandOnPath } from '../../../../src/gateway/product/on-path.ts';
import { productEnv } from '../../../../src/gateway/product/product-cli.ts';
import { compareVersions, parseVersion } from '../../../../src/gateway/product/version.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('versions as three generations print them, and their order', () => {
  assert.equal(parseVersion('2026.1.24-3\n'), '2026.1.24-3');
  assert.equal(parseVersion('OpenClaw 2026.9.6 (eb377ac)'), '2026.9.6');
  assert.equal(parseVersion('command not found'), undefined);
  const ordered = [
    '2026.1.24-beta.2',
    '2026.1.24',
    '2026.1.24-3',
    '2026.3.2',
    '2026.9.6',
    '2026.10.1',
  ];
  for (const [at, version] of ordered.entries()) {
    for (const [other, compared] of ordered.entries()) {
      assert.equal(
        Math.sign(compareVersions(version, compared)),
        Math.sign(at - other),
        `${version} ${compared}`,
      );
    }
  }
});

test('the command is the first executable of the PATH', () => {
  writeFileSync(`${folder}/openclaw`, '');
  assert.equal(commandOnPath('openclaw', `relative:${folder}`), undefined);
  chmodSync(`${folder}/openclaw`, 0o755);
  assert.equal(commandOnPath('openclaw', `/nowhere:${folder}`), `${folder}/openclaw`);
});

test('every variable that could steer it elsewhere is replaced', () => {
  const brand = findBrand(BRANDS, 'openclaw');
  assert.ok(brand);
  const env = productEnv(
    brand,
    {
      PATH: '/bin',
      OPENCLAW_STATE_DIR: '/wrong',
      CLAWDBOT_STATE_DIR: '/wrong',
      OPENCLAW_HOME: '/wrong',
      OPENCLAW_PROFILE: 'w',
      KEY: 'k',
    },
    {
      home: '/h',
      stateDir: '/h/.openclaw',
      configPath: '/h/.openclaw/openclaw.json',
      profile: 'default',
    },
  );
  assert.deepEqual(env, {
    PATH: '/bin',
    KEY: 'k',
    HOME: '/h',
    OPENCLAW_STATE_DIR: '/h/.openclaw',
    OPENCLAW_CONFIG_PATH: '/h/.openclaw/openclaw.json',
    NO_COLOR: '1',
    TERM: 'dumb',
  });
});

test('a state dir of its own is no profile to the product, whatever we call it', () => {
  const brand = findBrand(BRANDS, 'openclaw');
  assert.ok(brand);
  const profileOf = (stateDir: string, profile: string): string | undefined => {
    const target = { home: '/h', stateDir, configPath: `${stateDir}/openclaw.json`, profile };
    return productEnv(brand, {}, target)['OPENCLAW_PROFILE'];
  };
  assert.equal(profileOf('/h/.openclaw-work', 'work'), 'work');
  assert.equal(profileOf('/srv/state', 'state'), undefined);
});

test('JSON is found behind warnings, and only JSON', () => {
  assert.deepEqual(parseJsonOutput('warning: [x]\n[plugins] loaded\n{"a": 1}\n'), { a: 1 });
  assert.deepEqual(parseJsonOutput('[\n {"id": "main"}\n]'), [{ id: 'main' }]);
  assert.equal(parseJsonOutput('Gateway not reachable.'), undefined);
});

const DOCTOR = `┌  OpenClaw doctor
│
◇  State integrity ─────────────────────────────────────╮
│                                                       │
│  - 1/1 recent sessions are missing transcripts.       │
│  - Main session transcript missing                    │
│    (/home/alice/.openclaw/a.jsonl). History will      │
│    appear to reset.                                   │
│                                                       │
├───────────────────────────────────────────────────────╯
│
◇  Security ──────────────────────────────╮
│  - No channel security warnings detected.  │
├──────────────────────────────────────────╯
└  Doctor complete.
`;

test('the doctor is read from its boxes, not from its exit code', () => {
  const result = {
    exit: 0,
    signal: null,
    stderr: '',
    durationMs: 1,
    timedOut: false,
    truncated: false,
  };
  const answer = doctorAnswer({ ...result, stdout: DOCTOR });
  assert.deepEqual(answer.integrity, [
    '1/1 recent sessions are missing transcripts.',
    'Main session transcript missing (/home/alice/.openclaw/a.jsonl). History will appear to reset.',
  ]);
  assert.deepEqual(
    parseBoxes(DOCTOR).map((box) => box.title),
    ['State integrity', 'Security'],
  );
  const harmless = DOCTOR.replace(
    /1\/1 recent[^]*?reset\./,
    'OAuth dir not present (~/.openclaw/credentials). Skipping create because no channel is active.',
  );
  assert.deepEqual(doctorAnswer({ ...result, stdout: harmless }).integrity, []);
  const inJanuary = DOCTOR.replace(
    /1\/1 recent[^]*?to reset\./,
    'CRITICAL: OAuth dir missing (~/.aipro/credentials).',
  );
  assert.deepEqual(doctorAnswer({ ...result, stdout: inJanuary }).integrity, []);
  const openModes = DOCTOR.replace(
    /1\/1 recent[^]*?to reset\./,
    'Config file is group/world readable (~/.openclaw/openclaw.json). Recommend chmod 600.',
  );
  assert.deepEqual(doctorAnswer({ ...result, stdout: openModes }).integrity, []);
});

test('transcripts that no session names are a finding only beside sessions that lost theirs', () => {
  const orphans =
    'Found 8 orphan transcript file(s) in ~/.openclaw/agents/main/sessions. They are not referenced by sessions.json.';
  const lost = '1/1 recent sessions are missing transcripts.';
  const oauth = 'OAuth dir not present (~/.openclaw/credentials). Skipping create.';
  assert.deepEqual(withoutHarmless([oauth, orphans]), []);
  assert.deepEqual(withoutHarmless([lost, orphans]), [lost, orphans]);
});

test('that a machine has several profiles is no finding; what else is said beside it is', () => {
  const box = [
    '◇  State integrity ────────────────────────────────────────────────────────╮',
    '│                                                                          │',
    '│  - Multiple state directories detected. This can split session history.  │',
    '│    - ~/.openclaw                                                         │',
    '│    - ~/.openclaw-dev                                                     │',
    '│    Active state dir: ~/.openclaw-work                                    │',
    '│  - Main session transcript missing (~/.openclaw-work/x.jsonl).           │',
    '├──────────────────────────────────────────────────────────────────────────╯',
  ].join('\n');
  const lines = parseBoxes(box).flatMap((one) => one.lines);
  assert.deepEqual(withoutHarmless(lines), [
    'Main session transcript missing (~/.openclaw-work/x.jsonl).',
  ]);
  assert.deepEqual(withoutHarmless(['~/.openclaw is too open']), ['~/.openclaw is too open']);
});
