/** Roots that lie in each other or are only some files of a folder; and a machine that dies while they are swapped. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { FerryEvent } from '../../src/base/events.ts';
import {
  atStage,
  hideOldHome,
  landingWorld,
  pullInto,
  pushHome,
  QUIET,
  type LandingWorld,
} from '../support/landing.ts';
import { freePort } from '../support/ports.ts';
import { refusalOf } from '../support/refusal.ts';
import { ring } from '../support/rings.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { SMALL_INSTALL, writeSmallInstall } from '../support/small-install.ts';
import { scanTree } from '../support/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'landing-roots-'));
const disk = mountSmallDisk(join(folder, 'disk'), 'size=64k');
after(() => {
  disk.unmount();
  rmSync(folder, { recursive: true, force: true });
});
let world: LandingWorld;
let hidden: string;

before(async () => {
  world = await landingWorld(folder);
  writeSmallInstall(world.oldHome, await freePort());
  await pushHome(world, { install: SMALL_INSTALL });
  hidden = hideOldHome(world);
});

/** What must be there after a pull, by content. */
function assertLanded(home: string): void {
  const same = [
    '.openclaw/exec-approvals.json',
    '.openclaw-work/agents/main/sessions/first.jsonl',
    '.openclaw-work/tmp/ws/NOTES.md',
    'my things/work space/SOUL.md',
    'my things/work space/memory/one.md',
  ];
  for (const path of same) {
    assert.equal(readFileSync(join(home, path), 'utf8'), readFileSync(join(hidden, path), 'utf8'));
    assert.equal(statSync(join(home, path)).mode, statSync(join(hidden, path)).mode, path);
  }
  const config = readFileSync(join(home, '.openclaw-work/openclaw.json'), 'utf8');
  assert.ok(config.includes(`"${home}/my things/work space"`));
  assert.ok(config.includes(`"${home}/.openclaw-work/tmp/ws"`));
  assert.ok(!config.includes(world.oldHome));
  for (const path of ['.openclaw-work', '.openclaw-work/tmp/ws']) {
    assert.equal(statSync(join(home, path)).mode, statSync(join(hidden, path)).mode, path);
  }
  for (const path of ['.openclaw-work/tmp/scratch', '.openclaw/unrelated.txt']) {
    assert.ok(!existsSync(join(home, path)), path);
  }
  assert.deepEqual(
    [...scanTree(home).keys()].filter((path) => path.includes('.stateferry-stage')),
    [],
  );
}

describe('placed', () => {
  test('in an empty home: folders above are made, with the mode that they had where it is known', async () => {
    const home = join(folder, 'empty/bob');
    mkdirSync(home, { recursive: true });
    const pulled = await pullInto(world, { home, ...QUIET });
    assert.ok(pulled.landed?.ok);
    assertLanded(home);
    assert.equal(statSync(join(home, '.openclaw')).mode & 0o7777, 0o710);
    assert.equal(statSync(join(home, 'my things')).mode & 0o7777, 0o755);
    const files = pulled.landed.checklist.filter(({ check }) => check.startsWith('files in'));
    assert.deepEqual(
      files.map(({ found }) => found),
      ['2', '1'],
    );
  });

  test('beside other profiles: only what belongs to this one is moved aside', async () => {
    const home = join(folder, 'shared/bob');
    mkdirSync(join(home, '.openclaw'), { recursive: true, mode: 0o750 });
    writeFileSync(join(home, '.openclaw/openclaw.json'), '{"gateway":{"mode":"local"}}');
    writeFileSync(join(home, '.openclaw/exec-approvals.json'), 'of bob');
    const pulled = await pullInto(world, { home, ...QUIET });
    assert.ok(pulled.landed?.ok);
    assertLanded(home);
    assert.equal(statSync(join(home, '.openclaw')).mode & 0o7777, 0o750);
    assert.ok(existsSync(join(home, '.openclaw/openclaw.json')));
    const aside = '.openclaw/exec-approvals.json.before-stateferry-20261121-080000';
    assert.equal(readFileSync(join(home, aside), 'utf8'), 'of bob');
    for (const command of pulled.kept?.byHand ?? []) {
      assert.equal(spawnSync('sh', ['-c', command]).status, 0, command);
    }
    assert.equal(readFileSync(join(home, '.openclaw/exec-approvals.json'), 'utf8'), 'of bob');
    assert.ok(!existsSync(join(home, '.openclaw-work')));
  });
});

