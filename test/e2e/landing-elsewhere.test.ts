/** An install lands under another name, and folders of it where the user wants them. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FerryError } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import {
  hideOldHome,
  landingWorld,
  pullInto,
  pushHome,
  QUIET,
  type LandingWorld,
} from '../support/landing.ts';
import { freePort } from '../support/ports.ts';
import { scanTree, writeFiles } from '../support/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'landing-elsewhere-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let world: LandingWorld;

const index = (home: string, path: string): string =>
  JSON.stringify({ a: { sessionId: 'first', sessionFile: `${home}/${path}/first.jsonl` } });

/** AtomicBot, default profile: its own workspace, one beside it, one of an agent by rule, and approvals. */
function writeAtomic(home: string, port: number): void {
  const sessions = '.atomicbot/agents/main/sessions';
  writeFiles(home, {
    '.atomicbot/atomicbot.json': `{ // of AtomicBot
      gateway: { mode: 'local', port: ${port}, auth: { token: '\${ATOMICBOT_GATEWAY_TOKEN}' } },
      agents: { defaults: { workspace: "${home}/.atomicbot/workspace" },
        list: [{ id: 'main', default: true }, { id: 'writer' },
               { id: 'out', workspace: '~/notes', agentDir: '~/.atomicbot/agents/out/agent' }] },
      skills: { load: { extraDirs: ["\${HOME}/.atomicbot/more-skills", '/nowhere/skills'] } },
    }`,
    '.atomicbot/.env': `ATOMICBOT_GATEWAY_TOKEN=secret-token\nOTHER=1\nNOTES_DIR=${home}/notes\n`,
    '.atomicbot/exec-approvals.json': '{"version":1}',
    '.atomicbot/openclaw.json': 'left by an ancestor',
    '.atomicbot/workspace/SOUL.md': 'a soul',
    '.atomicbot/workspace-writer/SOUL.md': 'of the writer',
    '.atomicbot/more-skills/one/SKILL.md': 'a skill',
    '.atomicbot/extensions/mine/index.js': '//',
    'notes/SOUL.md': 'of notes',
    [`${sessions}/first.jsonl`]: '{"type":"session"}\n',
    [`${sessions}/sessions.json`]: index(home, sessions),
  });
}

before(async () => {
  world = await landingWorld(folder);
  writeAtomic(world.oldHome, await freePort());
  await pushHome(world, { install: 'atomicbot' });
  hideOldHome(world);
});

const newHome = (name: string): string => {
  const home = join(folder, name, 'bob');
  mkdirSync(home, { recursive: true });
  return home;
};
const read = (home: string, path: string): string => readFileSync(join(home, path), 'utf8');
const notices = (events: readonly FerryEvent[], code: string): string[] =>
  events.flatMap((event) =>
    event.type === 'notice' && event.code === code ? [event.message] : [],
  );
const noStage = (home: string): void =>
  assert.deepEqual(
    [...scanTree(home).keys()].filter((path) => path.includes('.stateferry-stage')),
    [],
  );

describe('as another brand', () => {
  test('folders, config and every written path have the names of the new one', async () => {
    const home = newHome('brand');
    const events: FerryEvent[] = [];
    const rehearsed = await pullInto(world, { home, as: 'openclaw', dryRun: true, ...QUIET });
    assert.deepEqual(readdirSync(home), []);
    const pulled = await pullInto(world, { home, as: 'openclaw', events, ...QUIET });
    assert.ok(pulled.landed?.ok);
    assert.equal(pulled.plan.install, 'openclaw');
    assert.equal(pulled.plan.source, 'atomicbot');
    assert.deepEqual(rehearsed.relocated, pulled.relocated);
    assert.deepEqual(readdirSync(home).toSorted(), ['.openclaw', 'notes']);
    const config = read(home, '.openclaw/openclaw.json');
    assert.ok(config.startsWith('{ // of AtomicBot'));
    assert.ok(config.includes(`workspace: "${home}/.openclaw/workspace"`), config);
    assert.ok(config.includes("workspace: '~/notes', agentDir: '~/.openclaw/agents/out/agent'"));
    assert.ok(config.includes('["${HOME}/.openclaw/more-skills", \'/nowhere/skills\']'), config);
    assert.ok(config.includes("'${ATOMICBOT_GATEWAY_TOKEN}'"));
    assert.equal(
      read(home, '.openclaw/agents/main/sessions/sessions.json'),
      index(home, '.openclaw/agents/main/sessions'),
    );
    assert.equal(read(home, '.openclaw/workspace-writer/SOUL.md'), 'of the writer');
    assert.equal(
      read(home, '.openclaw/openclaw.json.beside-atomicbot.json'),
      'left by an ancestor',
    );
    assert.ok(!existsSync(join(home, '.openclaw/atomicbot.json')));
    const edits = pulled.relocated.flatMap(({ changes = [] }) => changes);
    assert.ok(edits.some(({ where, to }) => where === 'name' && to === 'openclaw.json'));
    assert.ok(edits.every(({ from, to }) => !`${from}${to}`.includes('secret')));
    assert.deepEqual(notices(events, 'not-carried'), [
      `ATOMICBOT_GATEWAY_TOKEN in ${world.oldHome}/.atomicbot/.env: openclaw does not read them`,
      'extensions that were made for atomicbot may not load',
    ]);
    assert.deepEqual(notices(events, 'variable-not-moved').length, 1);
    assert.deepEqual(notices(events, 'variable-needed'), []);
    noStage(home);
  });
});

