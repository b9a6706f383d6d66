/** schedule on the command line, with each scheduler: proved in its own environment, or not installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startS3Double, type S3Double } from '../support/s3-double.ts';
import { asRecord, PASSPHRASE, succeeded } from '../support/cli-run.ts';
import {
  folder,
  longAgo,
  makeScene,
  OWNER,
  skip,
  snapshotsIn,
  yesterday,
  type Scene,
} from './schedule-scene.ts';

after(() => folder.remove());

describe('systemd', { skip }, () => {
  let scene: Scene;
  const unit = (name: string): string =>
    join(scene.machine.home, '.config/systemd/user', `stateferry.${name}`);
  before(async () => {
    scene = await makeScene('alice', ['systemd', 'cron']);
  });

  test('shows everything and touches nothing with --dry-run; without a yes nothing happens', async () => {
    const shown = succeeded(await scene.run('schedule', 'install', '--dry-run')).stdout;
    assert.match(shown, /^OnCalendar=\*-\*-\* \*:30:00$/m);
    assert.match(shown, /^ExecStart=/m);
    assert.equal((await scene.run('schedule', 'install')).exit, 23);
    assert.ok(!existsSync(unit('timer')));
    assert.equal(snapshotsIn(scene.repository), 0);
  });

  test('starts the service once, and switches the timer on when that has pushed', async () => {
    const answer = succeeded(await scene.run('schedule', 'install', '--yes', '--json'));
    const { proved } = answer.last();
    assert.deepEqual(proved, { push: true, installs: ['openclaw:work'] });
    assert.ok(answer.lines().some(({ code }) => code === 'no-linger'));
    assert.deepEqual(
      scene.schedulers.calls().filter((call) => !/ show/.test(call)),
      [
        'systemctl --user daemon-reload',
        'systemctl --user start stateferry.service',
        'systemctl --user enable stateferry.timer',
        'systemctl --user restart stateferry.timer',
      ],
    );
    assert.deepEqual(scene.schedulers.enabled(), ['stateferry.timer']);
    assert.equal(snapshotsIn(scene.repository), 1);
    assert.equal(scene.settings()['proof'], undefined);
    const status = succeeded(await scene.run('schedule', 'status')).stdout;
    assert.match(status, /^push +daily +\d{4}-/m);
  });

  test('a timer that fires twice does nothing the second time', async () => {
    assert.equal((await scene.schedulers.fire())?.exit, 0);
    assert.equal(snapshotsIn(scene.repository), 1);
    scene.change((schedule) => {
      schedule['installed'] = longAgo();
      schedule['went'] = { push: { ok: yesterday() } };
    });
    const both = await Promise.all([scene.schedulers.fire(), scene.schedulers.fire()]);
    assert.deepEqual(
      both.map((one) => one?.exit),
      [0, 0],
    );
    assert.equal(snapshotsIn(scene.repository), 2);
  });

  test('a failure is kept and shown, and the next hour mends it', async () => {
    scene.change((schedule) => {
      schedule['went'] = { push: { ok: yesterday() } };
    });
    renameSync(scene.repository, `${scene.repository}-away`);
    assert.equal((await scene.schedulers.fire())?.exit, 1);
    const status = await scene.run('schedule', 'status', '--json');
    assert.equal(status.exit, 0, 'not overdue yet');
    assert.match(JSON.stringify(status.last()['attention']), /the last push .* failed/);
    renameSync(`${scene.repository}-away`, scene.repository);
    assert.equal((await scene.schedulers.fire())?.exit, 0);
    assert.equal(snapshotsIn(scene.repository), 3);
    assert.deepEqual(
      succeeded(await scene.run('schedule', 'status', '--json')).last()['attention'],
      [],
    );
  });

  test('what does not happen is overdue: exit status 24, in both kinds of status', async () => {
    const before = scene.settings()['schedule'];
    const overdue = async (pattern: RegExp): Promise<void> => {
      for (const verb of [['status'], ['schedule', 'status']]) {
        const answer = await scene.run(...verb);
        assert.equal(answer.exit, 24, answer.stderr);
        assert.match(answer.stdout, pattern);
      }
      scene.change((schedule) => Object.assign(schedule, before));
    };
    scene.change((schedule) => {
      schedule['went'] = { push: { ok: longAgo(), failed: new Date().toISOString() } };
    });
    await overdue(/push is to succeed daily, and did last at/);
    const strict = await scene.run('status', '--max-age', '1h');
    assert.equal(strict.exit, 0, 'pushed a moment ago');
    scene.change((schedule) => {
      schedule['installed'] = schedule['went'] = {};
      schedule['installed'] = longAgo();
    });
    await overdue(/has not tried anything since a job was due/);
    scene.change((schedule) => {
      schedule['command'] = ['/nowhere/node', '/nowhere/stateferry', 'schedule', 'run'];
    });
    await overdue(/the timer starts \/nowhere\/node, which is not there any more/);
    renameSync(unit('timer'), `${unit('timer')}.away`);
    await overdue(/stateferry\.timer is gone/);
    renameSync(`${unit('timer')}.away`, unit('timer'));
    assert.equal((await scene.run('status')).exit, 0);
  });

  test('a person runs a job that is not due, and is told what there is none of', async () => {
    const before = snapshotsIn(scene.repository);
    const ran = succeeded(await scene.run('schedule', 'run', 'push'));
    assert.match(ran.stdout, /^push done in /);
    assert.equal(snapshotsIn(scene.repository), before + 1);
    const none = await scene.run('schedule', 'run', 'drill');
    assert.equal(none.exit, 2);
    assert.match(none.stderr, /hint: Its jobs are: push/);
  });

  test('a limit of somebody’s own needs no schedule', async () => {
    const file = join(scene.machine.home, '.config/stateferry/settings.json');
    const text = readFileSync(file, 'utf8');
    const { schedule: _, ...rest } = scene.settings();
    writeFileSync(
      file,
      JSON.stringify(rest).replace(/("lastPush":\{"[^"]*":\{"time":")[^"]*/, `$1${longAgo()}`),
    );
    succeeded(await scene.run('status'));
    const late = await scene.run('status', '--max-age', '3d');
    assert.equal(late.exit, 24);
    assert.match(late.stdout, /openclaw:work was pushed to .* last at .*, which is too long ago/);
    succeeded(await scene.run('status', '--max-age', '4d'));
    assert.equal((await scene.run('status', '--max-age', 'soon')).exit, 2);
    writeFileSync(file, text);
  });

  test('an install that is not proved leaves the one before as it is', async () => {
    const files = [unit('service'), unit('timer')].map((path) => readFileSync(path, 'utf8'));
    const before = scene.settings()['schedule'];
    renameSync(scene.repository, `${scene.repository}-away`);
    const answer = await scene.run('schedule', 'install', '--yes', '--at', '05:15');
    assert.equal(answer.exit, 10);
    assert.match(answer.stderr, /error: in the timer's own environment .* nothing was installed/);
    assert.deepEqual(
      [unit('service'), unit('timer')].map((path) => readFileSync(path, 'utf8')),
      files,
    );
    assert.deepEqual(scene.settings()['schedule'], before);
    assert.deepEqual(scene.schedulers.enabled(), ['stateferry.timer']);
    renameSync(`${scene.repository}-away`, scene.repository);
  });

  test('another scheduler takes its place', async () => {
    scene.schedulers.setCrontab('0 1 * * * mine\n');
    if (OWNER) spawnSync('chown', ['-R', '14001:14001', scene.machine.folder]);
    succeeded(await scene.run('schedule', 'install', '--yes', '--scheduler', 'cron'));
    assert.deepEqual(scene.schedulers.enabled(), []);
    assert.ok(!existsSync(unit('service')));
    assert.match(scene.schedulers.crontab(), /^0 1 \* \* \* mine\n# stateferry: begin/);
    assert.equal((await scene.schedulers.fire())?.exit, 0);
    const removed = succeeded(await scene.run('schedule', 'remove', '--json')).last();
    assert.deepEqual(removed['removed'], ['the lines in the crontab']);
    assert.equal(scene.schedulers.crontab(), '0 1 * * * mine\n');
    assert.equal(scene.settings()['schedule'], undefined);
  });

  test('a crontab that cannot be read is not written', async () => {
    const mine = '0 1 * * * mine\n';
    scene.schedulers.setCrontab(mine);
    if (OWNER) spawnSync('chown', ['-R', '14001:14001', scene.machine.folder]);
    const hidden = scene.schedulers.hideCrontab();
    const answer = await scene.run('schedule', 'install', '--yes', '--scheduler', 'cron');
    assert.equal(answer.exit, 20, answer.stderr);
    assert.match(answer.stderr, /error: crontab -l ended with 1: .*Input\/output error/);
    assert.equal(scene.schedulers.crontab(), mine);
    hidden.show();
    succeeded(await scene.run('schedule', 'install', '--yes', '--scheduler', 'cron'));
    const both = scene.schedulers.crontab();
    const again = scene.schedulers.hideCrontab();
    const status = await scene.run('schedule', 'status', '--json');
    assert.doesNotMatch(status.stdout, /timer-gone/);
    const removed = succeeded(await scene.run('schedule', 'remove', '--json')).last();
    assert.deepEqual(removed['removed'], []);
    assert.match(String(removed['complaints']), /^crontab -l ended with 1: .*Input\/output error$/);
    assert.equal(scene.schedulers.crontab(), both);
    again.show();
    succeeded(await scene.run('schedule', 'remove'));
    assert.equal(scene.schedulers.crontab(), mine);
  });

  test('what a killed install left is removed, although the settings do not know it', async () => {
    succeeded(await scene.run('schedule', 'install', '--yes'));
    const file = join(scene.machine.home, '.config/stateferry/settings.json');
    const { schedule: _, ...rest } = scene.settings();
    writeFileSync(file, JSON.stringify(rest));
    succeeded(await scene.run('schedule', 'remove'));
    assert.ok(!existsSync(unit('service')) && !existsSync(unit('timer')));
    assert.deepEqual(scene.schedulers.enabled(), []);
  });
});

