/** Several installs of one machine: together, or one after the other in any order, nothing of any of them is lost. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  atStage,
  hideOldHome,
  landingWorld,
  pullAllInto,
  pullInto,
  pushHome,
  QUIET,
  undoPull,
  type LandingWorld,
} from '../support/landing.ts';
import { freePort } from '../support/ports.ts';
import { refusalOf } from '../support/refusal.ts';
import { scanTree, writeFiles } from '../support/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'landing-together-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let world: LandingWorld;
let hidden: string;
let ofDefault: string;
let ofWork: string;

const read = (home: string, path: string): string => readFileSync(join(home, path), 'utf8');

/** As onboarding leaves it: the workspace of a profile lies in the default state dir, and so does what all share. */
function writeProfile(home: string, profile: string, port: number): void {
  const state = profile === '' ? '.openclaw' : `.openclaw-${profile}`;
  const workspace = `.openclaw/workspace${profile === '' ? '' : `-${profile}`}`;
  const sessions = `${state}/agents/main/sessions`;
  writeFiles(home, {
    [`${state}/openclaw.json`]: JSON.stringify({
      gateway: { mode: 'local', port },
      agents: { defaults: { workspace: join(home, workspace) } },
    }),
    [`${sessions}/sessions.json`]: JSON.stringify({
      a: { sessionId: 'first', sessionFile: join(home, sessions, 'first.jsonl') },
    }),
    [`${sessions}/first.jsonl`]: '{"type":"session"}\n',
    [`${workspace}/SOUL.md`]: `the soul of ${state}`,
  });
}

before(async () => {
  world = await landingWorld(folder);
  const home = world.oldHome;
  for (const profile of ['', 'work', 'dev']) writeProfile(home, profile, await freePort());
  chmodSync(join(home, '.openclaw'), 0o700);
  writeFiles(home, {
    '.openclaw/exec-approvals.json': '{"version":1}',
    '.openclaw/memory/lancedb/table': 'vectors',
  });
  ofDefault = (await pushHome(world, { install: 'openclaw' })).id;
  // What a profile goes on to do after the default one was pushed.
  writeFiles(home, {
    '.openclaw/workspace-work/later.md': 'written later',
    '.openclaw/exec-approvals.json': '{"version":1,"more":true}',
  });
  ofWork = (await pushHome(world, { install: 'openclaw:work' })).id;
  await pushHome(world, { install: 'openclaw:dev' });
  hidden = hideOldHome(world);
});

const newHome = (name: string): string => {
  const home = join(folder, name, 'bob');
  mkdirSync(home, { recursive: true });
  return home;
};

/** Every file of the old home is there, as it was at the end; configs and indexes name the new home. */
function assertAll(home: string, profiles: readonly string[]): void {
  for (const profile of profiles) {
    const state = profile === '' ? '.openclaw' : `.openclaw-${profile}`;
    const workspace = `.openclaw/workspace${profile === '' ? '' : `-${profile}`}`;
    assert.equal(read(home, `${workspace}/SOUL.md`), `the soul of ${state}`);
    assert.ok(read(home, `${state}/openclaw.json`).includes(`"${join(home, workspace)}"`));
    const index = read(home, `${state}/agents/main/sessions/sessions.json`);
    assert.ok(index.includes(`"${join(home, state)}/agents/main/sessions/first.jsonl"`));
  }
  if (profiles.includes('work')) {
    assert.equal(read(home, '.openclaw/workspace-work/later.md'), 'written later');
  }
  assert.equal(read(home, '.openclaw/memory/lancedb/table'), 'vectors');
  assert.deepEqual(
    [...scanTree(home).keys()].filter((path) => path.includes('.stateferry-stage')),
    [],
  );
}

