import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { bytePathFromText } from '../../../../src/base/byte-path.ts';
import { rootsOf } from '../../../../src/gateway/contents/roots.ts';
import type { RootsAnswer } from '../../../../src/gateway/contents/roots.ts';
import { discoverInstalls, inspect } from '../../../../src/gateway/discover/discover.ts';
import type { Inspected } from '../../../../src/gateway/discover/discover.ts';
import { locateIn } from '../../../../src/gateway/disk/locate.ts';
import { BRANDS } from '../../../../src/gateway/install/brands.ts';
import type { Install } from '../../../../src/gateway/install/install.ts';
import { pathMap } from '../../../../src/gateway/relocate/path-map.ts';
import { applyRelocation, planRelocation } from '../../../../src/gateway/relocate/relocate.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'roots-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const home = `${folder}/al`;
const state = `${home}/.openclaw`;
const signal = new AbortController().signal;

beforeEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text = 'x'): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const requestFor = (env: Record<string, string>) => ({ home, env, brands: BRANDS, uid: 0 });

const installs = (env: Record<string, string> = {}): Promise<Install[]> =>
  discoverInstalls(requestFor(env), signal);

async function look(
  name: string,
  env: Record<string, string> = {},
): Promise<Inspected & RootsAnswer> {
  const install = (await installs(env)).find((one) => one.install === name);
  assert.ok(install, `${name} is found`);
  const inspected = await inspect(install, requestFor(env), signal);
  return { ...inspected, ...rootsOf({ ...inspected, env }) };
}

const brief = (answer: RootsAnswer): unknown[] =>
  answer.roots.map((root) => [
    root.name,
    root.path,
    ...(root.only === undefined ? [] : [root.only]),
  ]);

test('everything outside the state dir is a root, each once, what lies in another is part of it', async () => {
  put(`${home}/ws/AGENTS.md`);
  put(`${home}/ws/nested/AGENTS.md`);
  put(`${home}/keys/telegram`);
  put(`${home}/keys/cert.pem`);
  put(`${home}/keys/not-ours`);
  put(`${home}/skills/a/SKILL.md`);
  put(`${state}/agents/main/agent/auth-profiles.json`);
  put(
    `${state}/openclaw.json`,
    `{ agents: { defaults: { workspace: '~/ws' }, list: [{ id: 'main' }, { id: 'b', workspace: '${home}/ws/nested' },
        { id: 'c', workspace: '${home}/gone' }] },
      skills: { load: { extraDirs: ['~/skills', '~/skills/a'] } },
      channels: { telegram: { tokenFile: '\${KEYS}/telegram' } },
      gateway: { tls: { certPath: '${home}/keys/cert.pem' } } }`,
  );
  put(`${state}/.env`, `KEYS=${home}/keys\n`);
  const answer = await look('openclaw');
  assert.deepEqual(brief(answer), [
    ['state', state],
    ['workspace', `${home}/ws`],
    ['data', `${home}/skills`],
    ['credentials', `${home}/keys`, ['cert.pem', 'telegram']],
  ]);
  assert.deepEqual(
    answer.notices.map((notice) => notice.code),
    ['path-missing', 'path-missing'],
  );
  assert.deepEqual(answer.roots[1]?.workspaces, ['nested']);
});

test('a workspace that is a link, or a state dir that is one, is read where it really lies', async () => {
  put(
    `${home}/elsewhere/state/openclaw.json`,
    `{ agents: { defaults: { workspace: '~/.openclaw/workspace' } } }`,
  );
  put(`${home}/elsewhere/ws/AGENTS.md`);
  symlinkSync(`${home}/elsewhere/state`, state);
  symlinkSync(`${home}/elsewhere/ws`, `${home}/elsewhere/state/workspace`);
  const { roots, install } = await look('openclaw');
  assert.deepEqual(
    roots.map((root) => [root.name, root.path, root.readFrom, root.aliases]),
    [
      ['state', state, `${home}/elsewhere/state`, [`${home}/elsewhere/state`]],
      ['workspace', `${home}/elsewhere/ws`, `${home}/elsewhere/ws`, [`${state}/workspace`]],
    ],
  );
  const bob = `${folder}/bob`;
  const plan = planRelocation({
    ...install,
    roots: roots.map((root) => ({ ...root, at: root.readFrom })),
    map: pathMap([{ from: home, to: bob }]),
    oldHome: home,
    newHome: bob,
  });
  assert.deepEqual(
    plan.edits.map((edit) => [edit.kind, edit.file, edit.to]),
    [['link', `${state}/workspace`, `${bob}/elsewhere/ws`]],
  );
  applyRelocation(plan);
  assert.equal(readlinkSync(`${home}/elsewhere/state/workspace`), `${bob}/elsewhere/ws`);
});

