/** What the stand-ins of systemd claim, on a real one: timers of ours, and the service of a gateway. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import type { RunResult } from '../../src/process/run.ts';
import { asRecord, MAIN, makeFolder, PASSPHRASE } from '../support/cli-run.ts';
import { writeGatewayDouble } from '../support/gateway-double.ts';
import { nobodyAbsence } from '../support/nobody.ts';
import { freePort } from '../support/ports.ts';
import { startSystemd, systemdAbsence, type SystemdUser } from '../support/real-systemd.ts';
import { ring } from '../support/rings.ts';
import { until } from '../support/until.ts';

const folder = makeFolder();
chmodSync(folder.path, 0o755);
after(() => folder.remove());
const bin = join(folder.path, 'bin');
writeGatewayDouble(bin, { stop: 'systemctl', hasSystemd: true });
const absence = systemdAbsence() ?? nobodyAbsence();
const plain = await userWithGateway('plain', 14_002, 'plain');
const odd = await userWithGateway('odd', 14_003, `it's 100% "$HOME"`);
const machine = absence === undefined ? await start() : { absence };

async function userWithGateway(name: string, uid: number, home: string): Promise<SystemdUser> {
  const path = join(folder.path, home);
  const state = join(path, '.openclaw');
  mkdirSync(join(state, 'workspace'), { recursive: true });
  const config = { gateway: { mode: 'local', port: await freePort() } };
  writeFileSync(join(state, 'openclaw.json'), JSON.stringify(config, undefined, 2));
  writeFileSync(join(path, 'passphrase'), PASSPHRASE);
  if (absence === undefined) spawnSync('chown', ['-R', `${uid}:${uid}`, path]);
  return { name, uid, home: path };
}

async function start(): ReturnType<typeof startSystemd> {
  const own = join(folder.path, 'machine');
  mkdirSync(own);
  const checkout = resolve(import.meta.dirname, '../..');
  const homes = [plain, odd].map(({ home }) => home);
  return startSystemd(own, [plain, odd], [checkout, dirname(process.execPath), bin, ...homes]);
}

ring('systemd', 'absence' in machine ? machine.absence : undefined, () => {
  if ('absence' in machine) return;
  after(() => machine.stop());
  const path = `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`;
  const ferryAs = (user: SystemdUser | undefined, env: Record<string, string>, args: string[]) =>
    machine.run(user, [process.execPath, MAIN, ...args], { PATH: path, TMPDIR: '/tmp', ...env });
  const ferry = (user: SystemdUser, ...args: string[]) => ferryAs(user, {}, args);
  const systemctl = (user: SystemdUser, ...words: string[]) =>
    machine.run(user, ['systemctl', '--user', ...words]);
  const good = (ran: RunResult): RunResult => {
    assert.equal(ran.exit, 0, ran.stderr + ran.stdout);
    return ran;
  };
  const lastPush = ({ home }: SystemdUser): string => {
    const text = readFileSync(join(home, '.config/stateferry/settings.json'), 'utf8');
    const { went } = asRecord(asRecord(JSON.parse(text))['schedule']);
    return String(asRecord(asRecord(went)['push'])['ok']);
  };
  /** Nothing of ours is known to the manager, nothing has failed, and no file is left. */
  const isClean = async (user: SystemdUser): Promise<void> => {
    const units = good(await systemctl(user, 'list-units', '--all', '--no-legend', 'stateferry*'));
    assert.equal(units.stdout, '');
    assert.equal(good(await systemctl(user, 'is-system-running')).stdout.trim(), 'running');
    for (const one of ['.config/systemd/user', '.local/share/systemd/timers']) {
      const there = join(user.home, one);
      const names = existsSync(there) ? readdirSync(there, { recursive: true }) : [];
      assert.deepEqual(
        names.map(String).filter((name) => name.includes('stateferry')),
        [],
      );
    }
  };

  for (const user of [plain, odd]) {
    test(`a timer is proved and switched on, fires, and goes: ${user.name}`, async () => {
      const repository = join(user.home, 'repository');
      const words = ['--kit', join(user.home, 'kit'), '--passphrase-file'];
      good(await ferry(user, 'init', repository, ...words, join(user.home, 'passphrase')));
      good(await ferry(user, 'schedule', 'install', '--yes'));
      for (const [asked, said] of [
        ['is-active', 'active'],
        ['is-enabled', 'enabled'],
      ] as const) {
        assert.equal((await systemctl(user, asked, 'stateferry.timer')).stdout.trim(), said);
      }
      const before = lastPush(user);
      const settings = join(user.home, '.config/stateferry/settings.json');
      const text = readFileSync(settings, 'utf8');
      writeFileSync(settings, text.replaceAll(before.slice(0, 10), '2026-01-01'));
      const dropIn = join(user.home, '.config/systemd/user/stateferry.timer.d');
      mkdirSync(dropIn);
      const often = 'OnCalendar=*:*:*\nRandomizedDelaySec=0\nAccuracySec=1us';
      writeFileSync(join(dropIn, 'often.conf'), `[Timer]\n${often}\n`);
      good(await systemctl(user, 'daemon-reload'));
      good(await systemctl(user, 'restart', 'stateferry.timer'));
      await until(() => !lastPush(user).startsWith('2026-01-01'));
      // One that is at work is not taken away, one that only begins is.
      await until(async () => (await ferry(user, 'schedule', 'remove')).exit === 0);
      rmSync(dropIn, { recursive: true });
      good(await systemctl(user, 'daemon-reload'));
      await isClean(user);
    });
  }

  test('one that is not proved leaves nothing, and nothing that failed', async () => {
    const repository = join(plain.home, 'repository');
    renameSync(repository, `${repository}-away`);
    const ran = await ferry(plain, 'schedule', 'install', '--yes');
    renameSync(`${repository}-away`, repository);
    assert.equal(ran.exit, 10, ran.stderr);
    await isClean(plain);
  });

  test('an XDG_CONFIG_HOME of a shell is not the manager’s', async () => {
    const config = join(plain.home, 'elsewhere');
    mkdirSync(config);
    chownSync(config, plain.uid, plain.uid);
    spawnSync('cp', ['-rp', join(plain.home, '.config/stateferry'), config]);
    const env = { XDG_CONFIG_HOME: config };
    good(await ferryAs(plain, env, ['schedule', 'install', '--yes']));
    good(await ferryAs(plain, env, ['schedule', 'remove']));
    await isClean(plain);
  });

  test('a timer of the system takes the place of the user’s own', async () => {
    const asRoot = (...args: string[]) => ferryAs(undefined, {}, ['--home', plain.home, ...args]);
    good(await ferry(plain, 'schedule', 'install', '--yes'));
    good(await asRoot('schedule', 'install', '--yes'));
    await isClean(plain);
    const timer = ['systemctl', 'is-active', 'stateferry-plain.timer'];
    assert.equal((await machine.run(undefined, timer)).stdout.trim(), 'active');
    good(await asRoot('schedule', 'remove'));
    assert.equal((await machine.run(undefined, timer)).stdout.trim(), 'inactive');
    const state = good(await machine.run(undefined, ['systemctl', 'is-system-running']));
    assert.equal(state.stdout.trim(), 'running');
  });

  test('a handoff stops the gateway’s service and keeps it down; --cancel brings it back', async () => {
    const unit = 'openclaw-gateway.service';
    const install = [join(bin, 'openclaw'), 'gateway', 'install', '--json'];
    good(await machine.run(plain, install, { PATH: path, TMPDIR: '/tmp' }));
    const stands = async (): Promise<string[]> => {
      const answers = [await systemctl(plain, 'is-active', unit)];
      answers.push(await systemctl(plain, 'is-enabled', unit));
      return answers.map(({ stdout }) => stdout.trim());
    };
    assert.deepEqual(await stands(), ['active', 'enabled']);
    const secret = ['--passphrase-file', join(plain.home, 'passphrase')];
    good(await ferry(plain, 'handoff', '--yes', ...secret));
    assert.deepEqual(await stands(), ['inactive', 'disabled']);
    await systemctl(plain, 'start', unit);
    assert.deepEqual(await stands(), ['inactive', 'disabled']);
    good(await ferry(plain, 'handoff', '--cancel', '--yes'));
    assert.deepEqual(await stands(), ['active', 'enabled']);
    good(await systemctl(plain, 'disable', '--now', unit));
  });
});