describe('together', () => {
  test('each place lands once, the workspace of a profile as that profile had it last', async () => {
    const home = newHome('empty');
    const plans: string[][] = [];
    const confirm = (plan: { install: string; placed: readonly { root: string }[] }): boolean => {
      plans.push([plan.install, ...plan.placed.map(({ root }) => root)]);
      return true;
    };
    const rehearsed = await pullAllInto(world, { home, dryRun: true, ...QUIET });
    assert.deepEqual(readdirSync(home), []);
    const pulled = await pullAllInto(world, { home, confirm, ...QUIET });
    assert.deepEqual(
      pulled.map(({ plan }) => plan.install),
      ['openclaw', 'openclaw:work', 'openclaw:dev'],
    );
    assert.deepEqual(
      rehearsed.map(({ relocated }) => relocated),
      pulled.map(({ relocated }) => relocated),
    );
    assert.ok(pulled.every(({ landed }) => landed?.ok));
    assert.equal(plans.length, 3);
    assertAll(home, ['', 'work', 'dev']);
    assert.equal(read(home, '.openclaw/exec-approvals.json'), '{"version":1,"more":true}');
    assert.deepEqual(readdirSync(home).toSorted(), [
      '.openclaw',
      '.openclaw-dev',
      '.openclaw-work',
    ]);
    assert.deepEqual(
      readdirSync(join(home, '.openclaw')).toSorted(),
      readdirSync(join(hidden, '.openclaw')).toSorted(),
    );
    for (const path of ['.openclaw', '.openclaw/workspace-work', '.openclaw/memory']) {
      assert.equal(statSync(join(home, path)).mode, statSync(join(hidden, path)).mode, path);
    }
    assert.equal(readdirSync(`${home}.journals`).length, 1);
  });

  test('over what is there, twice: one swap, everything before it kept', async () => {
    const home = newHome('twice');
    writeFiles(home, { '.openclaw/mine': 'of bob', '.openclaw-work/mine': 'of bob' });
    for (const stamp of ['first', 'second']) {
      const pulled = await pullAllInto(world, { home, stamp, ...QUIET });
      assert.ok(pulled.every(({ landed }) => landed?.ok));
      assertAll(home, ['', 'work', 'dev']);
      // Else the second pull would find everything as it left it, and move nothing.
      for (const state of ['.openclaw', '.openclaw-work'])
        writeFiles(home, { [`${state}/new`]: '' });
    }
    for (const path of ['.openclaw', '.openclaw-work']) {
      assert.equal(read(home, `${path}.before-stateferry-first/mine`), 'of bob');
      assert.ok(existsSync(join(home, `${path}.before-stateferry-second/openclaw.json`)));
    }
  });

  test('when one of them cannot land, none does', async () => {
    const home = newHome('none');
    writeFiles(home, { '.openclaw-work/mine': 'of bob' });
    const onEvent = atStage('swap', () =>
      writeFiles(home, { '.openclaw-dev/openclaw.json': 'a gateway made this' }),
    );
    const error = await refusalOf(pullAllInto(world, { home, onEvent, ...QUIET }));
    assert.match(error.message, /came into being/);
    assert.equal(read(home, '.openclaw-work/mine'), 'of bob');
    assert.ok(!existsSync(join(home, '.openclaw')));
    rmSync(join(home, '.openclaw-dev'), { recursive: true });
    const pulled = await pullAllInto(world, { home, stamp: 'second', ...QUIET });
    assert.ok(pulled.every(({ landed }) => landed?.ok));
    assertAll(home, ['', 'work', 'dev']);
  });
});

