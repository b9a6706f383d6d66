/** The way back of a whole pull: to the byte, on any disk, with the gateway as it was. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { FerryEvent } from '../../src/base/events.ts';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { lockPathOf, writeGatewayDouble, type DoubleManners } from '../support/gateway-double.ts';
import {
  hideOldHome,
  landingWorld,
  pullInto,
  pushHome,
  QUIET,
  undoPull,
  type LandingWorld,
} from '../support/landing.ts';
import { quickClock } from '../support/quick-clock.ts';
import { freePort } from '../support/ports.ts';
import { refusalOf } from '../support/refusal.ts';
import { ring } from '../support/rings.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { SMALL_INSTALL, writeSmallInstall } from '../support/small-install.ts';
import { scanTree } from '../support/tree.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'undo-'));
const disk = mountSmallDisk(join(folder, 'disk'), 'size=2m');
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
after(() => {
  disk.unmount();
  rmSync(folder, { recursive: true, force: true });
});

let small: LandingWorld;

before(async () => {
  small = await landingWorld(join(folder, 'small'));
  writeSmallInstall(small.oldHome, await freePort());
  await pushHome(small, { install: SMALL_INSTALL });
  hideOldHome(small);
});

/** Something in the way of every root: of whole ones, and of a single file beside others. */
function fillHome(home: string): void {
  const put = (path: string, text: string): void => {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), text, { mode: 0o640 });
  };
  put('.openclaw-work/openclaw.json', '{"of":"bob"}');
  put('.openclaw/exec-approvals.json', 'of bob');
  put('.openclaw/openclaw.json', '{"gateway":{"mode":"local"}}');
  put('my things/work space/SOUL.md', 'of bob');
  symlinkSync('SOUL.md', join(home, 'my things/work space/link'));
}

/** Without what was pulled, and without the times of folders in which things were moved. */
function ownTree(home: string): ReturnType<typeof scanTree> {
  const tree = scanTree(home);
  for (const name of ['', '.openclaw', 'my things']) tree.delete(name);
  for (const name of tree.keys()) if (/\.pulled-|\.stateferry-stage-/.test(name)) tree.delete(name);
  return tree;
}

describe('a pull that is undone', () => {
  test('leaves what was here as it was, single files of a folder too', async () => {
    const home = join(folder, 'users/bob');
    fillHome(home);
    const before = ownTree(home);
    const pulled = await pullInto(small, { home, ...QUIET });
    assert.equal(pulled.kept?.aside.length, 3);
    assert.ok(pulled.kept.aside.every(({ bytes }) => bytes > 0));
    const { plan } = await undoPull(small, { home });
    assert.equal(plan?.putBack.length, 3);
    assert.deepEqual(ownTree(home), before);
    assert.ok(existsSync(join(home, '.openclaw-work.pulled-undone/openclaw.json')));
    assert.equal((await undoPull(small, { home })).plan, undefined);
  });

  test('leaves an empty home empty but for what was pulled', async () => {
    const home = join(folder, 'users/carol');
    mkdirSync(home, { recursive: true });
    await pullInto(small, { home, ...QUIET });
    await undoPull(small, { home });
    assert.deepEqual([...ownTree(home).keys()], []);
    const again = await pullInto(small, { home, stamp: 'again', ...QUIET });
    assert.ok(again.isNew && again.landed?.ok);
  });

  test('in a home that is a link', async () => {
    const real = join(folder, 'users/dora');
    fillHome(real);
    const home = join(folder, 'users/link-to-dora');
    symlinkSync(real, home);
    const before = ownTree(real);
    await pullInto(small, { home, ...QUIET });
    await undoPull(small, { home });
    assert.deepEqual(ownTree(real), before);
  });
});

ring('small-disk', disk.absent, () => {
  test('a workspace on another file system than the state dir comes back too', async () => {
    const home = join(folder, 'users/emil');
    fillHome(home);
    const things = join(disk.path, 'things');
    spawnSync('mv', [join(home, 'my things'), things]);
    symlinkSync(things, join(home, 'my things'));
    const before = [ownTree(home), ownTree(things)];
    await pullInto(small, { home, ...QUIET });
    assert.equal(readFileSync(join(things, 'work space/SOUL.md'), 'utf8'), 'a soul');
    // A disk that cannot be written any more: nothing is moved, on the other one neither.
    const landed = [scanTree(home), scanTree(things)];
    disk.remount('ro');
    try {
      const error = await refusalOf(undoPull(small, { home }));
      assert.equal(error.code, 'target-unsafe');
      assert.match(error.message, /cannot be written/);
      assert.deepEqual([scanTree(home), scanTree(things)], landed);
    } finally {
      disk.remount('rw');
    }
    await undoPull(small, { home });
    assert.deepEqual([ownTree(home), ownTree(things)], before);
  });
});

