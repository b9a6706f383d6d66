/** A dead machine's disk: what its files name is looked for on it, and never among this machine's own folders. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import { rootsOf } from '../../../../src/gateway/contents/roots.ts';
import { inspectInstalls } from '../../../../src/gateway/discover/discover.ts';
import { findOldHome } from '../../../../src/gateway/discover/old-home.ts';
import { mountedDisk } from '../../../../src/gateway/disk/disk.ts';
import { BRANDS } from '../../../../src/gateway/install/brands.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'old-home-')));
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => rmSync(folder, { recursive: true, force: true }));
const copied = `${folder}/backup/alice`;

function put(path: string, text = 'x'): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const config = (workspace: string): string =>
  `{ agents: { defaults: { workspace: '${workspace}' } } } // JSON5`;

test('the old home is what the config says, else the services, the session indexes, the mounted path', () => {
  const said = (oldHome: string) => ({ oldHome, isSaid: true });
  put(`${copied}/.openclaw/openclaw.json`, config('/home/al/.openclaw/workspace'));
  assert.deepEqual(findOldHome(copied, BRANDS), said('/home/al'));
  put(`${copied}/.openclaw/openclaw.json`, config('/home/alice/projects/x'));
  assert.deepEqual(findOldHome(copied, BRANDS), said('/home/alice'));
  put(`${copied}/.openclaw/openclaw.json`, config('/srv/people/alice/projects/x'));
  assert.equal(findOldHome(copied, BRANDS).isSaid, false);
  put(`${copied}/projects/x/AGENTS.md`);
  assert.deepEqual(findOldHome(copied, BRANDS), said('/srv/people/alice'));
  put(`${copied}/.openclaw/openclaw.json`, config('/home/somebody/projects/x'));
  assert.deepEqual(findOldHome(copied, BRANDS), { oldHome: copied, isSaid: false });
  put(
    `${copied}/.openclaw/agents/main/sessions/sessions.json`,
    `{"a":{"sessionFile":"/Users/al/.openclaw/agents/main/sessions/1.jsonl"}}`,
  );
  assert.deepEqual(findOldHome(copied, BRANDS), said('/Users/al'));
  rmSync(`${copied}/.openclaw`, { recursive: true });
  put(
    `${copied}/.config/systemd/user/claw.service`,
    '[Service]\nEnvironment=HOME=/srv/al OPENCLAW_GATEWAY_PORT=1\n',
  );
  assert.deepEqual(findOldHome(copied, BRANDS), said('/srv/al'));
  rmSync(copied, { recursive: true });
  put(`${folder}/disk/home/al/.openclaw/openclaw.json`, '{}');
  const guessed = findOldHome(`${folder}/disk/home/al`, BRANDS);
  assert.deepEqual(guessed, { oldHome: '/home/al', isSaid: false });
});

test('a home of this machine is known by its own name; two homes are a question', () => {
  put(`${copied}/.openclaw/openclaw.json`, config(`${copied}/.openclaw/workspace`));
  assert.deepEqual(findOldHome(copied, BRANDS), { oldHome: copied, isSaid: true });
  put(`${copied}/.openclaw/openclaw.json`, config('/home/a/.openclaw/workspace'));
  put(`${copied}/.resonix/resonix.json`, config('/home/b/.resonix/workspace'));
  assert.throws(
    () => findOldHome(copied, BRANDS),
    (error) =>
      error instanceof FerryError && error.code === 'usage' && /--old-home/.test(error.hint ?? ''),
  );
});

test('paths and links mean what they meant on the old machine, and lead nowhere else', async () => {
  // On this machine, under the very names that the old one used.
  const here = `${folder}/this-machine/srv`;
  put(`${here}/ws/AGENTS.md`, 'of this machine');
  put(`${here}/keys/token`, 'of this machine');
  put(`${here}/base.json5`, '{ channels: { telegram: {} } }');
  const top = `${folder}/mnt`;
  const home = `${folder}/this-machine/home/alice`;
  const homeAt = top + home;
  put(
    `${homeAt}/.openclaw/openclaw.json`,
    `{ $include: '${here}/base.json5',
       agents: { defaults: { workspace: '${home}/ws' },
         list: [{ id: 'main' }, { id: 'far', workspace: '${here}/ws' }, { id: 'linked', workspace: '~/linked' }] },
       channels: { irc: { passwordFile: '${here}/keys/token' } } }`,
  );
  put(`${homeAt}/ws/AGENTS.md`);
  put(`${homeAt}/real/SOUL.md`);
  symlinkSync(`${home}/real`, `${homeAt}/linked`);
  symlinkSync(`${here}/keys`, `${homeAt}/.openclaw/credentials`);
  put(`${top}${here}/keys/token`, 'of the old machine');
  const disk = mountedDisk({ oldHome: home, homeAt });
  const request = { home, disk, env: {}, brands: BRANDS, uid: 0 };
  const [inspected] = await inspectInstalls(request, new AbortController().signal);
  assert.ok(inspected);
  const { install } = inspected;
  assert.deepEqual([install.stateDir, install.channels], [`${home}/.openclaw`, ['irc']]);
  assert.equal(install.credentialFiles, 1);
  const { roots, notices } = rootsOf(inspected);
  assert.deepEqual(
    roots.map(({ name, path, readFrom, aliases }) => [name, path, readFrom, aliases]),
    [
      ['state', `${home}/.openclaw`, `${homeAt}/.openclaw`, []],
      ['workspace', `${home}/ws`, `${homeAt}/ws`, []],
      ['workspace-2', `${home}/linked`, `${homeAt}/real`, [`${home}/real`]],
      ['credentials', `${here}/keys`, `${top}${here}/keys`, [`${home}/.openclaw/credentials`]],
    ],
  );
  const told = [...install.notices, ...notices].map(({ message }) => message).join('\n');
  assert.match(told, /\$include .*base\.json5: there is no such file/);
  assert.match(told, /srv\/ws, which is not/);
});

test('no name that a disk gives its home makes homes of this machine part of it', () => {
  for (const [homeAt, oldHome] of [
    ['/home/me/stranger', '/stranger'],
    ['/home/stranger', '/stranger'],
    ['/root/stranger', '/stranger'],
    ['/Users/me/stranger', '/stranger'],
  ] as const) {
    assert.equal(mountedDisk({ oldHome, homeAt }).locate('/.ssh/id_ed25519'), undefined, homeAt);
  }
  const whole = mountedDisk({ oldHome: '/home/al', homeAt: '/home/me/disk/home/al' });
  assert.equal(whole.locate('/srv/work'), '/home/me/disk/srv/work');
});
