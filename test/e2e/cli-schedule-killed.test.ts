/** An install of a schedule that is cut short leaves no timer, or the one from before; and it can be done again. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../support/until.ts';
import { asRecord, succeeded } from '../support/cli-run.ts';
import { folder, makeScene, skip, type Scene } from './schedule-scene.ts';

after(() => folder.remove());

describe('while it is proved', { skip }, () => {
  let scene: Scene;
  before(async () => {
    scene = await makeScene('judy', ['systemd']);
  });
  const timer = (): string => join(scene.machine.home, '.config/systemd/user/stateferry.timer');

  /** Sends the signal when the service has been started, and answers how it ended. */
  async function endedBy(signal: NodeJS.Signals, at: string): Promise<number | null> {
    const hold = scene.schedulers.hold();
    const count = scene.schedulers.calls().length;
    const child = scene.start('schedule', 'install', '--yes', '--at', at);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await until(() =>
      scene.schedulers.calls().slice(count).includes('systemctl --user start stateferry.service'),
    );
    child.kill(signal);
    const exit = await ended;
    hold.release();
    return exit;
  }

  test('interrupted: nothing is left, and the service is stopped', async () => {
    assert.equal(await endedBy('SIGINT', '01:00'), 130);
    assert.ok(!existsSync(timer()));
    assert.deepEqual(scene.schedulers.enabled(), []);
    assert.ok(scene.schedulers.calls().includes('systemctl --user stop stateferry.service'));
    assert.equal(scene.settings()['proof'], undefined);
    assert.equal(scene.settings()['schedule'], undefined);
  });

  test('killed: no timer is switched on; the same again installs it', async () => {
    assert.equal(await endedBy('SIGKILL', '01:00'), null);
    assert.deepEqual(scene.schedulers.enabled(), []);
    assert.equal(scene.settings()['schedule'], undefined);
    // What the killed one had started may still be pushing.
    await until(async () => (await scene.run('schedule', 'install', '--yes')).exit === 0);
    assert.deepEqual(scene.schedulers.enabled(), ['stateferry.timer']);
    assert.equal(scene.settings()['proof'], undefined);
  });

  test('killed over an older one: that one goes on', async () => {
    const before = scene.settings()['schedule'];
    assert.equal(await endedBy('SIGKILL', '05:45'), null);
    assert.deepEqual(scene.schedulers.enabled(), ['stateferry.timer']);
    assert.deepEqual(scene.settings()['schedule'], before);
    // The run that was not waited for ends the proof, whether or not a timer comes meanwhile and finds it at work.
    assert.equal((await scene.schedulers.fire())?.exit, 0);
    await until(() => asRecord(scene.settings()['proof'])['result'] !== undefined);
    // After it the timer does what it always did, as soon as that run has let go of the settings.
    let ran = await scene.run('schedule', 'run', 'push');
    await until(async () => {
      if (ran.exit === 2) ran = await scene.run('schedule', 'run', 'push');
      return ran.exit !== 2;
    });
    assert.match(succeeded(ran).stdout, /^push done/);
  });
});