describe('killed', () => {
  test('before each change of the swap: the next run finishes it, and old and new are whole', async () => {
    const template = join(folder, 'template');
    mkdirSync(join(template, '.openclaw-work'), { recursive: true });
    writeFileSync(join(template, '.openclaw-work/openclaw.json'), '{"of":"bob"}');
    writeFileSync(join(template, '.openclaw-work/mine'), 'bob made this');
    let completed = 0;
    let killBefore = 0;
    for (; ; killBefore++) {
      const home = join(folder, `killed/${killBefore}/bob`);
      cpSync(template, home, { recursive: true });
      const first = await pullInChild(home, killBefore);
      if (!first.killed) {
        assert.equal(first.changes, killBefore, 'every change was tried');
        break;
      }
      const olds = [...scanTree(home).keys()].filter((path) => path.endsWith('/mine'));
      assert.equal(olds.length, 1, 'what was there is never lost, not even for a moment');
      const events: FerryEvent[] = [];
      const pulled = await pullInto(world, { home, events, stamp: 'second', ...QUIET });
      assert.ok(pulled.landed?.ok);
      assertLanded(home);
      const notice = events.find(
        (event) => event.type === 'notice' && event.code === 'swap-completed',
      );
      if (notice) completed += 1;
      const aside = notice
        ? 'first'
        : readdirSync(home)
            .find((name) => name.includes('.before'))
            ?.split('-')
            .at(-1);
      const kept = join(home, `.openclaw-work.before-stateferry-${aside}/mine`);
      assert.equal(readFileSync(kept, 'utf8'), 'bob made this');
      if (notice) assert.equal(pulled.restored?.bytesFetched, 0);
      if (aside !== 'first' || notice) {
        for (const command of pulled.kept?.byHand ?? []) {
          assert.equal(spawnSync('sh', ['-c', command]).status, 0, command);
        }
        assert.equal(readFileSync(join(home, '.openclaw-work/mine'), 'utf8'), 'bob made this');
      }
      const again = await pullInto(world, { home, stamp: 'third', ...QUIET });
      assert.ok(again.landed?.ok);
    }
    assert.ok(killBefore > 12, `${killBefore} changes`);
    assert.ok(completed > 5, `${completed} swaps were completed`);
  });

  test('a step that fails takes the others back', async () => {
    const home = join(folder, 'blocked/bob');
    mkdirSync(join(home, '.openclaw-work'), { recursive: true });
    writeFileSync(join(home, '.openclaw-work/mine'), 'bob made this');
    mkdirSync(join(home, '.openclaw'), { mode: 0o700 });
    const before = scanTree(home);
    // Between the plan and the swap somebody makes what was not there.
    const onEvent = atStage('swap', () =>
      writeFileSync(join(home, '.openclaw/exec-approvals.json'), 'a gateway made this'),
    );
    const error = await refusalOf(pullInto(world, { home, onEvent, ...QUIET }), 'target-unsafe');
    assert.match(error.message, /exec-approvals\.json came into being/);
    const now = scanTree(home);
    assert.equal(readFileSync(join(home, '.openclaw-work/mine'), 'utf8'), 'bob made this');
    for (const name of now.keys()) {
      if (name.includes('.stateferry-stage') || name.endsWith('exec-approvals.json'))
        now.delete(name);
    }
    for (const scan of [before, now]) for (const name of ['', '.openclaw']) scan.delete(name);
    assert.deepEqual(now, before);
    const pulled = await pullInto(world, { home, stamp: 'second', ...QUIET });
    assert.ok(pulled.landed?.ok);
    assertLanded(home);
    assert.ok(existsSync(join(home, '.openclaw/exec-approvals.json.before-stateferry-second')));
  });
});