describe('launchd', { skip }, () => {
  test('is given an agent after one run, and gives it back', async () => {
    const scene = await makeScene('carol', ['launchd']);
    const words = ['schedule', 'install', '--yes', '--scheduler', 'launchd'];
    succeeded(await scene.run(...words));
    const agent = join(scene.machine.home, 'Library/LaunchAgents/stateferry.schedule.plist');
    assert.ok(existsSync(agent));
    assert.equal((await scene.schedulers.fire())?.exit, 0);
    // A second time: the one that is loaded has to go first.
    succeeded(await scene.run(...words, '--at', '06:00'));
    succeeded(await scene.run('schedule', 'remove'));
    assert.ok(!existsSync(agent));
    assert.deepEqual(scene.schedulers.enabled(), []);
  });
});

describe('no scheduler at all', { skip }, () => {
  test('is told, with what to type', async () => {
    const scene = await makeScene('dave', []);
    const answer = await scene.run('schedule', 'install', '--yes', '--json');
    assert.equal(answer.exit, 2);
    assert.equal(answer.last()['code'], 'scheduler-missing');
    assert.match(
      String(answer.last()['hint']),
      /run once a day what it shall do .*: \S+ \S+ push$/,
    );
  });
});

describe('credentials that only the shell has', { skip }, () => {
  let double: S3Double;
  before(async () => {
    double = await startS3Double();
  });
  after(() => double.close());

  for (const scheduler of ['systemd', 'cron'] as const) {
    test(`${scheduler}: nothing is installed, and it is said what a timer lacks`, async () => {
      const keys = {
        AWS_ACCESS_KEY_ID: double.accessKey,
        AWS_SECRET_ACCESS_KEY: double.secretKey,
        AWS_EC2_METADATA_DISABLED: 'true',
      };
      const options = `endpoint=${double.url}&region=${double.region}&addressing=path`;
      const location = `s3://${double.bucketName}/${scheduler}?${options}`;
      const scene = await makeScene(`erin-${scheduler}`, [scheduler], location, keys);
      succeeded(await scene.run('push'));
      const answer = await scene.run('schedule', 'install', '--yes');
      assert.equal(answer.exit, 13, answer.stderr);
      assert.match(answer.stderr, /hint: .*AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.*credentials/);
      const said = answer.stdout + answer.stderr;
      for (const secret of [double.secretKey, PASSPHRASE]) assert.ok(!said.includes(secret));
      assert.equal(scene.schedulers.crontab(), '');
      assert.deepEqual(scene.schedulers.enabled(), []);
      const units = join(scene.machine.home, '.config/systemd/user');
      assert.deepEqual(existsSync(units) ? readdirSync(units) : [], []);

      mkdirSync(join(scene.machine.home, '.aws'));
      const { accessKey, secretKey } = double;
      const credentials = join(scene.machine.home, '.aws/credentials');
      writeFileSync(
        credentials,
        `[default]\naws_access_key_id = ${accessKey}\naws_secret_access_key = ${secretKey}\n`,
      );
      succeeded(await scene.run('schedule', 'install', '--yes'));
      const written = [
        scene.schedulers.crontab(),
        ...(existsSync(units) ? readdirSync(units, { withFileTypes: true }) : [])
          .filter((entry) => entry.isFile())
          .map(({ name }) => readFileSync(join(units, name), 'utf8')),
        JSON.stringify(scene.settings()['schedule']),
      ].join('\n');
      assert.match(written, /schedule/);
      for (const secret of [secretKey, accessKey]) assert.ok(!written.includes(secret));

      // Later the key is taken back: the timer's push fails, and it is said why.
      scene.change((schedule) => {
        schedule['went'] = { push: { ok: yesterday() } };
      });
      const lost = readFileSync(credentials, 'utf8').replace(secretKey, 'planted-old-key');
      writeFileSync(credentials, lost);
      assert.notEqual((await scene.schedulers.fire())?.exit, 0);
      const status = await scene.run('schedule', 'status', '--json');
      assert.match(status.stdout, /"code":"store-denied"/);
      for (const secret of ['planted-old-key', secretKey])
        assert.ok(!status.stdout.includes(secret));
    });
  }
});