test('profiles: their workspace lies in the default state dir and is not lost', async () => {
  put(`${state}/openclaw.json`, '{}');
  put(`${state}/workspace/AGENTS.md`);
  put(`${state}/workspace-work/AGENTS.md`);
  put(`${state}/exec-approvals.json`);
  put(`${home}/.openclaw-work/openclaw.json`, '{}');
  put(`${home}/.openclaw-empty/notes`);
  assert.deepEqual(
    (await installs()).map((install) => install.install),
    ['openclaw', 'openclaw:work'],
  );
  assert.deepEqual(brief(await look('openclaw:work')), [
    ['state', `${home}/.openclaw-work`],
    ['workspace', `${state}/workspace-work`],
    ['shared', state, ['exec-approvals.json']],
  ]);
  assert.deepEqual(brief(await look('openclaw')), [['state', state]]);
});

test('custom places: state dir, config and includes from variables', async () => {
  const env = {
    OPENCLAW_STATE_DIR: `${folder}/srv/claw`,
    OPENCLAW_CONFIG_PATH: `${folder}/etc/claw.json`,
    OPENCLAW_GATEWAY_PORT: '4711',
  };
  put(`${folder}/etc/claw.json`, `{ $include: '../shared/base.json5' }`);
  put(
    `${folder}/shared/base.json5`,
    `{ agents: { defaults: { workspace: '${folder}/srv/claw/workspace' } } }`,
  );
  put(`${folder}/srv/claw/workspace/AGENTS.md`);
  const answer = await look('openclaw:claw', env);
  assert.equal(answer.install.port, 4711);
  assert.deepEqual(answer.install.why, [
    { source: 'variable', detail: 'OPENCLAW_STATE_DIR, OPENCLAW_CONFIG_PATH in this environment' },
  ]);
  assert.deepEqual(brief(answer), [
    ['state', `${folder}/srv/claw`],
    ['include', `${folder}/etc`, ['claw.json']],
    ['include-2', `${folder}/shared`, ['base.json5']],
  ]);
});

test('a service file tells of a state dir and of variables that only it holds', async () => {
  put(
    `${home}/.config/systemd/user/openclaw-gateway-work.service`,
    `[Service]\nEnvironment=HOME=${home}
Environment="OPENCLAW_STATE_DIR=${home}/deep/work" OPENCLAW_PROFILE=work\nEnvironment=OPENAI_API_KEY=sk-secret\n`,
  );
  put(
    `${home}/.config/systemd/user/openclaw-gateway-work.service.d/own.conf`,
    `[Service]\nEnvironment=GROQ_KEY=gsk\n`,
  );
  put(
    `${home}/deep/work/openclaw.json`,
    `{ gateway: { mode: 'remote', remote: { url: 'ws://far:1' } } }`,
  );
  const [install, ...others] = await installs();
  assert.ok(install);
  assert.deepEqual(others, []);
  assert.equal(install.install, 'openclaw:work');
  assert.deepEqual([install.mode, install.remoteUrl], ['remote', 'ws://far:1']);
  assert.equal(install.service?.name, 'openclaw-gateway-work.service');
  const notice = install.notices.find((one) => one.code === 'service-variables');
  assert.match(notice?.message ?? '', /GROQ_KEY, OPENAI_API_KEY/);
  assert.ok(!JSON.stringify(install).includes('sk-secret'));
});

test('January’s generation: the workspace is in the home itself', async () => {
  put(`${home}/.aipro/aipro.json`, '{}');
  put(`${home}/clawd/AGENTS.md`);
  assert.deepEqual(brief(await look('aipro')), [
    ['state', `${home}/.aipro`],
    ['workspace', `${home}/clawd`],
  ]);
});

test('a home as workspace is not taken whole', async () => {
  put(`${state}/openclaw.json`, `{ agents: { defaults: { workspace: '~' } } }`);
  put(`${home}/AGENTS.md`);
  put(`${home}/memory/a.md`);
  put(`${home}/holiday.mov`);
  const answer = await look('openclaw');
  assert.deepEqual(brief(answer), [
    ['state', state],
    ['workspace', home, ['AGENTS.md', 'memory']],
  ]);
  assert.ok(answer.notices.some((notice) => notice.code === 'root-too-broad'));
});

test('a path is located in the innermost root, by any of its names', () => {
  const at = (text: string) => bytePathFromText(text);
  const roots = [
    { path: at('/h/.openclaw'), aliases: [], at: at('/stage/state') },
    { path: at('/data/ws'), aliases: [at('/h/.openclaw/workspace')], at: at('/stage/ws') },
  ];
  assert.equal(locateIn(roots, '/h/.openclaw/a'), '/stage/state/a');
  assert.equal(locateIn(roots, '/h/.openclaw/workspace/b'), '/stage/ws/b');
  assert.equal(locateIn(roots, '/h/.openclaw-work'), undefined);
});