describe('as another profile', () => {
  test('the workspace goes where the product has it for that profile; what is there is moved aside', async () => {
    const home = newHome('profile');
    writeFiles(home, {
      '.atomicbot/atomicbot.json': '{}',
      '.atomicbot/mine': 'of bob',
      '.atomicbot-work/mine': 'of bob',
    });
    const events: FerryEvent[] = [];
    const pulled = await pullInto(world, { home, as: 'atomicbot:work', events, ...QUIET });
    assert.ok(pulled.landed?.ok);
    assert.equal(read(home, '.atomicbot/mine'), 'of bob');
    assert.equal(read(home, '.atomicbot-work.before-stateferry-20261121-080000/mine'), 'of bob');
    assert.equal(read(home, '.atomicbot/workspace-work/SOUL.md'), 'a soul');
    assert.equal(read(home, '.atomicbot-work/workspace-writer/SOUL.md'), 'of the writer');
    assert.ok(!existsSync(join(home, '.atomicbot-work/workspace')));
    const config = read(home, '.atomicbot-work/atomicbot.json');
    assert.ok(config.includes(`workspace: "${home}/.atomicbot/workspace-work"`), config);
    assert.ok(config.includes("agentDir: '~/.atomicbot-work/agents/out/agent'"));
    assert.equal(notices(events, 'not-carried').length, 1);
    noStage(home);
  });

  test('of another brand, over the profile that is there, twice', async () => {
    const home = newHome('both');
    for (const stamp of ['first', 'second']) {
      const pulled = await pullInto(world, { home, as: 'openclaw:lab', stamp, ...QUIET });
      assert.ok(pulled.landed?.ok);
      assert.equal(read(home, '.openclaw/workspace-lab/SOUL.md'), 'a soul');
      assert.ok(existsSync(join(home, '.openclaw-lab/openclaw.json')));
      // Else the second pull would find everything as it left it, and move nothing.
      writeFiles(home, { '.openclaw-lab/new': '', '.openclaw/workspace-lab/new': '' });
      noStage(home);
    }
    assert.ok(existsSync(join(home, '.openclaw-lab.before-stateferry-second/openclaw.json')));
    assert.ok(existsSync(join(home, '.openclaw/workspace-lab.before-stateferry-second/SOUL.md')));
  });
});

describe('with rules of the user', () => {
  test('a folder is taken out of the state dir, roots go elsewhere, texts follow', async () => {
    const home = newHome('mapped');
    const own = [
      { from: `${world.oldHome}/.atomicbot/workspace`, to: join(home, 'ws/main') },
      { from: `${world.oldHome}/notes`, to: join(home, 'my notes') },
      { from: '/nowhere/skills', to: '/nowhere/other' },
    ];
    const pulled = await pullInto(world, { home, own, ...QUIET });
    assert.ok(pulled.landed?.ok);
    assert.equal(read(home, 'ws/main/SOUL.md'), 'a soul');
    assert.equal(read(home, 'my notes/SOUL.md'), 'of notes');
    assert.ok(!existsSync(join(home, '.atomicbot/workspace')));
    const config = read(home, '.atomicbot/atomicbot.json');
    assert.ok(config.includes(`workspace: "${home}/ws/main"`), config);
    assert.ok(config.includes("workspace: '~/my notes'"), config);
    assert.ok(config.includes("'/nowhere/other'"));
    const files = pulled.landed.checklist.filter(({ check }) => check.startsWith('files in'));
    assert.deepEqual(
      files.map(({ found }) => found),
      ['1', '1', '1'],
    );
    noStage(home);
  });

  test('the same snapshot with another rule is another pull', async () => {
    const home = newHome('again');
    const rule = { from: '/nowhere/skills', to: '/nowhere/other' };
    for (const [stamp, own, isMoved] of [
      ['first', [], false],
      ['second', [rule], true],
      ['third', [], false],
    ] as const) {
      const pulled = await pullInto(world, { home, own, stamp, ...QUIET });
      assert.ok(pulled.landed?.ok);
      const config = read(home, '.atomicbot/atomicbot.json');
      assert.equal(config.includes("'/nowhere/other'"), isMoved, stamp);
    }
    assert.ok(existsSync(join(home, '.atomicbot.before-stateferry-third')));
  });

  test('what would meet, and a single file, is refused before anything is written', async () => {
    const home = newHome('refused');
    const of = (path: string): string => `${world.oldHome}/${path}`;
    const wishes = [
      [{ from: of('notes'), to: join(home, '.atomicbot') }, /both land on/],
      [{ from: of('notes'), to: join(home, '.atomicbot/workspace') }, /both land on/],
      [{ from: of('notes'), to: join(home, '.ssh') }, /other programs run or obey/],
      [{ from: of('.atomicbot'), to: home }, /your home lies in it/],
      [{ from: of('.atomicbot/.env'), to: join(home, 'env') }, /only a folder/],
    ] as const;
    for (const [rule, why] of wishes) {
      await assert.rejects(pullInto(world, { home, own: [rule], ...QUIET }), (error) => {
        assert.ok(error instanceof FerryError);
        assert.match(error.message, why);
        return true;
      });
    }
    assert.deepEqual(readdirSync(home), []);
  });
});
