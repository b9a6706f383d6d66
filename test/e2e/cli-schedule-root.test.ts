/** Root installs a timer of the system for whoever owns the home; in a name space of mounts, where /etc is not ours. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MAIN } from '../support/cli-run.ts';
import { folder, makeScene, OWNER, skip, snapshotsIn } from './schedule-scene.ts';

after(() => folder.remove());

const canUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;
const absence = OWNER && canUnshare ? skip : 'needs root and a name space of its own';

test(
  'sudo schedule install: the user’s rights, the system’s timer',
  { skip: absence },
  async () => {
    const scene = await makeScene('mallory', ['systemd']);
    const { home } = scene.machine;
    scene.schedulers.boot();
    const units = join(folder.path, 'units');
    mkdirSync(units);
    const asRoot = (...args: string[]) => {
      const mounted = `mount --bind '${units}' /etc/systemd/system && exec "$@"`;
      const words = ['--mount', 'sh', '-c', mounted, 'sh', process.execPath, MAIN, ...args];
      const path = `${scene.schedulers.binDir}:/usr/bin:/bin`;
      const env = {
        PATH: path,
        HOME: '/root',
        TMPDIR: scene.machine.folder,
        AWS_PROFILE: 'of-root',
      };
      return spawnSync('unshare', words, { env, cwd: '/', encoding: 'utf8' });
    };
    // What the user had installed before is replaced, not joined.
    assert.equal((await scene.run('schedule', 'install', '--yes')).exit, 0);
    assert.deepEqual(scene.schedulers.enabled(), ['stateferry.timer']);
    const told = join(scene.machine.folder, 'told');
    const words = ['--yes', '--home', home, '--notify-command', `id -u > '${told}'`];
    const installed = asRoot('schedule', 'install', ...words);
    assert.equal(installed.status, 0, installed.stderr);
    assert.deepEqual(readdirSync(units).toSorted(), [
      'stateferry-14001.service',
      'stateferry-14001.timer',
      'timers.target.wants',
    ]);
    const service = readFileSync(join(units, 'stateferry-14001.service'), 'utf8');
    assert.match(service, /^User=14001$/m);
    assert.match(service, new RegExp(`"--home" "${home}" "schedule" "run"`));
    assert.doesNotMatch(service, /AWS_PROFILE/);
    assert.deepEqual(scene.schedulers.enabled(), ['stateferry-14001.timer']);
    // The command is the user's own word, so root does not run it as root.
    assert.equal(readFileSync(told, 'utf8').trim(), '14001');
    assert.equal(snapshotsIn(scene.repository), 2);
    let count = 0;
    for (const top of [home, scene.repository]) {
      for (const name of readdirSync(top, { recursive: true, encoding: 'utf8' })) {
        count += 1;
        assert.equal(lstatSync(join(top, name)).uid, 14_001, name);
      }
    }
    assert.ok(count > 20);

    const status = asRoot('schedule', 'status', '--home', home);
    assert.equal(status.status, 0, status.stdout);
    assert.match(status.stdout, /^by systemd \(system\)/);
    assert.equal((await scene.run('schedule', 'remove')).exit, 2);
    const removed = asRoot('schedule', 'remove', '--home', home);
    assert.equal(removed.status, 0, removed.stderr);
    assert.deepEqual(readdirSync(units), []);
    assert.deepEqual(scene.schedulers.enabled(), []);
  },
);
