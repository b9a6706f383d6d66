/** What only a running gateway shows; a page and channels as the products answer them, and as they may not. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { checkChannels } from '../../../../src/gateway/landing/channels.ts';
import { failedCritical, isChecked } from '../../../../src/gateway/landing/checklist.ts';
import { checkListedSessions } from '../../../../src/gateway/landing/listed-sessions.ts';
import { checkLive, linesOfNone } from '../../../../src/gateway/landing/live-checks.ts';
import { cliDouble } from '../../../support/cli-double.ts';

const { signal } = new AbortController();
const target = { home: '/none', stateDir: '/none', configPath: '/none/c', profile: 'default' };

test('a gateway that nobody started is not checked, and not failed', () => {
  const lines = linesOfNone(['telegram'], 'no service starts it here');
  assert.deepEqual(
    lines.map((line) => [line.check, line.ok, isChecked(line)]),
    [
      ['gateway running', true, false],
      ['dashboard opens', true, false],
      ['channel telegram', true, false],
    ],
  );
});

describe('a page', () => {
  let answer = { status: 200, type: 'text/html; charset=utf-8', body: '' };
  const server = createServer((_, response) =>
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body),
  );
  let port = 0;
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  const look = async (config = {}, at = port) => {
    const cli = cliDouble({});
    const place = { brand: cli.brand, stateDir: '/none', configPath: '/none/c', env: {}, uid: 0 };
    const request = { ...place, port: at, config, channels: [], cli, target };
    const lines = await checkLive(request, signal);
    return lines.find(({ check }) => check === 'dashboard opens') ?? assert.fail();
  };
  const cases = [
    [{ status: 200, type: 'text/html', body: '<title>OpenClaw Control</title>' }, true],
    [{ status: 200, type: 'text/html', body: '<title>My openclaw</title>' }, true],
    [{ status: 200, type: 'text/html', body: '<title>It works!</title>' }, false],
    [{ status: 200, type: 'application/json', body: '{}' }, false],
    [{ status: 502, type: 'text/html', body: '<title>OpenClaw Control</title>' }, false],
  ] as const;

  for (const [given, expected] of cases) {
    test(`${given.status} ${given.type} ${given.body}`, async () => {
      answer = given;
      const line = await look();
      assert.equal(line.ok, expected, line.found);
      assert.equal(line.critical, false, 'a gateway that answers has arrived');
    });
  }

  test('behind a closed port fails; switched off, behind TLS or elsewhere is not checked', async () => {
    assert.equal(failedCritical([await look({}, 1)]).length, 1);
    for (const gateway of [
      { controlUi: { enabled: false } },
      { tls: { enabled: true } },
      { bind: 'tailnet' },
    ]) {
      const line = await look({ gateway });
      assert.deepEqual([line.ok, isChecked(line)], [true, false]);
    }
  });
});

describe('channels', () => {
  const ask = (answer: string | object, channels = ['telegram']) => {
    const stdout = typeof answer === 'string' ? answer : JSON.stringify(answer);
    const cli = cliDouble({ 'channels status --json --probe': stdout });
    return checkChannels({ cli, target, channels }, signal);
  };
  const account = (telegram: object) => ({ channelAccounts: { telegram: [telegram] } });

  test('connected, as a probe says', async () => {
    const [line] = await ask(account({ configured: true, running: true, probe: { ok: true } }));
    assert.deepEqual([line?.ok, line?.found], [true, 'connected']);
  });

  test('a login that is lost fails the move; a connection that is not there is only shown', async () => {
    for (const lost of [{ configured: false }, { configured: true, linked: false }]) {
      assert.equal(failedCritical(await ask(account(lost))).length, 1, JSON.stringify(lost));
    }
    const cases = [
      [{ running: true, probe: { ok: false, error: '401: Unauthorized' } }, /probe failed: 401/],
      [{ running: true, connected: false, lastError: 'timeout' }, /not connected: timeout/],
      [{ running: false }, /not running/],
    ] as const;
    for (const [given, found] of cases) {
      const lines = await ask(account({ configured: true, ...given }));
      assert.equal(lines[0]?.ok, false);
      assert.match(lines[0]?.found ?? '', found);
      assert.deepEqual(failedCritical(lines), []);
    }
  });

  test('plain text, another shape, an unreachable gateway, an unknown channel: not checked', async () => {
    for (const answer of [
      'Gateway not reachable; showing config-only status.\n',
      { channelAccounts: 7 },
      { gatewayReachable: false, channelAccounts: {} },
      { channelAccounts: {} },
    ]) {
      const [line] = await ask(answer);
      assert.ok(line);
      assert.deepEqual([line.ok, isChecked(line)], [true, false]);
    }
    assert.deepEqual(await ask('never asked', []), []);
  });
});

describe('sessions that the product lists', () => {
  const agents = [
    { id: 'main', sessions: 2, transcripts: 2 },
    { id: 'work', sessions: 1, transcripts: 1 },
  ];
  const listed = (...keys: string[]) =>
    JSON.stringify({ sessions: keys.map((key) => ({ key, agentId: key.split(':')[1] })) });
  const ask = async (stdout: string, version?: string) => {
    const cli = cliDouble({ sessions: stdout }, version);
    return { asked: cli.asked, lines: await checkListedSessions(cli, agents, { target, signal }) };
  };

  test('as many as there are, for every agent', async () => {
    const { lines, asked } = await ask(listed('agent:main:a', 'agent:main:b', 'agent:work:a'));
    assert.ok(lines.every((line) => line.ok && isChecked(line)));
    assert.deepEqual(asked, ['sessions --json --all-agents']);
    const newest = await ask(listed(), '2026.9.6');
    assert.deepEqual(newest.asked, ['sessions --json --all-agents --limit 1000000']);
  });

  test('fewer fail the move', async () => {
    const { lines } = await ask(listed('agent:main:a', 'agent:work:a'));
    assert.deepEqual(
      failedCritical(lines).map(({ expected, found }) => [expected, found]),
      [['2', '1']],
    );
  });

  test('January lists one agent only, and garbage is no list', async () => {
    const january = await ask(listed('agent:main:a', 'agent:main:b'), '2026.1.24-3');
    assert.deepEqual(january.asked, ['sessions --json']);
    assert.deepEqual(january.lines.map(isChecked), [true, false]);
    assert.deepEqual(failedCritical(january.lines), []);
    assert.ok((await ask('no sessions here')).lines.every((line) => !isChecked(line)));
  });
});
