/** The gateway that runs where a pull lands: stopped just before the swap, started again when nothing came of it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import type { PullPlan } from '../../src/pull/plan/landing.ts';
import { interruptedInstalls } from '../../src/pull/swap/journal.ts';
import { makeFakeSystemd } from '../support/fake-systemd.ts';
import { lockPathOf, writeGatewayDouble, type DoubleManners } from '../support/gateway-double.ts';
import {
  atStage,
  hideOldHome,
  landingWorld,
  pullInto,
  pushHome,
  undoPull,
  type LandingWorld,
} from '../support/landing.ts';
import { quickClock } from '../support/quick-clock.ts';
import { freePort } from '../support/ports.ts';
import { refusalOf } from '../support/refusal.ts';
import { scanTree } from '../support/tree.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'landing-gateway-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
after(() => rmSync(folder, { recursive: true, force: true }));

const uid = process.getuid?.() ?? 0;
let world: LandingWorld;
/** The same with a service on the old machine. */
let served: LandingWorld;
let oldPort: number;
let users = 0;

before(async () => {
  world = await landingWorld(folder);
  oldPort = await freePort();
  const { oldHome, binDir } = world;
  writeSample({ home: oldHome, binDir, nodePath: process.execPath, port: oldPort }).close();
  await pushHome(world);
  hideOldHome(world);
  served = await landingWorld(join(folder, 'served'));
  const port = await freePort();
  writeSample({ ...served, home: served.oldHome, nodePath: process.execPath, port }).close();
  const units = join(served.oldHome, '.config/systemd/user');
  mkdirSync(units, { recursive: true });
  const start = `ExecStart=${served.oldHome}/bin/openclaw gateway`;
  writeFileSync(join(units, 'openclaw-gateway.service'), `[Service]\n${start}\n`);
  await pushHome(served);
  hideOldHome(served);
});

type Here = {
  readonly home: string;
  readonly command: string;
  readonly lock: string;
  readonly path: string;
};

/** What onboarding left: a config of its own, and a command. */
async function freshHome(manners: DoubleManners = {}): Promise<Here> {
  users += 1;
  const home = join(folder, `users/user-${users}`);
  const configPath = join(home, '.openclaw/openclaw.json');
  mkdirSync(join(home, '.openclaw'), { recursive: true });
  writeFileSync(configPath, `{ gateway: { port: ${await freePort()} } }`);
  const bin = join(folder, `bin-${users}`);
  const command = writeGatewayDouble(bin, manners);
  const lock = lockPathOf(configPath, folder, uid);
  return { home, command, lock, path: `${bin}:/usr/bin:/bin` };
}

