/** npx and npm run change what a command of somebody else would see. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { callersOwn } from '../../../src/settings/callers-own.ts';
import { commandOnPath } from '../../../src/gateway/product/on-path.ts';

const folder = mkdtempSync(join(tmpdir(), 'callers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const GYP = '/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin';
const NPX = '/home/bob/.npm/_npx/0123abcd/node_modules/.bin';

test('without npm nothing is taken away, whatever it is called', () => {
  const own = {
    PATH: `/work/node_modules/.bin:${GYP}:/usr/bin`,
    NODE: '/usr/bin/node',
    COLOR: '1',
  };
  assert.deepEqual(callersOwn(own), own);
});

test('what npx added goes, the caller’s own stays', () => {
  const shell = '/home/bob/project/node_modules/.bin:/usr/local/bin:/usr/bin';
  const before = { HOME: '/home/bob', PATH: shell, NODE_OPTIONS: '--max-old-space-size=512' };
  const during = {
    ...before,
    PATH: `${NPX}:/home/bob/node_modules/.bin:/home/node_modules/.bin:${GYP}:${shell}`,
    NODE: '/usr/bin/node',
    INIT_CWD: '/home/bob',
    COLOR: '0',
    npm_command: 'exec',
    npm_execpath: '/usr/lib/node_modules/npm/bin/npm-cli.js',
    npm_config_user_agent: 'npm/11.19.1',
    npm_config_node_options: '--no-warnings',
  };
  assert.deepEqual(callersOwn(during), before);
  const set = { ...during, NODE_OPTIONS: '--no-warnings' };
  assert.equal(callersOwn(set)['NODE_OPTIONS'], undefined);
  const inScript = { ...during, PATH: `/opt/mine:${during.PATH}` };
  assert.equal(callersOwn(inScript)['PATH'], `/opt/mine:${shell}`);
});

test('started by the npm that is here, a product finds the Node that it has without us', () => {
  const [project, own] = [join(folder, 'project'), join(folder, 'own')];
  const bin = join(project, 'node_modules/.bin');
  for (const at of [bin, own]) {
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'acmeclaw'), '#!/bin/sh\n');
    chmodSync(join(at, 'acmeclaw'), 0o755);
  }
  writeFileSync(join(project, 'package.json'), '{"name":"x","version":"1.0.0"}');
  const PATH = `${own}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  const print = 'node -p "JSON.stringify(process.env)"';
  const result = spawnSync('npm', ['exec', '--offline', '-c', print], {
    cwd: project,
    env: { PATH, HOME: folder },
    encoding: 'utf8',
  });
  const during = JSON.parse(result.stdout) as Record<string, string>;
  assert.equal(commandOnPath('acmeclaw', during['PATH'] ?? ''), join(bin, 'acmeclaw'));
  assert.equal(callersOwn(during)['PATH'], PATH);
  assert.deepEqual(
    Object.keys(callersOwn(during)).filter((name) => /^npm_|^NODE$|^INIT_CWD$/.test(name)),
    [],
  );
});