describe('reached through links', () => {
  test('a workspace lands once, the link to it points there, and other names of the home are repaired', async () => {
    const own = await landingWorld(join(folder, 'links'));
    const state = join(own.oldHome, '.openclaw-work');
    writeSmallInstall(own.oldHome, await freePort());
    // As on systems where a home is known by two names.
    const alias = join(folder, 'links/other-name');
    symlinkSync(own.oldHome, alias);
    mkdirSync(join(own.oldHome, 'big ws'));
    writeFileSync(join(own.oldHome, 'big ws/AGENTS.md'), 'behind a link');
    symlinkSync(join(own.oldHome, 'big ws'), join(state, 'linked'));
    mkdirSync(join(own.oldHome, 'ws two'));
    writeFileSync(join(own.oldHome, 'ws two/SOUL.md'), 'by another name');
    writeFileSync(
      join(state, 'openclaw.json'),
      `{ agents: { defaults: { workspace: "${alias}/ws two" }, list: [
        { id: "main", default: true }, { id: "big", workspace: "~/.openclaw-work/linked" } ] } }`,
    );
    await pushHome(own, { install: SMALL_INSTALL });
    hideOldHome(own);
    rmSync(alias);
    const home = join(folder, 'links/new/bob');
    mkdirSync(home, { recursive: true });
    const pulled = await pullInto(own, { home, ...QUIET });
    assert.ok(pulled.landed?.ok);
    const landed = join(home, '.openclaw-work');
    assert.equal(readlinkSync(join(landed, 'linked')), join(home, 'big ws'));
    assert.equal(readFileSync(join(landed, 'linked/AGENTS.md'), 'utf8'), 'behind a link');
    assert.equal(readFileSync(join(home, 'ws two/SOUL.md'), 'utf8'), 'by another name');
    const config = readFileSync(join(landed, 'openclaw.json'), 'utf8');
    assert.ok(config.includes(`workspace: "${home}/ws two"`), config);
    assert.ok(config.includes('"~/.openclaw-work/linked"'));
    assert.ok(!existsSync(own.oldHome) && !existsSync(alias));
  });

  test('a workspace that is a whole home brings its own files only', async () => {
    const own = await landingWorld(join(folder, 'broad'));
    writeSmallInstall(own.oldHome, await freePort());
    const config = `{ agents: { defaults: { workspace: "${own.oldHome}" } } }`;
    writeFileSync(join(own.oldHome, '.openclaw-work/openclaw.json'), config);
    for (const name of ['AGENTS.md', 'memory.md', 'private.txt']) {
      writeFileSync(join(own.oldHome, name), name);
    }
    await pushHome(own, { install: SMALL_INSTALL });
    hideOldHome(own);
    const home = join(folder, 'broad/new/bob');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'AGENTS.md'), 'of bob');
    writeFileSync(join(home, 'letter.txt'), 'of bob');
    const pulled = await pullInto(own, { home, ...QUIET });
    assert.ok(pulled.landed?.ok);
    const line = pulled.landed.checklist.find(({ check }) =>
      check.startsWith('files in workspace'),
    );
    assert.equal(line?.found, '2');
    assert.deepEqual(
      readdirSync(home).filter((name) => !name.startsWith('.')),
      ['AGENTS.md', 'AGENTS.md.before-stateferry-20261121-080000', 'letter.txt', 'memory.md'],
    );
  });

  test('where the state dir is a link here, the link is what is moved aside', async () => {
    const home = join(folder, 'linked-state/bob');
    const data = join(folder, 'linked-state/data');
    mkdirSync(home, { recursive: true });
    mkdirSync(data);
    writeFileSync(join(data, 'mine'), 'bob made this');
    symlinkSync(data, join(home, '.openclaw-work'));
    const pulled = await pullInto(world, { home, ...QUIET });
    assert.ok(pulled.landed?.ok);
    assertLanded(home);
    assert.deepEqual(readdirSync(data), ['mine']);
    for (const command of pulled.kept?.byHand ?? []) {
      assert.equal(spawnSync('sh', ['-c', command]).status, 0, command);
    }
    assert.equal(readlinkSync(join(home, '.openclaw-work')), data);
  });
});

describe('a snapshot without what its user left out', () => {
  test('is pulled, and its checklist expects no more than it has', async () => {
    const own = await landingWorld(join(folder, 'excluded'));
    writeSmallInstall(own.oldHome, await freePort());
    writeFileSync(join(own.oldHome, '.openclaw-work/agents/main/sessions/second.jsonl'), '{}\n');
    const exclude = ['memory', 'second.jsonl'];
    const pushed = await pushHome(own, { install: SMALL_INSTALL, exclude });
    assert.ok(pushed.omissions.some(({ path }) => path.endsWith('/memory')));
    const home = join(folder, 'excluded/bob');
    mkdirSync(home);
    const pulled = await pullInto(own, { home, ...QUIET });
    assert.ok(pulled.landed?.ok);
    const found = new Map(pulled.landed.checklist.map((line) => [line.check, line.found]));
    assert.equal(found.get(`files in workspace ${home}/my things/work space`), '1');
    assert.equal(found.get('transcripts of main'), '1');
  });
});

ring('small-disk', disk.absent, () => {
  test('a pull that has no room says so before it writes anything', async () => {
    const home = join(disk.path, 'bob');
    mkdirSync(home);
    disk.fillBytes();
    const error = await refusalOf(pullInto(world, { home, ...QUIET }), 'no-space');
    assert.match(error.message, / B are needed at .*, 0 B are free/);
    assert.deepEqual(readdirSync(home), []);
  });
});

async function pullInChild(
  home: string,
  killBefore: number,
): Promise<{ killed: boolean; changes: number }> {
  const wish = { folder, repository: world.repository, home, stamp: 'first', killBefore };
  const child = join(import.meta.dirname, '../support/landing-child.ts');
  const result = spawnSync(process.execPath, [child, JSON.stringify(wish)], { encoding: 'utf8' });
  if (result.signal === 'SIGKILL') return { killed: true, changes: killBefore };
  assert.equal(result.status, 0, result.stderr);
  return { killed: false, changes: Number(result.stdout) };
}
