import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, beforeEach, test } from 'node:test';
import { bytePathFromText } from '../../../../src/base/byte-path.ts';
import { countDatabaseJobs } from '../../../../src/gateway/contents/cron-jobs.ts';
import { pathMap } from '../../../../src/gateway/relocate/path-map.ts';
import { applyRelocation, planRelocation } from '../../../../src/gateway/relocate/relocate.ts';
import { editsPerFile } from '../../../../src/gateway/relocate/relocation.ts';
import type {
  RelocationPlan,
  RelocationRequest,
} from '../../../../src/gateway/relocate/relocation.ts';

const stage = mkdtempSync(join(tmpdir(), 'relocate-'));
after(() => rmSync(stage, { recursive: true, force: true }));
beforeEach(() => rmSync(stage, { recursive: true, force: true }));

const request: RelocationRequest = {
  roots: [
    {
      path: bytePathFromText('/home/al/.openclaw'),
      aliases: [],
      at: bytePathFromText(`${stage}/state`),
    },
    { path: bytePathFromText('/srv/ws'), aliases: [], at: bytePathFromText(`${stage}/workspace`) },
  ],
  map: pathMap([
    { from: '/srv/ws', to: '/data/ws' },
    { from: '/home/al', to: '/home/bob' },
  ]),
  oldHome: '/home/al',
  newHome: '/home/bob',
  stateDir: '/home/al/.openclaw',
  configPath: '/home/al/.openclaw/openclaw.json',
  agents: [{ id: 'main', sessionsDir: '/home/al/.openclaw/agents/main/sessions' }],
};

function put(path: string, text: string): void {
  mkdirSync(dirname(`${stage}/${path}`), { recursive: true });
  writeFileSync(`${stage}/${path}`, text);
}

const read = (path: string): string => readFileSync(`${stage}/${path}`, 'utf8');
const edits = (plan: RelocationPlan): unknown[] => plan.edits.map((edit) => [edit.where, edit.to]);

test('only path-bearing keys move; comments, ~, ${VAR}, quotes and neighbours stay', () => {
  put(
    'state/openclaw.json',
    `// /home/al is the old home
{
  agents: {
    defaults: { workspace: "~/.openclaw/workspace", /* stays */
      sandbox: { docker: { binds: ['/home/al/x:/x:ro', 'C:\\\\y:/y'] } } },
    list: [
      { id: 'main', workspace: '/srv/ws', agentDir: '/home/alice/elsewhere', name: '/home/al' },
      { id: 'b', workspace: '~/../../srv/ws', },
    ],
  },
  session: { store: '\${HOME}/.openclaw/agents/{agentId}/sessions/sessions.json' },
  logging: { file: '/home/al/oc.log' },
  channels: { telegram: { botToken: '/home/al/no-path' } },
  plugins: { entries: { lance: { config: { dbPath: "/home/al/lance", deep: { more: ['/srv/ws/x'] }, n: 1 } } } },
  "$include": "./more.json5",
}
`,
  );
  put(
    'state/more.json5',
    `{ cron: { store: '\${CRON_DIR}/jobs.json' }, hooks: { transformsDir: '/srv/ws/hooks' } }`,
  );
  put('state/.env', 'CRON_DIR=/home/al/cron\n');
  const original = read('state/openclaw.json');
  const plan = planRelocation(request);
  assert.deepEqual(edits(plan), [
    ['agents.defaults.sandbox.docker.binds.0', '/home/bob/x:/x:ro'],
    ['agents.list.0.workspace', '/data/ws'],
    ['logging.file', '/home/bob/oc.log'],
    ['plugins.entries.lance.config.dbPath', '/home/bob/lance'],
    ['plugins.entries.lance.config.deep.more.0', '/data/ws/x'],
    ['cron.store', '/home/bob/cron/jobs.json'],
    ['hooks.transformsDir', '/data/ws/hooks'],
  ]);
  assert.deepEqual(
    plan.notices.map((notice) => notice.code),
    ['path-not-moved', 'path-not-moved', 'variable-holds-old-path', 'variable-not-moved'],
  );
  assert.equal(read('state/openclaw.json'), original, 'a plan changes nothing');
  applyRelocation(plan);
  const expected = original
    .replace("'/home/al/x:/x:ro'", "'/home/bob/x:/x:ro'")
    .replace("'/srv/ws'", "'/data/ws'")
    .replace("'/home/al/oc.log'", "'/home/bob/oc.log'")
    .replace('"/home/al/lance"', '"/home/bob/lance"')
    .replace("'/srv/ws/x'", "'/data/ws/x'");
  assert.equal(read('state/openclaw.json'), expected);
  assert.equal(
    read('state/more.json5'),
    `{ cron: { store: '/home/bob/cron/jobs.json' }, hooks: { transformsDir: '/data/ws/hooks' } }`,
  );
});

