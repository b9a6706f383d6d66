/** A gateway is stopped when its process, its lock and its port are gone, and not when its command says so. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import type { FerryEvent } from '../../../../src/base/events.ts';
import { BRANDS, findBrand } from '../../../../src/gateway/install/brands.ts';
import { findProductCli } from '../../../../src/gateway/product/product-cli.ts';
import {
  findRunning,
  startAgain,
  stopGateway,
  type ControlDeps,
  type GatewayAtHand,
} from '../../../../src/gateway/running/control.ts';
import {
  commandLineOf,
  gatewaysOf,
  isGatewayCommand,
  processLives,
} from '../../../../src/gateway/running/processes.ts';
import { isRunning, listens } from '../../../../src/gateway/running/running.ts';
import { runProcess } from '../../../../src/process/run.ts';
import {
  lockPathOf,
  writeGatewayDouble,
  type DoubleManners,
} from '../../../support/gateway-double.ts';
import { quickClock } from '../../../support/quick-clock.ts';
import { freePort } from '../../../support/ports.ts';
import { refusalOf } from '../../../support/refusal.ts';
import { until } from '../../../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'control-'));
const children: ChildProcess[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) server.close();
});
after(() => rmSync(folder, { recursive: true, force: true }));

const isLinux = process.platform === 'linux';
const signal = new AbortController().signal;
const uid = process.getuid?.() ?? 0;
const brand = findBrand(BRANDS, 'openclaw') ?? assert.fail();
let homes = 0;
const UNSTOPPABLE = 'gateway-unstoppable';

type World = {
  readonly gateway: GatewayAtHand;
  readonly deps: ControlDeps;
  readonly events: FerryEvent[];
  readonly command: string;
  readonly env: Record<string, string>;
  readonly port: number;
  readonly lock: string;
};

async function world(manners: DoubleManners = {}): Promise<World> {
  homes += 1;
  const home = join(folder, `home-${homes}`);
  const stateDir = join(home, '.openclaw');
  const configPath = join(stateDir, 'openclaw.json');
  const temporary = join(home, 'tmp');
  for (const path of [stateDir, temporary]) mkdirSync(path, { recursive: true });
  const port = await freePort();
  writeFileSync(configPath, `{ gateway: { port: ${port} } }`);
  const command = writeGatewayDouble(join(home, 'bin'), manners);
  const env = { PATH: `${home}/bin:/usr/bin:/bin`, TMPDIR: temporary };
  const target = { home, stateDir, configPath, profile: 'default' };
  const cliDeps = { run: runProcess, env };
  const cli = await findProductCli(brand, cliDeps, { target, signal });
  const events: FerryEvent[] = [];
  return {
    gateway: { brand, stateDir, configPath, env, uid, ports: [port], target },
    deps: { cli, cliDeps, clock: quickClock(), emit: (event) => void events.push(event) },
    events,
    command,
    env: { ...env, HOME: home },
    port,
    lock: lockPathOf(configPath, temporary, uid),
  };
}

/** A gateway in the foreground of somebody's terminal. */
async function run({ command, env, port, lock }: World, manners: DoubleManners = {}) {
  const child = spawn(command, ['gateway', 'run'], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.push(child);
  await until(
    async () => (await listens(port, signal)) && (manners.lock === false || existsSync(lock)),
  );
  return child;
}

test(
  'a lock that names a process of somebody else ends nothing',
  { skip: !isLinux || uid !== 0 },
  async () => {
    const { gateway, deps, lock } = await world();
    const other = spawn('/bin/sleep', ['60'], { argv0: 'gateway', uid: 12_345, stdio: 'ignore' });
    children.push(other);
    await until(() => Promise.resolve(commandLineOf(other.pid ?? 0)?.[0] === 'gateway'));
    mkdirSync(join(lock, '..'), { recursive: true });
    writeFileSync(lock, JSON.stringify({ pid: other.pid }));
    const error = await refusalOf(stopGateway(gateway, deps, signal), UNSTOPPABLE);
    assert.match(error.message, new RegExp(`process ${other.pid} goes on`));
    assert.ok(processLives(other.pid ?? 0));
    // A lock that a stranger wrote is none at all.
    chownSync(lock, 12_345, 12_345);
    assert.equal(await stopGateway(gateway, deps, signal), undefined);
    assert.ok(processLives(other.pid ?? 0));
  },
);

describe('a gateway in the foreground', { skip: !isLinux }, () => {
  test('nothing runs: nothing is stopped, and nothing is asked', async () => {
    const { gateway, deps, events } = await world();
    assert.equal(await stopGateway(gateway, deps, signal), undefined);
    assert.deepEqual(events, []);
  });

  for (const stop of ['not-loaded', 'claims'] as const) {
    test(`its command says ok and stops nothing (${stop}): SIGTERM does`, async () => {
      const here = await world({ stop });
      const child = await run(here);
      const stopped = await stopGateway(here.gateway, here.deps, signal);
      assert.equal(stopped?.by, 'signal');
      assert.equal(stopped.port, here.port);
      assert.equal(child.exitCode, 0);
      assert.ok(here.events.some((event) => event.type === 'command'));
      assert.equal(await findRunning(here.gateway, signal), undefined);
    });
  }

  test('one that leaves its lock behind is stopped all the same', async () => {
    const here = await world();
    const child = await run(here);
    const lock = readFileSync(here.lock);
    child.once('exit', () => writeFileSync(here.lock, lock));
    assert.equal((await stopGateway(here.gateway, here.deps, signal))?.by, 'signal');
    assert.ok(existsSync(here.lock));
  });

  test('one whose lock somebody tidied away is known by its port', async () => {
    const here = await world({ lock: false });
    const child = await run(here, { lock: false });
    const found = await findRunning(here.gateway, signal);
    assert.equal(found?.pid, child.pid);
    assert.equal((await stopGateway(here.gateway, here.deps, signal))?.by, 'signal');
  });

  test('one at another port than that of its config is found there, and started again there', async () => {
    const here = await world();
    await run(here);
    const gateway = { ...here.gateway, ports: [await freePort(), here.port] };
    const found = await findRunning(gateway, signal);
    assert.deepEqual([found?.port, found?.portOpen], [here.port, true]);
    const stopped = await stopGateway(gateway, here.deps, signal);
    assert.equal(stopped?.port, here.port);
    assert.ok(await startAgain(stopped, gateway, here.deps, signal));
    const again = await findRunning(gateway, signal);
    assert.equal(again?.port, here.port);
    process.kill(again.pid ?? 0, 'SIGKILL');
  });

  test('one that does not mind SIGTERM is named, and left alive', async () => {
    const here = await world({ ignoresTerm: true });
    const child = await run(here);
    const error = await refusalOf(stopGateway(here.gateway, here.deps, signal), UNSTOPPABLE);
    assert.equal(error.exit, 19);
    assert.match(error.message, new RegExp(`process ${child.pid} goes on`));
    assert.match(error.hint ?? '', new RegExp(`kill ${child.pid}`));
    assert.equal(child.exitCode, null);
  });

  test('one that something starts again at once is not stopped', async () => {
    const here = await world();
    const starter = [
      'const { spawn } = require("node:child_process");',
      'const start = () => spawn(process.argv[1], ["gateway"], { stdio: "inherit" })',
      '  .on("exit", (code) => code === null || start());',
      'const end = start();',
    ].join('\n');
    const supervisor = spawn(process.execPath, ['-e', starter, here.command], {
      env: here.env,
      detached: true,
    });
    try {
      await until(() => existsSync(here.lock));
      const { clock } = here.deps;
      // Once it has ended, nobody looks before the next one is there.
      const sleep = async (...args: Parameters<typeof clock.sleep>): Promise<void> => {
        await until(() => gatewaysOf(here.gateway).length > 0);
        await clock.sleep(...args);
      };
      const deps = { ...here.deps, clock: { ...clock, sleep } };
      const error = await refusalOf(stopGateway(here.gateway, deps, signal), UNSTOPPABLE);
      assert.match(error.message, /something started it again/);
      assert.match(error.hint ?? '', /Stop what starts it/);
    } finally {
      process.kill(-(supervisor.pid ?? 0), 'SIGKILL');
    }
  });

  test('force is used only where the help lists it', async () => {
    const diary = join(folder, 'diary');
    const here = await world({ wantsForce: true, diary });
    await run(here);
    await stopGateway(here.gateway, here.deps, signal);
    assert.match(readFileSync(diary, 'utf8'), /^gateway stop --json --force$/m);
    const other = join(folder, 'other-diary');
    const plain = await world({ diary: other });
    await run(plain);
    await stopGateway(plain.gateway, plain.deps, signal);
    assert.match(readFileSync(other, 'utf8'), /^gateway stop --json$/m);
  });

  test('a command that hangs does not keep it alive', async () => {
    const here = await world({ answers: { 'gateway stop': { hangs: true } } });
    await run(here);
    const { cli } = here.deps;
    assert.ok(cli);
    const impatient = {
      ...cli,
      run: (args: readonly string[], request: Parameters<typeof cli.run>[1]) =>
        cli.run(args, { ...request, timeoutMs: 300 }),
    };
    const stopped = await stopGateway(here.gateway, { ...here.deps, cli: impatient }, signal);
    assert.equal(stopped?.by, 'signal');
  });

  test('it is started again as it was, with the variables of its shell', async () => {
    const here = await world();
    await run({ ...here, env: { ...here.env, PROVIDER_KEY: 'only in that shell' } });
    const stopped = await stopGateway(here.gateway, here.deps, signal);
    assert.ok(stopped);
    assert.equal(stopped.environment?.['PROVIDER_KEY'], 'only in that shell');
    assert.ok(await startAgain(stopped, here.gateway, here.deps, signal));
    const found = await findRunning(here.gateway, signal);
    assert.ok(found?.pid);
    try {
      const started = readFileSync(`/proc/${found.pid}/environ`, 'utf8');
      assert.ok(started.includes('PROVIDER_KEY=only in that shell'));
    } finally {
      process.kill(found.pid, 'SIGKILL');
    }
  });

  test('interrupted while it stops, it is started again', async () => {
    const here = await world();
    await run(here);
    const interrupt = new AbortController();
    const clock = {
      ...here.deps.clock,
      sleep: async (...args: Parameters<typeof here.deps.clock.sleep>) => {
        if ((await findRunning(here.gateway, signal)) === undefined) interrupt.abort();
        return here.deps.clock.sleep(...args);
      },
    };
    await assert.rejects(stopGateway(here.gateway, { ...here.deps, clock }, interrupt.signal));
    const found = await findRunning(here.gateway, signal);
    assert.ok(found?.pid);
    process.kill(found.pid, 'SIGKILL');
  });
});

describe('whose port it is', { skip: !isLinux }, () => {
  test('a program that is no gateway is somebody else, and is left alone', async () => {
    const here = await world();
    const server = createServer((_, response) => response.end('hello')).listen(
      here.port,
      '127.0.0.1',
    );
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    const answer = await isRunning({ ...here.gateway, port: here.port, signal });
    assert.deepEqual([answer.running, answer.portOpen], [false, true]);
    assert.match(answer.heldBy ?? '', /which is no gateway/);
    assert.equal(await stopGateway(here.gateway, here.deps, signal), undefined);
    assert.ok(server.listening);
  });

  test('the gateway of another home is not killed for having the same port', async () => {
    const [here, other] = [await world(), await world({ lock: false })];
    const shared = { ...here.gateway, ports: [other.port] };
    const child = await run(other, { lock: false });
    const answer = await isRunning({ ...shared, port: other.port, signal });
    assert.deepEqual([answer.running, answer.portOpen], [false, true]);
    assert.match(answer.heldBy ?? '', /a gateway of another install/);
    assert.equal(await stopGateway(shared, here.deps, signal), undefined);
    assert.equal(child.exitCode, null);
    assert.deepEqual(gatewaysOf(shared), []);
    assert.deepEqual(gatewaysOf(other.gateway), [child.pid]);
  });

  test('which commands are gateways', () => {
    const is = (line: string): boolean => isGatewayCommand(line.split(' '), brand);
    for (const line of [
      'openclaw-gateway',
      'acme-claw-gateway',
      'node /usr/lib/node_modules/openclaw/dist/index.js gateway --port 1',
      'node /usr/bin/openclaw gateway',
      '/usr/bin/openclaw --profile work gateway run',
    ]) {
      assert.ok(is(line), line);
    }
    for (const line of [
      'node /usr/bin/openclaw gateway status',
      'node /usr/bin/openclaw gateway stop --json',
      'node /usr/bin/openclaw agent --message gateway',
      'vim /home/a/gateway',
      'tail -f /tmp/openclaw/gateway.log',
    ]) {
      assert.ok(!is(line), line);
    }
  });
});

test('an answer on the port that nobody can place is asked what it is', async () => {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(request.url === '/claw/' ? '<title>Acme Control</title>' : '<title>Shop</title>');
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  const { fetchControlPage } = await import('../../../../src/gateway/running/control-page.ts');
  const { port } = server.address() as AddressInfo;
  assert.equal((await fetchControlPage(port, '', 'acme', signal)).title, undefined);
  assert.equal((await fetchControlPage(port, '/claw', 'other', signal)).title, 'Acme Control');
});
