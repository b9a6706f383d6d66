/** Which gateway a service starts is told by what it runs and sets, whatever it is called. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { discoverInstalls } from '../../../../src/gateway/discover/discover.ts';
import { mountedDisk } from '../../../../src/gateway/disk/disk.ts';
import { BRANDS, brandsWith } from '../../../../src/gateway/install/brands.ts';
import type { Install } from '../../../../src/gateway/install/install.ts';
import { parsePlist, parseUnit } from '../../../../src/gateway/services/service-files.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'services-')));
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => rmSync(folder, { recursive: true, force: true }));
const top = `${folder}/disk`;
const signal = new AbortController().signal;

/** By absolute path of the machine that the disk is of. */
function put(path: string, text: string): void {
  mkdirSync(dirname(top + path), { recursive: true });
  writeFileSync(top + path, text);
}

/** Discovery on a disk, so that services of the system can be tried too. */
async function found(home: string, brands = BRANDS): Promise<Install[]> {
  const disk = mountedDisk({ oldHome: home, homeAt: top + home });
  mkdirSync(top + home, { recursive: true });
  return await discoverInstalls({ home, disk, env: {}, brands, uid: 0 }, signal);
}

const brief = (installs: readonly Install[]): unknown[] =>
  installs.map(({ install, stateDir, configPath, service }) => [
    install,
    stateDir,
    configPath,
    service?.name,
  ]);

test('a unit is read as systemd reads it', () => {
  const unit = parseUnit([
    `[Service]
Environment=GONE=1
Environment=
Environment="A=one two" B=%%5 'C=3'
ExecStart=-/usr/bin/node \\
  "/opt/my apps/x.js" gateway
EnvironmentFile=-/etc/claw.env
# Environment=COMMENT=1
`,
    '[Service]\nEnvironment=D=4\nWorkingDirectory=-/srv/claw\nUser=claw\n',
  ]);
  assert.deepEqual(unit, {
    command: ['/usr/bin/node', '/opt/my apps/x.js', 'gateway'],
    environment: { A: 'one two', B: '%5', C: '3', D: '4' },
    environmentFiles: ['/etc/claw.env'],
    workingFolder: '/srv/claw',
    user: 'claw',
  });
});

test('a property list is read as launchd reads it', () => {
  const plist = parsePlist(`<plist><dict><key>Label</key><string>a.b</string>
    <key>ProgramArguments</key><array><string>/bin/claw</string><string>gateway</string></array>
    <key>EnvironmentVariables</key><dict><key>A</key><string>1 &amp; 2</string></dict>
    <key>WorkingDirectory</key><string>/Users/al</string></dict></plist>`);
  assert.deepEqual(plist, {
    command: ['/bin/claw', 'gateway'],
    environment: { A: '1 & 2' },
    environmentFiles: [],
    workingFolder: '/Users/al',
    user: undefined,
  });
});

test('names that follow no pattern: by the program, the variables, the folder, a file of variables', async () => {
  const home = '/home/al';
  const units = `${home}/.config/systemd/user`;
  const brands = brandsWith([{ name: 'acmeclaw', envPrefix: 'ACME', defaultPort: 7_007 }]);
  put(
    `${units}/butler.service`,
    '[Service]\nExecStart=/usr/bin/node /opt/lib/node_modules/openclaw/dist/index.js gateway --profile work\n',
  );
  put(`${units}/nightly.service`, '[Service]\nEnvironment=ACME_STATE_DIR=%h/deep/acme\n');
  put(
    `${units}/by-folder.service`,
    '[Service]\nWorkingDirectory=%h/.resonix\nExecStart=/opt/start gateway\n',
  );
  put(`${units}/by-file.service`, '[Service]\nEnvironmentFile=%h/claw.env\nExecStart=/opt/x\n');
  put(`${home}/claw.env`, 'ATOMICBOT_STATE_DIR=/srv/atomic\nGROQ_KEY=planted\n');
  put(`${units}/unrelated.service`, '[Service]\nExecStart=/usr/bin/openclaw --version\n');
  put(`${home}/.openclaw-work/openclaw.json`, '{}');
  put(`${home}/deep/acme/acmeclaw.json`, '{}');
  put(`${home}/.resonix/resonix.json`, '{}');
  put('/srv/atomic/atomicbot.json', '{}');
  const installs = await found(home, brands);
  assert.deepEqual(brief(installs), [
    ['acmeclaw:acme', `${home}/deep/acme`, `${home}/deep/acme/acmeclaw.json`, 'nightly.service'],
    [
      'openclaw:work',
      `${home}/.openclaw-work`,
      `${home}/.openclaw-work/openclaw.json`,
      'butler.service',
    ],
    ['atomicbot:atomic', '/srv/atomic', '/srv/atomic/atomicbot.json', 'by-file.service'],
    ['resonix', `${home}/.resonix`, `${home}/.resonix/resonix.json`, 'by-folder.service'],
  ]);
  const [notice] = installs[2]?.notices ?? [];
  assert.match(notice?.message ?? '', /GROQ_KEY/);
  assert.ok(!JSON.stringify(installs).includes('planted'));
});

test('services of the system count for the home of the user that they run as, and no other', async () => {
  put('/etc/passwd', 'claw:x:990:990::/var/lib/claw:/usr/sbin/nologin\n');
  put(
    '/etc/systemd/system/claw.service',
    '[Service]\nUser=claw\nEnvironment=OPENCLAW_STATE_DIR=/srv/claw OPENCLAW_CONFIG_PATH=/etc/claw.json\n',
  );
  put(
    '/Library/LaunchDaemons/x.plist',
    `<dict><key>UserName</key><string>claw</string><key>EnvironmentVariables</key>
     <dict><key>RESONIX_STATE_DIR</key><string>/srv/res</string></dict></dict>`,
  );
  put('/etc/claw.json', '{}');
  put('/srv/claw/agents/main/sessions/sessions.json', '{}');
  put('/srv/res/resonix.json', '{}');
  assert.deepEqual(brief(await found('/var/lib/claw')), [
    ['openclaw:claw', '/srv/claw', '/etc/claw.json', 'claw.service'],
    ['resonix:res', '/srv/res', '/srv/res/resonix.json', 'x.plist'],
  ]);
  assert.deepEqual(await found('/home/other'), []);
});

test('a unit copied from another machine names another home: it leads nowhere, which is said', async () => {
  const home = '/home/bob';
  put(
    `${home}/.config/systemd/user/openclaw-gateway.service`,
    '[Service]\nEnvironment=HOME=/home/alice OPENCLAW_STATE_DIR=/home/alice/.openclaw\n',
  );
  put(`${home}/.openclaw/openclaw.json`, '{}');
  put('/home/alice/.openclaw/openclaw.json', '{}');
  const installs = await found(home);
  assert.deepEqual(brief(installs), [
    ['openclaw', `${home}/.openclaw`, `${home}/.openclaw/openclaw.json`, undefined],
  ]);
  const notice = installs[0]?.notices.find(({ code }) => code === 'service-elsewhere');
  assert.match(notice?.message ?? '', /openclaw-gateway\.service .*\/home\/alice/);
});
