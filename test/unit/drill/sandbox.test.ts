/** What leads out of a sandbox, and does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandboxedRunner } from '../../../src/drill/sandbox-variables.ts';
import { rulesIntoSandbox } from '../../../src/drill/sandbox-rules.ts';
import type { SnapshotBody } from '../../../src/format/snapshot.ts';
import { BRANDS } from '../../../src/gateway/install/brands.ts';
import { movePath, pathMap } from '../../../src/gateway/relocate/path-map.ts';
import { bareBody } from '../../support/snapshot-body.ts';
import type { RunOptions, RunResult } from '../../../src/process/run.ts';

const bodyWith = (home: string, ...paths: string[]): SnapshotBody =>
  bareBody(
    home,
    paths.map((path) => ({ path })),
  );

const moved = (body: SnapshotBody, path: string): string | undefined => {
  const { home } = body.install;
  const rules = [...rulesIntoSandbox(body, '/box/elsewhere'), { from: home, to: '/box/home' }];
  return movePath(pathMap(rules), path);
};

test('whatever could be written to moves into the sandbox, programs stay', () => {
  const body = bodyWith('/home/ada', '/home/ada/.openclaw', '/srv/ferry/space', 'D:\\work\\space');
  assert.equal(moved(body, '/home/ada/notes'), '/box/home/notes');
  assert.equal(moved(body, '/home/bob/notes'), '/box/elsewhere/home/bob/notes');
  assert.equal(moved(body, '/srv/ferry/space/a'), '/box/elsewhere/srv/ferry/space/a');
  assert.equal(moved(body, '/tmp/scratch'), '/box/elsewhere/tmp/scratch');
  assert.equal(moved(body, '/etc/openclaw/x'), '/box/elsewhere/etc/openclaw/x');
  assert.equal(moved(body, 'D:\\work\\space\\a'), '/box/elsewhere/D/work/space/a');
  assert.equal(moved(body, '/usr/bin/chromium'), undefined);
});

test('a home that is the home of all, or of everything', () => {
  assert.equal(
    moved(bodyWith('/root', '/root/.openclaw'), '/root/.openclaw/x'),
    '/box/home/.openclaw/x',
  );
  const whole = bodyWith('/', '/.openclaw');
  assert.equal(moved(whole, '/.openclaw/x'), '/box/elsewhere/.openclaw/x');
});

test('variables of the family and of the session do not reach the product', async () => {
  const seen: RunOptions[] = [];
  const brand = BRANDS.find(({ name }) => name === 'openclaw');
  const run = sandboxedRunner(
    async (_command, _args, options) => {
      seen.push(options);
      return { exit: 0 } as RunResult;
    },
    { brand, temporary: '/box/tmp', variables: () => ({ DOCS: '/box/home/docs' }) },
  );
  const env = {
    PATH: '/usr/bin',
    LANG: 'C.UTF-8',
    ANTHROPIC_API_KEY: 'kept',
    TMPDIR: '/tmp',
    XDG_CONFIG_HOME: '/home/ada/.config',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus',
    PI_CODING_AGENT_DIR: '/home/ada/pi',
    OPENCLAW_STATE_DIR: '/box/home/.openclaw',
    OPENCLAW_CONFIG_PATH: '/box/home/.openclaw/openclaw.json',
    OPENCLAW_OAUTH_DIR: '/home/ada/oauth',
    OPENCLAW_GATEWAY_PORT: '18789',
    CLAWDBOT_STATE_DIR: '/home/ada/.clawdbot',
    CLAWDBOT_AGENT_DIR: '/home/ada/agents',
  };
  const signal = new AbortController().signal;
  await run('openclaw', ['doctor'], { env, timeoutMs: 1, signal });
  assert.deepEqual(seen[0]?.env, {
    PATH: '/usr/bin',
    LANG: 'C.UTF-8',
    ANTHROPIC_API_KEY: 'kept',
    OPENCLAW_STATE_DIR: '/box/home/.openclaw',
    OPENCLAW_CONFIG_PATH: '/box/home/.openclaw/openclaw.json',
    OPENCLAW_GATEWAY_PORT: '1',
    OPENCLAW_LOG_LEVEL: 'silent',
    DOCS: '/box/home/docs',
    TMPDIR: '/box/tmp',
    TMP: '/box/tmp',
    TEMP: '/box/tmp',
  });
});
