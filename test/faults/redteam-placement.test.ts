/** The places that a snapshot names are a stranger's words: what would land where something runs it is refused. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FerryError } from '../../src/base/errors.ts';
import type { GatewayRecord } from '../../src/gateway/install/record.ts';
import { moveMap } from '../../src/pull/places/move-map.ts';
import { wholeRoots } from '../../src/pull/places/pieces.ts';
import { planPlacements } from '../../src/pull/places/placement.ts';
import { refuseUnsafePlaces } from '../../src/pull/places/safe-places.ts';
import { bareBody } from '../support/snapshot-body.ts';

const folder = mkdtempSync(join(tmpdir(), 'stateferry-placement-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const home = join(folder, 'home/bob');
const journals = join(folder, 'settings/journals');
mkdirSync(join(home, '.ssh'), { recursive: true });
mkdirSync(journals, { recursive: true });
writeFileSync(join(home, '.ssh/authorized_keys'), 'of bob');
symlinkSync(join(folder, 'home'), join(folder, 'other-name'));

type Wish = {
  readonly path: string;
  readonly only?: readonly string[];
  readonly name?: string;
};
type More = { readonly stateDir?: string; readonly configPath?: string; readonly home?: string };

function plan(wishes: readonly Wish[], more: More = {}): void {
  const oldHome = more.home ?? '/home/ada';
  const body = bareBody(
    oldHome,
    wishes.map((wish) => ({ ...wish, files: 1 })),
  );
  const counts = { agents: [], credentialFiles: 0, channels: [], cronJobs: 0, workspaces: [] };
  const record: GatewayRecord = {
    home: oldHome,
    stateDir: more.stateDir ?? '/home/ada/.openclaw',
    configPath: more.configPath ?? '/home/ada/.openclaw/openclaw.json',
    mode: 'local',
    port: 1,
    configVersion: null,
    cliVersion: null,
    running: false,
    agents: [],
    channels: [],
    countsBefore: counts,
    countsAfter: counts,
    service: null,
    roots: wishes.map(({ path, only, name }, index) => ({
      name: name ?? `root-${index}`,
      kind: 'workspace',
      path,
      aliases: [],
      only: only === undefined ? null : [...only],
    })),
  };
  const snapshotId = 'ab'.repeat(16);
  const map = moveMap(body, record, { home, wanted: [] });
  const pieces = wholeRoots(body, record, map);
  const stamp = '20261121-080000';
  const wanted = { pieces, renamed: [], map, record, snapshotId, stamp };
  const [placement] = planPlacements([wanted]);
  assert.ok(placement);
  refuseUnsafePlaces(placement, home, journals);
}

const REFUSED: Readonly<Record<string, readonly [Wish[], More?]>> = {
  'a root that climbs': [[{ path: '/home/ada/.openclaw/../.ssh' }]],
  'a root that climbs beside the home': [[{ path: '/home/ada/../eve' }]],
  'a root with an empty component': [[{ path: '/home/ada//.ssh' }]],
  'a root with a NUL': [[{ path: '/home/ada/a\\x00b' }]],
  'a relative root': [[{ path: 'work' }]],
  'the home itself': [[{ path: '/home/ada' }]],
  'what is above the home': [[{ path: folder }]],
  'the top': [[{ path: '/' }]],
  'keys that let people in': [[{ path: '/home/ada/.ssh' }]],
  'a folder in there': [[{ path: '/home/ada/.ssh/config.d' }]],
  'what holds unit files': [[{ path: '/home/ada/.config' }]],
  'unit files': [[{ path: '/home/ada/.config/systemd/user' }]],
  'programs of the user': [[{ path: '/home/ada/.local/bin' }]],
  'keys by a name of other case': [[{ path: '/home/ada/.SSH' }]],
  'keys of somebody else, for root': [[{ path: '/home/eve/.ssh' }]],
  'keys of root': [[{ path: '/root/.ssh' }]],
  'keys by another name of the disk': [[{ path: '/System/Volumes/Data/Users/eve/.ssh' }]],
  'the home of somebody else': [[{ path: '/home/eve' }]],
  'the home by way of a link': [[{ path: join(folder, 'other-name/bob') }]],
  'keys by way of a link': [[{ path: join(folder, 'other-name/bob/.ssh/new') }]],
  'agents of macOS': [[{ path: '/home/ada/Library/LaunchAgents' }]],
  'our own settings': [[{ path: join(folder, 'settings') }]],
  'jobs of the system': [[{ path: '/etc/cron.d' }]],
  'unit files of the system': [[{ path: '/etc/systemd/system' }]],
  'programs of the system': [[{ path: '/usr/local/bin' }]],
  'a single file that lets people in': [[{ path: '/home/ada/.ssh', only: ['authorized_keys'] }]],
  'a single file that a shell runs': [[{ path: '/home/ada', only: ['.bashrc'] }]],
  'another one': [[{ path: '/home/ada', only: ['SOUL.md', '.profile'] }]],
  'a single file that climbs': [[{ path: '/home/ada/work', only: ['../.ssh/authorized_keys'] }]],
  'a single file deeper down': [[{ path: '/home/ada', only: ['work/x'] }]],
  'a single file without a name': [[{ path: '/home/ada', only: [''] }]],
  'two roots of one name': [
    [
      { path: '/home/ada/one', name: 'state' },
      { path: '/home/ada/two', name: 'state' },
    ],
  ],
  'a home that climbs': [[{ path: '/x/../.ssh' }], { home: '/x' }],
  'a state dir that climbs': [[{ path: '/home/ada/w' }], { stateDir: '/home/ada/w/../../eve' }],
  'a config that climbs': [[{ path: '/home/ada/w' }], { configPath: '/home/ada/w/../c.json' }],
};

for (const [what, [wishes, more]] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => plan(wishes, more),
      (error: unknown) => error instanceof FerryError && error.code === 'target-unsafe',
    );
    assert.deepEqual(readdirSync(home), ['.ssh']);
    assert.ok(existsSync(join(home, '.ssh/authorized_keys')));
  });
}

const ALLOWED: Readonly<Record<string, readonly Wish[]>> = {
  'the usual': [{ path: '/home/ada/.openclaw' }, { path: '/home/ada/projects/research' }],
  'profiles and places of their own': [
    { path: '/home/ada/.openclaw-work' },
    { path: '/home/ada/.config/openclaw' },
    { path: '/home/ada/.local/share/openclaw' },
    { path: '/srv/claw/workspace' },
    { path: '/etc/openclaw' },
    { path: '/etc/letsencrypt/live/claw', only: ['privkey.pem'] },
  ],
  'single files of a home': [{ path: '/home/ada', only: ['AGENTS.md', 'memory', '.claw.json5'] }],
  'names that look like others': [
    { path: '/home/ada/binary' },
    { path: '/home/ada/.sshd-notes' },
    { path: '/home/ada/..work' },
  ],
};

for (const [what, wishes] of Object.entries(ALLOWED)) {
  test(`allowed: ${what}`, () => plan(wishes));
}