async function startGateway(
  { home, command, lock, path }: Here,
  ...more: string[]
): Promise<ChildProcess> {
  const env = { HOME: home, TMPDIR: folder, PATH: path };
  const child = spawn(command, ['gateway', 'run', ...more], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.push(child);
  await until(() => existsSync(lock));
  return child;
}

describe('a gateway that runs here', { skip: process.platform !== 'linux' }, () => {
  test('is part of the plan, stopped after the yes, and the snapshot lands', async () => {
    const here = await freshHome();
    const child = await startGateway(here);
    const plans: PullPlan[] = [];
    const pulled = await pullInto(world, {
      home: here.home,
      path: here.path,
      confirm: (plan) => {
        plans.push(plan);
        assert.equal(child.exitCode, null, 'not before the yes');
        return true;
      },
    });
    assert.equal(plans[0]?.gateway?.pid, child.pid);
    assert.match(plans[0]?.gateway?.why ?? '', /lock of process/);
    assert.ok(pulled.landed?.ok);
    assert.equal(child.exitCode, 0);
  });

  test('goes on when the answer is no', async () => {
    const here = await freshHome();
    const child = await startGateway(here);
    await refusalOf(pullInto(world, { home: here.home, path: here.path, confirm: () => false }));
    assert.equal(child.exitCode, null);
  });

  test('is started again when the swap fails', async () => {
    const here = await freshHome();
    const child = await startGateway(here);
    // Journals cannot be written: the swap fails before its first rename.
    const onEvent = atStage('swap', () => {
      rmSync(`${here.home}.journals`, { recursive: true });
      writeFileSync(`${here.home}.journals`, 'in the way');
    });
    const events: FerryEvent[] = [];
    await assert.rejects(pullInto(world, { home: here.home, path: here.path, events, onEvent }));
    assert.equal(child.exitCode, 0);
    assert.ok(events.some((one) => one.type === 'notice' && one.code === 'gateway-up-again'));
    const { pid } = JSON.parse(readFileSync(here.lock, 'utf8')) as { pid: number };
    assert.notEqual(pid, child.pid);
    process.kill(pid, 'SIGKILL');
    assert.match(readFileSync(join(here.home, '.openclaw/openclaw.json'), 'utf8'), /^\{ gateway/);
  });

  test('and does not stop: exit 19, and nothing was changed', async () => {
    const answers = { 'gateway stop': { stdout: '{"ok":true,"result":"not-loaded"}' } };
    const here = await freshHome({ answers, ignoresTerm: true });
    const child = await startGateway(here);
    const before = scanTree(join(here.home, '.openclaw'));
    const error = await refusalOf(
      pullInto(world, { home: here.home, path: here.path, clock: quickClock() }),
    );
    assert.equal(error.exit, 19);
    assert.equal(child.exitCode, null);
    assert.deepEqual(scanTree(join(here.home, '.openclaw')), before);
  });

  test('and was started only while the snapshot was fetched: nobody agreed to stop it', async () => {
    const here = await freshHome();
    const onEvent = atStage('relocate', () => void startGateway(here));
    const error = await refusalOf(pullInto(world, { home: here.home, path: here.path, onEvent }));
    assert.equal(error.exit, 19);
    assert.match(error.message, /was started here during the pull/);
    await until(() => existsSync(here.lock));
    const again = await pullInto(world, { home: here.home, path: here.path });
    assert.ok(again.landed?.ok);
  });
});

test('what an interrupted swap left is not completed below a gateway that runs on it', async () => {
  const here = await freshHome();
  const journals = `${here.home}.journals`;
  const child = join(import.meta.dirname, '../support/landing-child.ts');
  const wish = { folder, repository: world.repository, home: here.home, stamp: 'killed' };
  for (let killBefore = 4; interruptedInstalls(journals).length === 0; killBefore += 1) {
    const { signal } = spawnSync(process.execPath, [
      child,
      JSON.stringify({ ...wish, killBefore }),
    ]);
    assert.equal(signal, 'SIGKILL', `before change ${killBefore}`);
  }
  const gateway = await startGateway(here, '--port', `${await freePort()}`);
  const before = scanTree(here.home);
  const error = await refusalOf(pullInto(world, { home: here.home, path: here.path }));
  assert.equal(error.exit, 19);
  assert.match(error.message, /half done, and a gateway runs on that/);
  assert.deepEqual(scanTree(here.home), before);
  gateway.kill('SIGTERM');
  await until(() => !existsSync(here.lock));
  const pulled = await pullInto(world, { home: here.home, path: here.path });
  assert.ok(pulled.landed?.ok);
  assert.deepEqual(interruptedInstalls(journals), []);
});

describe('a service on the old machine', { skip: process.platform !== 'linux' }, () => {
  test('is made anew by the product, and everything live is looked at', async () => {
    const here = await freshHome({ hasSystemd: true, stop: 'systemctl' });
    const systemd = makeFakeSystemd(join(folder, 'systemd'), here.home);
    try {
      const path = `${systemd.binDir}:${here.path}`;
      const pulled = await pullInto(served, { home: here.home, path });
      const { checklist = [] } = pulled.landed ?? {};
      assert.deepEqual(
        checklist.filter(({ ok }) => !ok),
        [],
      );
      const found = new Map(checklist.map((line) => [line.check, line.found]));
      assert.equal(found.get('service re-created'), 'installed');
      assert.match(found.get('gateway running') ?? '', /^lock of process/);
      assert.equal(found.get('dashboard opens'), 'OpenClaw Control');
      assert.deepEqual(systemd.running(), ['openclaw-gateway.service']);
      const unit = join(here.home, '.config/systemd/user/openclaw-gateway.service');
      assert.ok(!readFileSync(unit, 'utf8').includes(served.oldHome));
      // And its own command stops it when the next pull comes.
      const again = await pullInto(served, { home: here.home, path, stamp: 'again' });
      assert.ok(again.landed?.ok);
      assert.deepEqual(systemd.running(), ['openclaw-gateway.service']);
    } finally {
      systemd.stop();
    }
  });

  test('an undo that leaves nothing to start takes the service away that the pull made', async () => {
    const here = await freshHome({ stop: 'systemctl', hasSystemd: true });
    rmSync(join(here.home, '.openclaw'), { recursive: true });
    const systemd = makeFakeSystemd(join(folder, 'undone'), here.home);
    const unit = join(here.home, '.config/systemd/user/openclaw-gateway.service');
    const path = `${systemd.binDir}:${here.path}`;
    try {
      await pullInto(served, { home: here.home, path });
      assert.deepEqual(systemd.running(), ['openclaw-gateway.service']);
      const { plan } = await undoPull(served, { home: here.home, path });
      assert.deepEqual(plan?.services, ['openclaw-gateway.service']);
      assert.deepEqual(
        plan.gateways.map(({ startsAgain }) => startsAgain),
        [false],
      );
      assert.ok(!existsSync(unit));
      assert.deepEqual(systemd.running(), []);
    } finally {
      systemd.stop();
    }
  });

  test('an undo that puts a gateway back starts that one, and its service stays', async () => {
    const here = await freshHome({ stop: 'systemctl', hasSystemd: true });
    const systemd = makeFakeSystemd(join(folder, 'put-back'), here.home);
    const path = `${systemd.binDir}:${here.path}`;
    try {
      await pullInto(served, { home: here.home, path });
      const events: FerryEvent[] = [];
      const { plan } = await undoPull(served, { home: here.home, path, events });
      assert.deepEqual(plan?.services, []);
      // It listens at the port of its own config.
      assert.ok(events.some((one) => one.type === 'notice' && one.code === 'gateway-up-again'));
      assert.deepEqual(systemd.running(), ['openclaw-gateway.service']);
      assert.match(readFileSync(join(here.home, '.openclaw/openclaw.json'), 'utf8'), /^\{ gateway/);
    } finally {
      systemd.stop();
    }
  });

  test('whose service starts it again at once whatever is asked: exit 19, nothing changed', async () => {
    const here = await freshHome({ hasSystemd: true });
    const systemd = makeFakeSystemd(join(folder, 'stubborn'), here.home);
    const path = `${systemd.binDir}:${here.path}`;
    const env = { HOME: here.home, TMPDIR: folder, PATH: path };
    spawnSync(here.command, ['gateway', 'install', '--json'], { env });
    try {
      await until(() => existsSync(here.lock));
      // Once it has ended, nobody looks before the next one is there.
      const sleep: Clock['sleep'] = async (...args) => {
        await until(() => existsSync(here.lock));
        await systemClock.sleep(...args);
      };
      const clock = { ...systemClock, sleep };
      const error = await refusalOf(pullInto(served, { home: here.home, path, clock }));
      assert.equal(error.exit, 19);
      assert.match(error.message, /something started it again/);
      assert.match(readFileSync(join(here.home, '.openclaw/openclaw.json'), 'utf8'), /^\{ gateway/);
    } finally {
      systemd.stop();
    }
  });
});

test('a foreign program on the port of the snapshot is left alone, and told', async () => {
  const here = await freshHome();
  const server = createServer().listen(oldPort, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const events: FerryEvent[] = [];
  try {
    const pulled = await pullInto(world, { home: here.home, path: here.path, events });
    assert.ok(pulled.landed?.ok);
    const notice = events.find((one) => one.type === 'notice' && one.code === 'port-taken');
    assert.ok(notice?.type === 'notice');
    assert.match(notice.message, new RegExp(`port ${oldPort}.*no gateway`));
    assert.ok(server.listening);
  } finally {
    server.close();
  }
});