describe('what is asked for wrongly', { skip }, () => {
  let scene: Scene;
  before(async () => {
    scene = await makeScene('frank', ['cron']);
  });

  const WRONG: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['install', '--at', '25:00'], 2, /--at 25:00 is no time of day/],
    [['install', '--check', 'hourly'], 2, /daily, weekly, monthly/],
    [['install', '--no-push'], 2, /nothing is left to do/],
    [['install', '--keep-daily', 'x'], 2, /--keep-daily x/],
    [['install', '--scheduler', 'at'], 2, /systemd, launchd or cron/],
    [['install', '--check'], 12, /needs a reader key file.*\n.*another machine than the gateway/],
    [['sideways'], 2, /install \| status \| remove \| run/],
    [['run'], 2, /no schedule is installed/],
  ];
  for (const [words, exit, pattern] of WRONG) {
    test(`schedule ${words.join(' ')}`, async () => {
      const answer = await scene.run('schedule', ...words, '--yes');
      assert.equal(answer.exit, exit, answer.stderr);
      assert.match(answer.stderr, pattern);
    });
  }

  test('with a reader key the keeping jobs go along, one after the other, and the risk is said', async () => {
    const { passphraseFile } = scene.machine;
    const key = join(scene.machine.folder, 'reader.key');
    const add = ['keys', 'add', 'reader', key, '--passphrase-file', passphraseFile];
    succeeded(await scene.run(...add));
    const keep = ['--keep-last', '1', '--keep-label', 'gold'];
    const jobs = [
      ...keep,
      '--prune',
      '--check',
      'daily',
      '--drill',
      'monthly',
      '--drill-folder',
      '.',
      '--reader-key',
      key,
    ];
    const answer = succeeded(await scene.run('schedule', 'install', ...jobs, '--yes', '--json'));
    assert.ok(answer.lines().some(({ code }) => code === 'reader-key-on-gateway'));
    const late = (): void =>
      scene.change((schedule) => {
        schedule['installed'] = longAgo();
        schedule['went'] = { push: { ok: new Date().toISOString() } };
      });
    succeeded(await scene.run('push'));
    late();
    assert.equal(snapshotsIn(scene.repository), 2);
    const ran = succeeded(await scene.run('schedule', 'run', '--json')).last();
    assert.deepEqual(outcomes(ran), [
      ['forget', true, null],
      ['prune', true, null],
      ['check', true, null],
      ['drill', true, null],
    ]);
    assert.equal(snapshotsIn(scene.repository), 1);
    const file = readFileSync(join(scene.machine.home, '.config/stateferry/settings.json'), 'utf8');
    assert.ok(!file.includes('stateferry-reader-1'), 'the path of the key is kept, never the key');

    // One that fails does not keep the others back, and says what it found.
    late();
    const packs = join(scene.repository, 'packs');
    for (const name of readdirSync(packs, { recursive: true, encoding: 'utf8' })) {
      if (/\/[0-9a-f]{32}$/.test(name)) rmSync(join(packs, name));
    }
    const bad = await scene.run('schedule', 'run', '--json');
    assert.equal(bad.exit, 15, bad.stdout);
    const [forget, prune, check, drill] = outcomes(bad.last());
    assert.deepEqual([forget?.[0], prune?.[0]], ['forget', 'prune']);
    assert.deepEqual([check?.[0], check?.[1]], ['check', false]);
    assert.match(String(check?.[2]), /^packs\/.*: /);
    assert.deepEqual([drill?.[0], drill?.[1]], ['drill', false]);
    const told = await scene.run('schedule', 'status');
    assert.match(told.stdout, /the last check of the schedule failed at .*: packs\//);
  });

  function outcomes(summary: Record<string, unknown>): unknown[][] {
    assert.ok(Array.isArray(summary['jobs']));
    return summary['jobs'].map(asRecord).map((one) => [one['job'], one['ok'], one['message']]);
  }
});
