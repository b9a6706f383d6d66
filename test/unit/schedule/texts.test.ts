/** What is written for systemd, launchd and cron, to the letter; and that systemd takes it where it is at hand. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { planFor } from '../../../src/schedule/choose.ts';
import { cronPlan, crontabWith, isInCrontab } from '../../../src/schedule/cron.ts';
import { launchdPlan } from '../../../src/schedule/launchd.ts';
import { systemdPlan, unitFolderIn } from '../../../src/schedule/systemd.ts';
import { bareEnvironment, type Timer } from '../../../src/schedule/timer.ts';

/** With every character that one of the three understands in its own way. */
const NASTY = `/opt/it's 100% "$HOME" & <b>\\x/bin.cjs`;
const TIMER: Timer = {
  command: ['/usr/bin/node', NASTY, 'schedule', 'run', '--quiet'],
  environment: { PATH: '/usr/bin:/home/a b/bin', AWS_PROFILE: 'ferry' },
  at: '03:07',
  user: { name: 'alice', uid: 1000, gid: 1000, home: '/home/alice' },
};

describe('systemd', () => {
  test('a user: both units, to the letter', () => {
    const { files, enable, disable } = systemdPlan(TIMER, { scope: 'user' });
    assert.deepEqual(
      files.map(({ path }) => path),
      [
        '/home/alice/.config/systemd/user/stateferry.service',
        '/home/alice/.config/systemd/user/stateferry.timer',
      ],
    );
    assert.equal(
      files[0]?.text,
      `[Unit]
Description=stateferry: the jobs of its schedule that are due

[Service]
Type=oneshot
Environment="PATH=/usr/bin:/home/a b/bin"
Environment="AWS_PROFILE=ferry"
ExecStart="/usr/bin/node" "/opt/it's 100%% \\"$$HOME\\" & <b>\\\\x/bin.cjs" "schedule" "run" "--quiet"
SuccessExitStatus=3
TimeoutStartSec=24h
SyslogIdentifier=stateferry
UMask=0077
Nice=10
IOSchedulingClass=idle
`,
    );
    assert.equal(
      files[1]?.text,
      `[Unit]
Description=stateferry: looks every hour whether something is due (daily from 03:07)

[Timer]
OnCalendar=*-*-* *:07:00
Persistent=true
RandomizedDelaySec=5min

[Install]
WantedBy=timers.target
`,
    );
    assert.deepEqual(enable, [
      ['systemctl', '--user', 'enable', 'stateferry.timer'],
      ['systemctl', '--user', 'restart', 'stateferry.timer'],
    ]);
    assert.deepEqual(disable, [['systemctl', '--user', 'disable', '--now', 'stateferry.timer']]);
  });

  test('the system: a service of its own for each user, with that user’s rights', () => {
    const { files, enable } = systemdPlan(TIMER, { scope: 'system' });
    assert.equal(files[0]?.path, '/etc/systemd/system/stateferry-alice.service');
    assert.match(files[0]?.text ?? '', /^User=alice$/m);
    assert.match(files[0]?.text ?? '', /^After=network-online\.target$/m);
    assert.deepEqual(enable[0], ['systemctl', 'enable', 'stateferry-alice.timer']);
  });

  test('a program whose path systemd does not take is started by the shell', () => {
    for (const path of [
      `/home/o'neil/node`,
      '/home/a"b/node',
      '/home/a\\b/node',
      '/home/$a/node',
    ]) {
      const { files } = systemdPlan({ ...TIMER, command: [path, 'run'] }, { scope: 'user' });
      const line = /^ExecStart=(.*)$/m.exec(files[0]?.text ?? '')?.[1] ?? '';
      assert.ok(line.startsWith(String.raw`"/bin/sh" "-c" "exec \"$$0\" \"$$@\"" "/home/`), line);
    }
  });

  test('where the manager of a user reads its units', () => {
    const own = '/home/alice/.config/systemd/user';
    const others = '/run/user/1000/systemd/user /home/alice/.local/share/systemd/user';
    assert.equal(unitFolderIn(`${own}.control ${own} ${others}`, TIMER), undefined);
    assert.equal(unitFolderIn('', TIMER), undefined);
    const moved = `/home/alice/c/systemd/user.control /home/alice/c/systemd/user ${others}`;
    const folder = unitFolderIn(moved, TIMER);
    assert.equal(folder, '/home/alice/c/systemd/user');
    const { files } = planFor(TIMER, { kind: 'systemd', scope: 'user', folder });
    assert.equal(files[1]?.path, '/home/alice/c/systemd/user/stateferry.timer');
    const spaced = { ...TIMER, user: { ...TIMER.user, home: '/home/a b' } };
    assert.equal(unitFolderIn(`/x /home/a b/.config/systemd/user ${others}`, spaced), undefined);
  });

  const absence = spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'no systemd';
  test('systemd-analyze has nothing to say against them', { skip: absence }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'units-'));
    try {
      const command = ['/bin/sh', ...TIMER.command.slice(1)];
      const { files } = systemdPlan({ ...TIMER, command }, { scope: 'user' });
      const paths = files.map(({ path }) => join(folder, basename(path)));
      for (const [at, { text }] of files.entries()) writeFileSync(paths[at] ?? '', text);
      const env = { PATH: '/usr/bin:/bin', HOME: folder, XDG_RUNTIME_DIR: folder };
      const words = ['--user', 'verify', '--man=no', ...paths];
      const verified = spawnSync('systemd-analyze', words, { env, encoding: 'utf8' });
      // It warns where it does not fail.
      assert.equal(verified.stderr, '');
      assert.equal(verified.status, 0);
      const [, calendar = ''] = /^OnCalendar=(.*)$/m.exec(files[1]?.text ?? '') ?? [];
      const asked = spawnSync('systemd-analyze', ['calendar', calendar], { encoding: 'utf8' });
      assert.equal(asked.status, 0, asked.stderr);
      assert.match(asked.stdout, /:07:00/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('launchd', () => {
  test('an agent, to the letter', () => {
    const { files, enable } = launchdPlan(TIMER, 'user');
    const [file] = files;
    assert.equal(file?.path, '/home/alice/Library/LaunchAgents/stateferry.schedule.plist');
    assert.equal(
      file.text,
      `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>stateferry.schedule</string>
  <key>ProgramArguments</key>
  <array>
    <string>/usr/bin/node</string>
    <string>/opt/it's 100% "$HOME" &amp; &lt;b&gt;\\x/bin.cjs</string>
    <string>schedule</string>
    <string>run</string>
    <string>--quiet</string>
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key><string>/usr/bin:/home/a b/bin</string>
    <key>AWS_PROFILE</key><string>ferry</string>
  </dict>
  <key>StartCalendarInterval</key>
  <dict>
    <key>Minute</key><integer>7</integer>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>ProcessType</key>
  <string>Background</string>
  <key>LowPriorityIO</key>
  <true/>
  <key>Nice</key>
  <integer>10</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>/home/alice/Library/Logs/stateferry.log</string>
  <key>StandardErrorPath</key>
  <string>/home/alice/Library/Logs/stateferry.log</string>
</dict>
</plist>
`,
    );
    assert.deepEqual(enable, [
      ['launchctl', 'enable', 'gui/1000/stateferry.schedule'],
      ['launchctl', 'bootstrap', 'gui/1000', file.path],
    ]);
  });

  test('a daemon says whose rights it has', () => {
    const [file] = launchdPlan(TIMER, 'system').files;
    assert.equal(file?.path, '/Library/LaunchDaemons/stateferry.schedule.alice.plist');
    assert.match(file.text, /<key>UserName<\/key>\s*<string>alice<\/string>/);
  });
});

describe('cron', () => {
  const block = cronPlan(TIMER).crontab ?? '';

  test('a block, to the letter; the shell reads from it what was meant', () => {
    const [begin, line = '', end, ...more] = block.split('\n');
    assert.match(begin ?? '', /^# stateferry: begin/);
    assert.equal(
      line,
      `7 * * * * PATH='/usr/bin:/home/a b/bin' AWS_PROFILE=ferry nice -n 10 /usr/bin/node ` +
        `'/opt/it'\\''s 100'\\%' "$HOME" & <b>\\x/bin.cjs' schedule run --quiet`,
    );
    assert.equal(end, '# stateferry: end');
    assert.deepEqual(more, ['']);
    const shown = line.slice('7 * * * * '.length).replaceAll('\\%', '%');
    const words = shown.replace(/^.*nice -n 10 /, `printf '%s\\n' `);
    assert.deepEqual(
      spawnSync('/bin/sh', ['-c', words], { encoding: 'utf8' }).stdout.trimEnd().split('\n'),
      TIMER.command,
    );
  });

  test('what others wrote stays to the byte, however often it is installed', () => {
    for (const text of ['', '0 1 * * * mine\n', 'MAILTO=me\n\n# x\n0 1 * * * mine']) {
      const once = crontabWith(text, block);
      assert.equal(crontabWith(once, block), once);
      assert.ok(isInCrontab(once));
      const kept = text === '' || text.endsWith('\n') ? text : `${text}\n`;
      assert.equal(crontabWith(once, undefined), kept);
    }
    assert.equal(crontabWith('0 1 * * * mine\n', undefined), '0 1 * * * mine\n');
  });

  test('a block that lost its end takes nothing else along', () => {
    const [begin, line] = block.split('\n');
    const text = `a\n${begin}\n${line}\nb\n`;
    assert.equal(crontabWith(text, undefined), 'a\nb\n');
  });
});

test('no plan holds a variable that the description does not name', () => {
  for (const kind of ['systemd', 'launchd', 'cron'] as const) {
    const { files, crontab } = planFor(TIMER, { kind, scope: 'user' });
    const text = [...files.map((one) => one.text), crontab ?? ''].join('\n');
    assert.ok(text.includes('AWS_PROFILE'));
    assert.doesNotMatch(text, /AWS_(SECRET|ACCESS)|PASSPHRASE/);
  }
});

test('the bare environment is what a scheduler gives, and the timer’s own', () => {
  assert.deepEqual(bareEnvironment(TIMER), {
    HOME: '/home/alice',
    LOGNAME: 'alice',
    USER: 'alice',
    SHELL: '/bin/sh',
    PATH: '/usr/bin:/home/a b/bin',
    AWS_PROFILE: 'ferry',
  });
});
