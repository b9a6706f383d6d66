/** What systemd keeps of a timer besides its files, and whose manager it is. */
import assert from 'node:assert/strict';
import { chownSync, existsSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { lockSettings } from '../../src/settings/lock.ts';
import { succeeded } from '../support/cli-run.ts';
import { folder, makeScene, OWNER, skip, type Scene } from './schedule-scene.ts';

after(() => folder.remove());

describe('a timer of a user', { skip }, () => {
  let scene: Scene;
  const inHome = (path: string): string => join(scene.machine.home, path);
  const unit = (name: string): string => inHome(`.config/systemd/user/stateferry.${name}`);
  const wants = (): string => inHome('.config/systemd/user/timers.target.wants/stateferry.timer');
  const stamp = (): string => inHome('.local/share/systemd/timers/stamp-stateferry.timer');
  const isThere = (path: string): boolean =>
    lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  before(async () => {
    scene = await makeScene('sybil', ['systemd']);
  });

  test('that fails when it is proved leaves nothing behind, and no service that failed', async () => {
    renameSync(scene.repository, `${scene.repository}-away`);
    assert.equal((await scene.run('schedule', 'install', '--yes')).exit, 10);
    renameSync(`${scene.repository}-away`, scene.repository);
    assert.ok(scene.schedulers.calls().includes('systemctl --user start stateferry.service'));
    assert.deepEqual(scene.schedulers.failed(), []);
    assert.deepEqual(readdirSync(inHome('.config/systemd/user')), []);
  });

  test('goes with its stamp, its link and its failures', async () => {
    succeeded(await scene.run('schedule', 'install', '--yes'));
    assert.ok(isThere(wants()) && isThere(stamp()));
    scene.change((schedule) => {
      schedule['installed'] = '2026-01-01T00:00:00Z';
      schedule['went'] = {};
    });
    renameSync(scene.repository, `${scene.repository}-away`);
    await scene.schedulers.fire();
    renameSync(`${scene.repository}-away`, scene.repository);
    assert.deepEqual(scene.schedulers.failed(), ['stateferry.service']);
    succeeded(await scene.run('schedule', 'remove'));
    assert.deepEqual(scene.schedulers.failed(), []);
    assert.ok(!isThere(wants()) && !isThere(stamp()));
  });

  test('goes when nobody is logged in either, and it is said who did not answer', async () => {
    succeeded(await scene.run('schedule', 'install', '--yes'));
    const out = scene.schedulers.logOut();
    const { removed, complaints } = succeeded(
      await scene.run('schedule', 'remove', '--json'),
    ).last();
    assert.deepEqual(removed, [unit('service'), unit('timer')]);
    assert.match(String(complaints), /disable --now stateferry\.timer .*Failed to connect to bus/);
    assert.ok(!isThere(wants()) && !isThere(stamp()));
    const answer = await scene.run('schedule', 'install', '--yes');
    assert.equal(answer.exit, 2);
    assert.match(answer.stderr, /hint: Install cron/);
    scene.schedulers.boot();
    const hinted = await scene.run('schedule', 'install', '--yes');
    assert.match(hinted.stderr, /hint: systemd runs here, .*sudo loginctl enable-linger/);
    out.logIn();
  });

  test('stays as long as it is at work', async () => {
    succeeded(await scene.run('schedule', 'install', '--yes'));
    const lock = lockSettings(inHome('.config/stateferry/lock'));
    if (OWNER) chownSync(inHome('.config/stateferry/lock'), OWNER.uid, OWNER.gid);
    const answer = await scene.run('schedule', 'remove');
    lock.release();
    assert.equal(answer.exit, 2);
    assert.match(answer.stderr, /another stateferry/);
    assert.ok(existsSync(unit('service')) && existsSync(unit('timer')));
    assert.deepEqual(scene.schedulers.enabled(), ['stateferry.timer']);
    succeeded(await scene.run('schedule', 'remove'));
  });

  test('lies where the manager looks, whatever a shell calls the folder of configs', async () => {
    const { machine, repository, schedulers } = scene;
    const env = {
      PATH: `${schedulers.binDir}:/usr/bin:/bin`,
      STATEFERRY_HOME: '',
      XDG_CONFIG_HOME: inHome('cfg'),
    };
    const words = ['--passphrase-file', machine.passphraseFile, '--machine', 'other'];
    succeeded(await machine.runWith(env, 'join', repository, ...words));
    succeeded(await machine.runWith(env, 'schedule', 'install', '--yes'));
    assert.ok(existsSync(unit('service')) && !existsSync(inHome('cfg/systemd')));
    succeeded(await machine.runWith(env, 'schedule', 'remove'));
    assert.ok(!existsSync(unit('service')));
  });

  test('that root installed is root’s to take away or to replace', async () => {
    succeeded(await scene.run('schedule', 'install', '--yes'));
    scene.change((schedule) => {
      schedule['scheduler'] = { kind: 'systemd', scope: 'system' };
    });
    for (const action of ['install', 'remove']) {
      const answer = await scene.run('schedule', action, '--yes');
      assert.equal(answer.exit, 2);
      assert.match(answer.stderr, /hint: .*sudo stateferry schedule remove --home /);
    }
    assert.ok(existsSync(unit('timer')));
  });
});