test('~ becomes explicit where it would point elsewhere', () => {
  put('state/openclaw.json', `{"agents": {"defaults": {"workspace": "~/ws"}}}`);
  const map = pathMap([
    { from: '/home/al/ws', to: '/data/al' },
    { from: '/home/al', to: '/home/bob' },
  ]);
  assert.deepEqual(edits(planRelocation({ ...request, map })), [
    ['agents.defaults.workspace', '/data/al'],
  ]);
});

test('~\\x of a POSIX machine is beside its home: it stays as written, and is not nailed to the old home', () => {
  put('state/openclaw.json', String.raw`{"agents": {"defaults": {"workspace": "~\\ws"}}}`);
  assert.deepEqual(edits(planRelocation(request)), []);
});

test('every session index moves; mode and times stay; strays find their transcript again', () => {
  put('state/openclaw.json', '{}');
  const index = (agent: string): string =>
    JSON.stringify({
      [`agent:${agent}:main`]: {
        sessionId: 'a',
        sessionFile: `/home/al/.openclaw/agents/${agent}/sessions/a.jsonl`,
        skillsSnapshot: {
          resolvedSkills: [{ filePath: '/home/al/npm/x', sessionFile: '/home/al/no' }],
        },
      },
      relative: { sessionId: 'b', sessionFile: 'b.jsonl' },
      none: { sessionId: 'c' },
      stray: { sessionId: 'd', sessionFile: '/Users/older/.openclaw/agents/main/sessions/d.jsonl' },
      gone: { sessionId: 'e', sessionFile: '/Users/older/e.jsonl' },
    });
  for (const agent of ['main', 'left']) {
    put(`state/agents/${agent}/sessions/sessions.json`, index(agent));
    put(`state/agents/${agent}/sessions/d.jsonl`, '');
  }
  const path = `${stage}/state/agents/main/sessions/sessions.json`;
  utimesSync(path, 1_000, 2_000);
  const plan = planRelocation(request);
  const at = (agent: string, name: string): string =>
    `/home/bob/.openclaw/agents/${agent}/sessions/${name}`;
  assert.deepEqual(edits(plan), [
    ['agent:main:main.sessionFile', at('main', 'a.jsonl')],
    ['stray.sessionFile', at('main', 'd.jsonl')],
    ['agent:left:main.sessionFile', at('left', 'a.jsonl')],
    ['stray.sessionFile', at('left', 'd.jsonl')],
  ]);
  applyRelocation(plan);
  const value = JSON.parse(read('state/agents/main/sessions/sessions.json')) as Record<
    string,
    { sessionFile?: string }
  >;
  assert.equal(value['agent:main:main']?.sessionFile, at('main', 'a.jsonl'));
  assert.equal(value['gone']?.sessionFile, '/Users/older/e.jsonl');
  assert.equal(statSync(path).mtimeMs, 2_000_000);
});

test('a damaged index is told and does not stop the rest', () => {
  put('state/openclaw.json', `{"logging": {"file": "/home/al/x"}}`);
  put('state/agents/main/sessions/sessions.json', '{"a": {"sessionFile": "/home/al');
  const plan = planRelocation(request);
  assert.equal(plan.edits.length, 1);
  assert.deepEqual(
    plan.notices.map((notice) => notice.code),
    ['index-damaged'],
  );
});

test('a damaged database is told and does not stop the rest', () => {
  put('state/openclaw.json', `{"logging": {"file": "/home/al/x"}}`);
  put('state/state/openclaw.sqlite', 'no database at all');
  const plan = planRelocation(request);
  assert.equal(plan.edits.length, 1);
  assert.deepEqual(
    plan.notices.map((notice) => notice.code),
    ['database-damaged'],
  );
});

