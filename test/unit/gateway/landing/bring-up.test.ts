/** What three generations answer when a service is made anew and a gateway restarted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FerryEvent } from '../../../../src/base/events.ts';
import { bringUp, type BroughtUp } from '../../../../src/gateway/landing/bring-up.ts';
import { isChecked } from '../../../../src/gateway/landing/checklist.ts';
import { startCommand } from '../../../../src/gateway/running/start-command.ts';
import { cliDouble, type CliDouble } from '../../../support/cli-double.ts';

const target = {
  home: '/home/bob',
  stateDir: '/home/bob/.openclaw',
  configPath: '/home/bob/.openclaw/openclaw.json',
  profile: 'default',
};
const { signal } = new AbortController();

async function up(cli: CliDouble, hadService = true): Promise<BroughtUp & { said: string[] }> {
  const said: string[] = [];
  const emit = (event: FerryEvent): void => {
    if (event.type === 'command') said.push(event.output);
  };
  return { ...(await bringUp(cli, { target, hadService, signal }, emit)), said };
}

const NO_SYSTEMD = 'systemctl --user unavailable: Failed to connect to bus: No medium found';
const INSTALLED = '{"action":"install","ok":true,"result":"installed"}';
const RESTARTED = '{"action":"restart","ok":true,"result":"restarted"}';

test('a service is made anew by the product, with force where its help lists it, then restarted', async () => {
  const cli = cliDouble({
    'gateway install --help': 'Usage: openclaw gateway install\n  --force   Reinstall\n',
    'gateway install': INSTALLED,
    'gateway restart': RESTARTED,
  });
  const { started, lines } = await up(cli);
  assert.equal(started, true);
  assert.deepEqual(
    lines.map(({ ok, found }) => [ok, found]),
    [[true, 'installed']],
  );
  assert.deepEqual(cli.asked, [
    'gateway install --help',
    'gateway install --json --force',
    'gateway restart --json',
  ]);
  const plain = cliDouble({
    'gateway install --help': 'Usage: openclaw gateway install\n  --json\n',
    'gateway install': INSTALLED,
    'gateway restart': RESTARTED,
  });
  await up(plain);
  assert.ok(plain.asked.includes('gateway install --json'));
});

test('no service on the old machine: none is made', async () => {
  const cli = cliDouble({ 'gateway restart': RESTARTED });
  const { started, lines } = await up(cli, false);
  assert.equal(started, true);
  assert.deepEqual([lines.length, cli.asked], [0, ['gateway restart --json']]);
});

test('no service manager, as three generations say it: not checked, and nothing is started', async () => {
  const january = {
    exit: 1,
    stdout: `{"ok":false,"error":"Gateway service check failed: ${NO_SYSTEMD}"}`,
  };
  const restart = '{"ok":true,"result":"not-loaded","hints":["openclaw gateway install"]}';
  for (const cli of [
    cliDouble({ 'gateway install': january, 'gateway restart': january }, '2026.1.24-3'),
    cliDouble({ 'gateway install': january, 'gateway restart': restart }),
  ]) {
    const { started, why, lines } = await up(cli);
    assert.deepEqual([started, why], [false, 'no service starts it here']);
    assert.deepEqual(
      lines.map((line) => [line.ok, isChecked(line)]),
      [[true, false]],
    );
  }
});

test('a service that is only disabled is no missing service manager: what to type is said', async () => {
  const said =
    'Gateway service check failed: Error: systemctl is-enabled unavailable: ' +
    'Command failed: systemctl --user is-enabled openclaw-gateway.service';
  const answer = { exit: 1, stdout: JSON.stringify({ action: 'install', ok: false, error: said }) };
  const { started, lines } = await up(cliDouble({ 'gateway install': answer }));
  assert.equal(started, false);
  assert.equal(lines[0]?.ok, false);
  assert.match(lines[0].found, /disabled here.*systemctl --user enable openclaw-gateway\.service/);
  const error = `${said}\nFailed to connect to bus: No medium found`;
  const silent = { exit: 1, stdout: JSON.stringify({ action: 'install', ok: false, error }) };
  const without = await up(cliDouble({ 'gateway install': silent, 'gateway restart': silent }));
  assert.deepEqual(
    without.lines.map((line) => [line.ok, isChecked(line)]),
    [[true, false]],
  );
});

test('a service that cannot be made fails its line, and the text says what happened', async () => {
  const cases = [
    [{ exit: 1, stderr: 'EACCES: permission denied' }, 'exit 1: EACCES: permission denied'],
    [
      { exit: null, signal: 'SIGTERM', timedOut: true, durationMs: 180_020 },
      'no answer within 180 s',
    ],
    [{ exit: 0, stdout: 'garbage' }, 'exit 0: garbage'],
    [
      { exit: 0, stdout: '{"ok":false,"error":"no token"}' },
      'exit 0: {"ok":false,"error":"no token"}',
    ],
  ] as const;
  for (const [answer, found] of cases) {
    const cli = cliDouble({ 'gateway install': answer, 'gateway restart': RESTARTED });
    const { started, lines } = await up(cli);
    assert.equal(started, false);
    assert.deepEqual([lines[0]?.ok, lines[0]?.found], [false, found]);
    assert.ok(!cli.asked.includes('gateway restart --json'));
  }
});

test('a restart that fails where a service is: its gateway is looked for all the same', async () => {
  const late = 'Gateway restart timed out after 60s waiting for health checks.';
  const cli = cliDouble({
    'gateway restart': { exit: 1, stdout: `{"ok":false,"error":"${late}"}` },
  });
  assert.equal((await up(cli, false)).started, true);
});

test('megabytes of output are cut, and said to be', async () => {
  const cli = cliDouble({ 'gateway restart': 'x'.repeat(3_000_000) });
  const { said } = await up(cli, false);
  assert.ok((said[0]?.length ?? 0) < 70_000);
  assert.match(said[0] ?? '', /and \d+ characters more$/);
});

test('the command that starts it is the whole command', () => {
  const { brand } = cliDouble({});
  assert.equal(startCommand(brand, target, undefined), 'openclaw gateway run');
  const work = {
    ...target,
    profile: 'work',
    stateDir: '/home/bob/.openclaw-work',
    configPath: '/home/bob/.openclaw-work/openclaw.json',
  };
  assert.equal(startCommand(brand, work, undefined), 'openclaw --profile work gateway run');
  const custom = {
    ...target,
    profile: 'custom',
    stateDir: '/srv/my claw',
    configPath: '/srv/c.json',
  };
  assert.equal(
    startCommand(brand, custom, 1001),
    "sudo -H -u '#1001' OPENCLAW_STATE_DIR='/srv/my claw' OPENCLAW_CONFIG_PATH=/srv/c.json openclaw gateway run",
  );
});
