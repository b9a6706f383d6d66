/** What people moved out of a state dir, with a link in its place, arrives with what it leads to. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { hideOldHome, landingWorld, pullInto, pushHome, QUIET } from '../support/landing.ts';

const folder = mkdtempSync(join(tmpdir(), 'landing-links-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
}

test('config, credentials, token and sessions behind links; a folder that is only there by --include', async () => {
  const world = await landingWorld(folder);
  const { oldHome } = world;
  const state = join(oldHome, '.openclaw');
  put(
    join(oldHome, 'dotfiles/openclaw.json5'),
    `// kept in dotfiles
     { gateway: { mode: 'local' }, agents: { defaults: { workspace: '${oldHome}/ws' } },
       channels: { telegram: { tokenFile: '~/keys/telegram' } } }`,
  );
  put(join(oldHome, 'ws/SOUL.md'), 'a soul');
  put(join(oldHome, 'vault/creds/telegram.json'), '{"token":"planted"}');
  put(join(oldHome, 'vault/token'), 'planted-token');
  put(join(oldHome, 'big/sessions/sessions.json'), '{"a":{"sessionId":"one"}}');
  put(join(oldHome, 'big/sessions/one.jsonl'), '{"type":"session"}\n');
  put(join(state, 'tmp/wanted/file'), 'in a folder that is left out by rule');
  put(join(state, 'tmp/other'), 'not wanted');
  mkdirSync(join(oldHome, 'keys'));
  mkdirSync(join(state, 'agents/main'), { recursive: true });
  symlinkSync(join(oldHome, 'dotfiles/openclaw.json5'), join(state, 'openclaw.json'));
  symlinkSync('../vault/creds', join(state, 'credentials'));
  symlinkSync(join(oldHome, 'vault/token'), join(oldHome, 'keys/telegram'));
  symlinkSync(join(oldHome, 'big/sessions'), join(state, 'agents/main/sessions'));
  const pushed = await pushHome(world, { include: [join(state, 'tmp/wanted')] });
  assert.deepEqual(pushed.problems, []);
  hideOldHome(world);
  const home = join(folder, 'new/bob');
  mkdirSync(home, { recursive: true });
  const pulled = await pullInto(world, { home, ...QUIET });
  assert.ok(pulled.landed?.ok);
  const landed = join(home, '.openclaw');
  const at = (path: string): string => readFileSync(join(home, path), 'utf8');
  assert.match(at('.openclaw/openclaw.json'), /kept in dotfiles/);
  assert.ok(at('.openclaw/openclaw.json').includes(`'${home}/ws'`));
  assert.equal(readlinkSync(join(landed, 'openclaw.json')), join(home, 'dotfiles/openclaw.json5'));
  assert.equal(at('.openclaw/credentials/telegram.json'), '{"token":"planted"}');
  assert.equal(readlinkSync(join(landed, 'credentials')), '../vault/creds');
  assert.equal(at('keys/telegram'), 'planted-token');
  assert.equal(at('.openclaw/agents/main/sessions/one.jsonl'), '{"type":"session"}\n');
  assert.equal(at('.openclaw/tmp/wanted/file'), 'in a folder that is left out by rule');
  assert.throws(() => at('.openclaw/tmp/other'));
  const lines = new Map(pulled.landed.checklist.map((line) => [line.check, line.found]));
  assert.deepEqual(
    ['credential files', 'sessions of main', 'transcripts of main'].map((check) =>
      lines.get(check),
    ),
    ['1', '1', '1'],
  );
});