describe('one after the other', () => {
  test('the default one, then a profile', async () => {
    const home = newHome('default-first');
    await pullInto(world, { home, snapshot: ofDefault, stamp: 'first', ...QUIET });
    assert.ok(!existsSync(join(home, '.openclaw/workspace-work/later.md')));
    const pulled = await pullInto(world, { home, snapshot: ofWork, stamp: 'second', ...QUIET });
    assert.ok(pulled.landed?.ok);
    assertAll(home, ['', 'work']);
  });

  test('a profile, then the default one: what the profile has here stays', async () => {
    const home = newHome('profile-first');
    await pullInto(world, { home, snapshot: ofWork, stamp: 'first', ...QUIET });
    writeFiles(home, { '.openclaw/workspace-work/new.md': 'written here' });
    const pulled = await pullInto(world, { home, snapshot: ofDefault, stamp: 'second', ...QUIET });
    assert.ok(pulled.landed?.ok);
    assertAll(home, ['', 'work']);
    assert.equal(read(home, '.openclaw/workspace-work/new.md'), 'written here');
  });

  test('where an agent of what is pulled works in the same folder, it comes with the snapshot', async () => {
    const own = await landingWorld(join(folder, 'shared'));
    for (const profile of ['', 'work']) writeProfile(own.oldHome, profile, await freePort());
    const config = JSON.parse(read(own.oldHome, '.openclaw/openclaw.json')) as object;
    const list = [
      { id: 'main', default: true },
      { id: 'two', workspace: '~/.openclaw/workspace-work' },
    ];
    const agents = { defaults: { workspace: join(own.oldHome, '.openclaw/workspace') }, list };
    writeFiles(own.oldHome, { '.openclaw/openclaw.json': JSON.stringify({ ...config, agents }) });
    const id = (await pushHome(own, { install: 'openclaw' })).id;
    const home = join(own.folder, 'bob');
    writeProfile(home, 'work', await freePort());
    writeFiles(home, { '.openclaw/workspace-work/SOUL.md': 'of bob' });
    const pulled = await pullInto(own, { home, snapshot: id, ...QUIET });
    assert.ok(pulled.landed?.ok);
    assert.equal(read(home, '.openclaw/workspace-work/SOUL.md'), 'the soul of .openclaw-work');
    const aside = '.openclaw.before-stateferry-20261121-080000/workspace-work/SOUL.md';
    assert.equal(read(home, aside), 'of bob');
  });

  test('and undone, all of it is where it was, to the byte', async () => {
    const home = newHome('undone');
    await pullInto(world, { home, snapshot: ofWork, stamp: 'first', ...QUIET });
    const before = scanTree(home);
    await pullInto(world, { home, snapshot: ofDefault, stamp: 'second', ...QUIET });
    const { plan } = await undoPull(world, { home, stamp: 'third' });
    assert.ok(plan);
    const now = scanTree(home);
    // The times of folders out of which something was moved are those of the way back.
    for (const scan of [before, now]) for (const path of ['', '.openclaw']) scan.delete(path);
    for (const path of now.keys()) if (path.startsWith('.openclaw.pulled-third')) now.delete(path);
    assert.deepEqual(now, before);
  });

  test('killed before each change of that swap: the next run finishes it, and nothing is lost', async () => {
    let killBefore = 0;
    for (; ; killBefore++) {
      const home = newHome(`killed-${killBefore}`);
      await pullInto(world, { home, snapshot: ofWork, stamp: 'zero', ...QUIET });
      writeFiles(home, { '.openclaw/workspace-work/new.md': 'written here' });
      if (!killedIn(home, killBefore)) break;
      const lives = [...scanTree(home).keys()].filter((path) => path.endsWith('/new.md'));
      assert.equal(lives.length, 1, 'it is never lost, not even for a moment');
      const pulled = await pullInto(world, { home, snapshot: ofDefault, stamp: 'two', ...QUIET });
      assert.ok(pulled.landed?.ok);
      assert.equal(read(home, '.openclaw/workspace-work/new.md'), 'written here');
      assert.equal(read(home, '.openclaw/workspace-work/later.md'), 'written later');
      assert.equal(read(home, '.openclaw/memory/lancedb/table'), 'vectors');
    }
    assert.ok(killBefore > 5, `${killBefore} changes`);
  });

  test('a profile alone brings its workspace and what it shares', async () => {
    const home = newHome('alone');
    const pulled = await pullInto(world, { home, snapshot: ofWork, ...QUIET });
    assert.ok(pulled.landed?.ok);
    assertAll(home, ['work']);
    assert.deepEqual(readdirSync(join(home, '.openclaw')).toSorted(), [
      'exec-approvals.json',
      'memory',
      'workspace-work',
    ]);
  });
});

function killedIn(home: string, killBefore: number): boolean {
  const { repository } = world;
  const wish = { folder, repository, home, stamp: 'one', killBefore, snapshot: ofDefault };
  const child = join(import.meta.dirname, '../support/landing-child.ts');
  const result = spawnSync(process.execPath, [child, JSON.stringify(wish)], { encoding: 'utf8' });
  if (result.signal === 'SIGKILL') return true;
  assert.equal(result.status, 0, result.stderr);
  assert.equal(Number(result.stdout), killBefore, 'every change was tried');
  return false;
}
