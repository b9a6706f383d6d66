import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BRANDS, findBrand } from '../../../../src/gateway/install/brands.ts';
import { checkSameConfig } from '../../../../src/gateway/landing/checklist.ts';
import { gatewayStatus } from '../../../../src/gateway/product/gateway-status.ts';
import type { ProductCli } from '../../../../src/gateway/product/product-cli.ts';

const target = {
  home: '/home/bob',
  stateDir: '/home/bob/.openclaw',
  configPath: '/home/bob/.openclaw/openclaw.json',
  profile: 'default',
};
const { signal } = new AbortController();

function cliThatSays(stdout: string): ProductCli {
  const brand = findBrand(BRANDS, 'openclaw');
  assert.ok(brand);
  return {
    brand,
    path: '/usr/bin/openclaw',
    version: '2026.3.2',
    run: async (args) => {
      assert.deepEqual(args.slice(0, 3), ['gateway', 'status', '--json']);
      return {
        exit: 0,
        signal: null,
        stdout,
        stderr: '',
        durationMs: 1,
        timedOut: false,
        truncated: false,
      };
    },
  };
}

const check = async (answer: unknown): Promise<{ ok: boolean; found: string }> => {
  const cli = cliThatSays(typeof answer === 'string' ? answer : JSON.stringify(answer));
  const { ok, found } = checkSameConfig(
    await gatewayStatus(cli, { target, signal }),
    target.configPath,
  );
  return { ok, found };
};

test('a service that reads another config than the command is the profile mismatch of the guide', async () => {
  const cli = { path: target.configPath, exists: true };
  const other = '/home/bob/.openclaw-work/openclaw.json';
  assert.deepEqual(
    await check({ service: { loaded: true }, config: { cli, daemon: { path: other } } }),
    { ok: false, found: other },
  );
  assert.deepEqual(
    await check({
      service: { loaded: true },
      config: { cli, daemon: { path: target.configPath } },
    }),
    { ok: true, found: target.configPath },
  );
});

test('what a service that is not there would read says nothing', async () => {
  const config = {
    cli: { path: target.configPath },
    daemon: { path: '/root/.openclaw/openclaw.json' },
  };
  assert.deepEqual(await check({ service: { loaded: false }, config }), {
    ok: true,
    found: target.configPath,
  });
});

test('words instead of JSON are no answer', async () => {
  assert.deepEqual(await check('Gateway: not running'), {
    ok: true,
    found: 'not checked: not told',
  });
});