test('the scheduler’s rows follow, no other table changes, no -wal is left', () => {
  put('state/openclaw.json', '{}');
  mkdirSync(`${stage}/state/state`, { recursive: true });
  const path = `${stage}/state/state/openclaw.sqlite`;
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE cron_jobs (store_key TEXT NOT NULL, job_id TEXT, PRIMARY KEY (store_key, job_id)) STRICT;
    CREATE TABLE mcp_oauth_stores (store_key TEXT);
    INSERT INTO cron_jobs VALUES ('/home/al/.openclaw/cron/jobs.json', '1'), ('/home/al/.openclaw/cron/jobs.json', '2');
    INSERT INTO mcp_oauth_stores VALUES ('/home/al/x');`);
  database.close();
  const plan = planRelocation(request);
  const to = '/home/bob/.openclaw/cron/jobs.json';
  assert.deepEqual(edits(plan), [['cron_jobs.store_key', to]]);
  applyRelocation(plan);
  assert.equal(countDatabaseJobs(bytePathFromText(path), to), 2);
  assert.equal(statSync(`${path}-wal`, { throwIfNoEntry: false }), undefined);
  const again = new DatabaseSync(path, { readOnly: true });
  assert.equal(
    again.prepare('SELECT store_key AS k FROM mcp_oauth_stores').get()?.['k'],
    '/home/al/x',
  );
  again.close();
});

test('an install of a Windows or a Mac machine is understood as text', () => {
  const olds = [
    { home: 'C:\\Users\\Al', slash: '\\' },
    { home: '/Users/al', slash: '/' },
  ];
  for (const { home, slash } of olds) {
    rmSync(stage, { recursive: true, force: true });
    const state = [home, '.openclaw'].join(slash);
    const below = (...names: string[]): string => [state, ...names].join(slash);
    const isWindows = slash === '\\';
    const spelled = isWindows ? 'c:/users/al/notes' : '/Users/al/notes';
    put(
      'state/openclaw.json',
      JSON.stringify({
        $include: isWindows ? '.\\more.json' : './more.json',
        agents: { defaults: { workspace: below('workspace') } },
        skills: { load: { extraDirs: [spelled, `${home}ice`, `~${slash}kept`] } },
      }),
    );
    put('state/more.json', JSON.stringify({ logging: { file: `${home}${slash}oc.log` } }));
    const sessionFile = below('agents', 'main', 'sessions', 'a.jsonl');
    put('state/agents/main/sessions/sessions.json', JSON.stringify({ a: { sessionFile } }));
    const plan = planRelocation({
      roots: [
        {
          path: bytePathFromText(state),
          aliases: [],
          at: bytePathFromText(`${stage}/state`),
        },
      ],
      map: pathMap([{ from: home, to: '/home/bob' }]),
      oldHome: home,
      newHome: '/home/bob',
      stateDir: state,
      configPath: below('openclaw.json'),
      agents: [{ id: 'main', sessionsDir: below('agents', 'main', 'sessions') }],
    });
    assert.deepEqual(
      edits(plan),
      [
        ['agents.defaults.workspace', '/home/bob/.openclaw/workspace'],
        ['skills.load.extraDirs.0', '/home/bob/notes'],
        ...(isWindows ? [['skills.load.extraDirs.2', '~/kept']] : []),
        ['logging.file', '/home/bob/oc.log'],
        ['a.sessionFile', '/home/bob/.openclaw/agents/main/sessions/a.jsonl'],
      ],
      home,
    );
    assert.deepEqual(plan.notices, [], home);
  }
});

test('an edit says where it is: file, key, line', () => {
  put('state/openclaw.json', `{\n  // one\n  "logging": {\n    "file": "/home/al/x" } }`);
  const [file, ...others] = editsPerFile(planRelocation(request));
  assert.deepEqual(others, []);
  assert.deepEqual(file, {
    file: '/home/al/.openclaw/openclaw.json',
    edits: 1,
    changes: [{ where: 'logging.file', line: 4, from: '/home/al/x', to: '/home/bob/x' }],
  });
});

test('what a variable of .env holds is told and never shown', () => {
  put('state/openclaw.json', '{}');
  put('state/.env', 'KEY=/home/al/secret-in-a-path\nOTHER=sk-1234\nELSE=/home/alice/x\n');
  const { edits: none, notices } = planRelocation(request);
  assert.deepEqual(none, []);
  assert.deepEqual(
    notices.map(({ code }) => code),
    ['variable-not-moved'],
  );
  assert.match(notices[0]?.message ?? '', /^KEY in \/home\/al\/\.openclaw\/\.env holds a path/);
  assert.ok(!JSON.stringify(notices).includes('secret-in-a-path'));
});
