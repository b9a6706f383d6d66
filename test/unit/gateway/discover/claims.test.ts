/** A product that renamed its ancestor's folder leaves a link behind: one install, under one name. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { bytePathFromText } from '../../../../src/base/byte-path.ts';
import { rootsOf } from '../../../../src/gateway/contents/roots.ts';
import { inspectInstalls } from '../../../../src/gateway/discover/discover.ts';
import { BRANDS } from '../../../../src/gateway/install/brands.ts';

let home = '';
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'claims-')));
});
afterEach(() => rmSync(home, { recursive: true }));

const found = (env: Readonly<Record<string, string>> = {}) =>
  inspectInstalls({ home, env, brands: BRANDS, uid: 0 }, new AbortController().signal);

function stateDir(name: string, config: string): void {
  mkdirSync(join(home, name));
  writeFileSync(join(home, name, config), '{ gateway: { port: 1 } }');
}

test('the link of an ancestor is another name of the install, which paths are still written by', async () => {
  stateDir('.resonix', 'clawdbot.json');
  symlinkSync(join(home, '.resonix'), join(home, '.clawdbot'));
  const [only, ...others] = await found();
  assert.ok(only);
  assert.deepEqual([only.install.install, others], ['resonix', []]);
  assert.deepEqual(rootsOf(only).roots[0]?.aliases, [bytePathFromText(`${home}/.clawdbot`)]);
});

test('a state dir of its own has the workspace of the default profile, unless it holds one', async () => {
  stateDir('state', 'openclaw.json');
  const env = { OPENCLAW_STATE_DIR: join(home, 'state') };
  const workspaces = async (): Promise<string[]> =>
    (await found(env)).flatMap(({ install }) => install.workspaces);
  assert.deepEqual(await workspaces(), [`${home}/.openclaw/workspace`]);
  mkdirSync(join(home, 'state/workspace'));
  assert.deepEqual(await workspaces(), [`${home}/state/workspace`]);
});

test('a variable of the ancestors names the folder of the ancestor', async () => {
  stateDir('.clawdbot', 'clawdbot.json');
  const installs = await found({ CLAWDBOT_STATE_DIR: join(home, '.clawdbot') });
  assert.deepEqual(
    installs.map(({ install }) => install.install),
    ['clawdbot'],
  );
});

test('a folder of nobody’s name is of the brand whose command is here', async () => {
  stateDir('custom', 'resonix.json');
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin/resonix'), '', { mode: 0o755 });
  const installs = await found({
    PATH: join(home, 'bin'),
    OPENCLAW_CONFIG_PATH: join(home, 'custom/resonix.json'),
    OPENCLAW_STATE_DIR: join(home, 'custom'),
    RESONIX_STATE_DIR: join(home, 'custom'),
  });
  assert.deepEqual(
    installs.map(({ brand }) => brand.name),
    ['resonix'],
  );
});