describe('with a gateway', { skip: process.platform !== 'linux' }, () => {
  let world: LandingWorld;
  let users = 0;

  before(async () => {
    world = await landingWorld(join(folder, 'sample'));
    const port = await freePort();
    writeSample({ ...world, home: world.oldHome, nodePath: process.execPath, port }).close();
    await pushHome(world);
    hideOldHome(world);
  });

  type Here = { readonly home: string; readonly path: string; readonly lock: string };

  async function onboarded(manners: DoubleManners = {}): Promise<Here> {
    users += 1;
    const home = join(folder, `gateway/user-${users}`);
    const config = join(home, '.openclaw/openclaw.json');
    mkdirSync(join(home, '.openclaw'), { recursive: true });
    writeFileSync(config, `{ gateway: { port: ${await freePort()} } } // of onboarding`);
    const bin = join(folder, `gateway/bin-${users}`);
    writeGatewayDouble(bin, manners);
    const lock = lockPathOf(config, world.folder, process.getuid?.() ?? 0);
    return { home, lock, path: `${bin}:/usr/bin:/bin` };
  }

  async function startGateway({ home, path, lock }: Here): Promise<ChildProcess> {
    const env = { HOME: home, TMPDIR: world.folder, PATH: path };
    const child = spawn(join(path.split(':')[0] ?? '', 'openclaw'), ['gateway', 'run'], { env });
    children.push(child);
    await until(() => existsSync(lock));
    return child;
  }

  const pidOf = ({ lock }: Here): number =>
    (JSON.parse(readFileSync(lock, 'utf8')) as { pid: number }).pid;

  const told = (events: readonly FerryEvent[], code: string): boolean =>
    events.some((event) => event.type === 'notice' && event.code === code);

  test('undo stops it, and starts it again on what was here before', async () => {
    const here = await onboarded();
    const { home, path } = here;
    const before = scanTree(join(home, '.openclaw'));
    await pullInto(world, { home, path, ...QUIET });
    const child = await startGateway(here);
    appendFileSync(join(home, '.openclaw/agents/main/sessions/new.jsonl'), 'a new turn\n');
    const events: FerryEvent[] = [];
    const { plan } = await undoPull(world, { home, path, events });
    assert.equal(plan?.gateways.length, 1);
    assert.equal(child.exitCode, 0);
    assert.ok(told(events, 'gateway-up-again'));
    process.kill(pidOf(here), 'SIGKILL');
    assert.deepEqual(scanTree(join(home, '.openclaw')), before);
    const turn = join(home, '.openclaw.pulled-undone/agents/main/sessions/new.jsonl');
    assert.equal(readFileSync(turn, 'utf8'), 'a new turn\n');
  });

  const broken: DoubleManners = {
    answers: {
      'config validate': {
        stdout: '{"valid":false,"issues":[{"path":"x","message":"not for this version"}]}',
        exit: 1,
      },
    },
  };

  test('a failed checklist with --undo-on-failure: all is as before, the gateway too', async () => {
    const here = await onboarded(broken);
    const { home, path } = here;
    const child = await startGateway(here);
    const before = scanTree(join(home, '.openclaw'));
    const events: FerryEvent[] = [];
    const pulled = await pullInto(world, { home, path, events, undoOnFailure: true });
    assert.equal(pulled.landed?.ok, false);
    assert.equal(pulled.undone?.putBack.length, 1);
    assert.equal(child.exitCode, 0);
    assert.ok(told(events, 'undone') && told(events, 'gateway-up-again'));
    assert.notEqual(pidOf(here), child.pid);
    process.kill(pidOf(here), 'SIGKILL');
    assert.deepEqual(scanTree(join(home, '.openclaw')), before);
    assert.equal((await undoPull(world, { home, path })).plan, undefined);
  });

  test('without it, what was pulled stays, and can be undone', async () => {
    const { home, path } = await onboarded(broken);
    const before = scanTree(join(home, '.openclaw'));
    const pulled = await pullInto(world, { home, path });
    assert.equal(pulled.landed?.ok, false);
    assert.equal(pulled.undone, undefined);
    assert.ok(existsSync(join(home, '.openclaw/agents/main')));
    assert.ok((await undoPull(world, { home, path })).plan);
    assert.deepEqual(scanTree(join(home, '.openclaw')), before);
  });

  test('one that does not stop: nothing is undone', async () => {
    const here = await onboarded({ ignoresTerm: true });
    const { home, path } = here;
    await pullInto(world, { home, path, ...QUIET });
    const child = await startGateway(here);
    const before = scanTree(join(home, '.openclaw'));
    const error = await refusalOf(undoPull(world, { home, path, clock: quickClock() }));
    assert.equal(error.exit, 19);
    assert.equal(child.exitCode, null);
    assert.deepEqual(scanTree(join(home, '.openclaw')), before);
    assert.ok(existsSync(join(home, '.openclaw.before-stateferry-20261121-080000')));
  });
});
