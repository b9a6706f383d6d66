/** The sample pushed in one home lands in another, under another user name: engine and gateway together. */
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
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import type { FerryEvent } from '../../src/base/events.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { writeStandIn } from '../../src/gateway/sample/stand-in.ts';
import type { Pulled } from '../../src/pull/pull.ts';
import type { PushedSnapshot } from '../../src/push/push.ts';
import { freePort } from '../support/ports.ts';
import {
  atStage,
  hideOldHome,
  landingWorld,
  pullInto,
  pushHome,
  QUIET,
  type LandingWorld,
} from '../support/landing.ts';
import { refusalOf } from '../support/refusal.ts';
import { scanTree, treeDifferences } from '../support/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'landing-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What relocation edits, and the entries above the edited files (their times). */
const EDITED = /^(|openclaw\.json|agents\/[^/]+\/sessions(\/sessions\.json)?)$/;
/** Left out by rule; the database is looked at by itself. */
const LEFT_OUT = new RegExp(
  [
    '^(tmp|completions)(/.*)?$',
    '^agents/[^/]+/sessions/sessions\\.json\\.(lock|4711\\.tmp)$',
    '^memory(/main\\.sqlite.*)?$',
  ].join('|'),
);

let world: LandingWorld;
let pushed: PushedSnapshot;
let hidden: string;
let turnsDuring = 0;

before(async () => {
  world = await landingWorld(folder);
  const port = await freePort();
  const sample = writeSample({
    home: world.oldHome,
    binDir: world.binDir,
    nodePath: process.execPath,
    port,
  });
  sample.goOn();
  pushed = await pushHome(world, {
    meanwhile: () => {
      turnsDuring += 1;
      sample.goOn();
    },
  });
  sample.goOn();
  sample.close();
  hidden = hideOldHome(world);
});

describe('in an empty home', () => {
  const home = join(folder, 'new/users/bob');
  let pulled: Pulled;
  const events: FerryEvent[] = [];

  test('a dry run changes nothing, and says what will be edited', async () => {
    mkdirSync(home, { recursive: true });
    const rehearsed = await pullInto(world, { home, dryRun: true });
    assert.equal(rehearsed.restored, undefined);
    assert.equal(rehearsed.landed, undefined);
    assert.deepEqual(readdirSync(home), []);
    assert.deepEqual(readdirSync(`${home}.journals`), []);
    pulled = await pullInto(world, { home, events });
    assert.deepEqual(rehearsed.relocated, pulled.relocated);
    assert.deepEqual(rehearsed.plan.placed, pulled.plan.placed);
  });

  test('every line of the checklist is right', () => {
    const { landed } = pulled;
    assert.ok(landed?.ok);
    assert.ok(landed.doctor.ran);
    assert.deepEqual(landed.doctor.findings, []);
    assert.deepEqual(
      landed.checklist.filter(({ ok }) => !ok),
      [],
    );
    const found = new Map(landed.checklist.map((line) => [line.check, line.found]));
    assert.equal(found.get('sessions of main'), '14');
    assert.equal(found.get('sessions of research'), '6');
    assert.equal(found.get('sessions of family'), '3');
    assert.equal(found.get('credential files'), '344');
    assert.equal(found.get('cron jobs'), '2');
    assert.match(found.get('gateway running') ?? '', /^not checked: no service starts it/);
    assert.equal(found.get('sessions of main that openclaw lists'), '14');
    assert.ok(events.some((event) => event.type === 'command' && event.output.includes('doctor')));
  });

  test('config and session indexes name the new home, and nothing else was touched', () => {
    const config = readFileSync(join(home, '.openclaw/openclaw.json'), 'utf8');
    assert.ok(
      config.includes(`workspace: '${home}/.openclaw/workspace', // written by onboarding`),
    );
    assert.ok(config.includes(`workspace: '${home}/projects/research'`));
    assert.ok(config.includes("workspace: '~/.openclaw/workspace-family', }"));
    assert.ok(config.includes("token: '${SAMPLE_GATEWAY_TOKEN}' }, // see .env"));
    for (const agent of ['main', 'research', 'family']) {
      const index = readFileSync(
        join(home, `.openclaw/agents/${agent}/sessions/sessions.json`),
        'utf8',
      );
      assert.ok(!index.includes(world.oldHome));
      assert.ok(index.includes('/opt/program/skills/notes/SKILL.md'));
      const files = [...index.matchAll(/"sessionFile": "([^"]+)"/g)].map((match) => match[1] ?? '');
      assert.ok(files.length > 0 && files.every((file) => existsSync(file)));
    }
    assert.equal(
      pulled.relocated.find(({ file }) => file.endsWith('main/sessions/sessions.json'))?.edits,
      14,
    );
    // Transcripts went on after the capture; everything else is the same to the last bit.
    const firstTranscripts = /^agents\/[^/]+\/sessions\/[^/]+\.jsonl$/;
    const forgiven = new RegExp(`${EDITED.source}|${LEFT_OUT.source}|${firstTranscripts.source}`);
    const differences = treeDifferences(`${hidden}/.openclaw`, `${home}/.openclaw`, forgiven);
    // The folder in which the config was edited has another time.
    assert.deepEqual(
      differences.filter((line) => !line.startsWith(': mtimeNs')),
      [],
    );
    assert.deepEqual(
      treeDifferences(`${hidden}/projects/research`, `${home}/projects/research`),
      [],
    );
    assert.ok(scanTree(`${home}/.openclaw`).size > 400);
  });

  test('transcripts are whole records, a beginning of what the old machine has', () => {
    const old = join(hidden, '.openclaw/agents/main/sessions');
    const names = readdirSync(old).filter((name) => name.endsWith('.jsonl'));
    assert.equal(names.length, 14);
    for (const name of names) {
      const now = readFileSync(join(home, '.openclaw/agents/main/sessions', name), 'utf8');
      assert.ok(now.endsWith('\n'));
      assert.ok(readFileSync(join(old, name), 'utf8').startsWith(now));
    }
    assert.ok(turnsDuring > 2);
  });

  test('the database is whole, with all that was committed before', () => {
    const path = join(home, '.openclaw/memory/main.sqlite');
    const database = new DatabaseSync(path, { readOnly: true });
    assert.deepEqual(
      { ...database.prepare('PRAGMA integrity_check').get() },
      { integrity_check: 'ok' },
    );
    const rows = Number(database.prepare('SELECT count(*) AS n FROM chunks').get()?.['n']);
    database.close();
    assert.ok(rows > 2_000 && rows < 2_001 + turnsDuring + 1, String(rows));
  });

  test('no stage is left, and nothing was made in the old home', () => {
    assert.ok(!existsSync(world.oldHome));
    const left = [...scanTree(home).keys()].filter((path) => path.includes('stateferry'));
    assert.deepEqual(left, []);
    assert.equal(statSync(join(home, '.openclaw')).mode & 0o777, 0o700);
    assert.equal(pushed.problems.length, 0);
  });
});

describe('where something is already', () => {
  const home = join(folder, "new/users/o'brien \\ sons");

  test('it is moved aside, and the printed commands put it back', async () => {
    mkdirSync(join(home, '.openclaw/agents/main'), { recursive: true });
    writeFileSync(join(home, '.openclaw/openclaw.json'), '{"gateway":{"port":1}}');
    writeFileSync(join(home, '.openclaw/mine'), 'made by onboarding');
    mkdirSync(join(home, 'projects/research'), { recursive: true });
    writeFileSync(join(home, 'projects/research/kept.md'), 'mine too');
    writeFileSync(join(home, 'projects/other.md'), 'not concerned');
    const before = scanTree(home);
    const plans: string[][] = [];
    const pulled = await pullInto(world, {
      home,
      confirm: (plan) => {
        plans.push(plan.placed.flatMap(({ aside }) => aside));
        return true;
      },
    });
    assert.ok(pulled.landed?.ok);
    assert.equal(plans[0]?.length, 2);
    assert.ok(!existsSync(join(home, '.openclaw/mine')));
    const aside = join(home, '.openclaw.before-stateferry-20261121-080000');
    assert.equal(readFileSync(join(aside, 'mine'), 'utf8'), 'made by onboarding');
    assert.equal(pulled.kept?.byHand.length, 2);
    runInShell(pulled.kept?.byHand ?? []);
    const now = scanTree(home);
    for (const name of now.keys()) if (name.includes('.pulled-2026')) now.delete(name);
    for (const scan of [before, now]) for (const name of ['', 'projects']) scan.delete(name);
    assert.deepEqual(now, before);
    assert.ok(existsSync(join(home, '.openclaw.pulled-20261121-080000/openclaw.json')));
  });

  test('saying no changes nothing', async () => {
    const before = scanTree(home);
    const answer = pullInto(world, { home, confirm: () => false });
    await refusalOf(answer, 'interrupted');
    assert.deepEqual(scanTree(home), before);
  });

  test('pulled twice, both earlier states are kept', async () => {
    const first = await pullInto(world, { home, stamp: 'one', ...QUIET });
    writeFileSync(join(home, '.openclaw/agents/main/sessions/since.jsonl'), 'a turn since\n');
    const second = await pullInto(world, { home, stamp: 'two', ...QUIET });
    assert.deepEqual([first.landed?.ok, second.landed?.ok], [true, true]);
    runInShell(second.kept?.byHand ?? []);
    runInShell(first.kept?.byHand ?? []);
    assert.equal(readFileSync(join(home, '.openclaw/mine'), 'utf8'), 'made by onboarding');
    assert.ok(existsSync(join(home, '.openclaw.pulled-one/agents/main/sessions/since.jsonl')));
  });

  test('pulled again with nothing changed since: nothing is moved, and all is checked again', async () => {
    const quiet = { home, restart: false };
    const first = await pullInto(world, { ...quiet, stamp: 'three' });
    assert.ok(first.isNew);
    // What a gateway writes without a turn.
    mkdirSync(join(home, '.openclaw/logs'), { recursive: true });
    writeFileSync(join(home, '.openclaw/logs/gateway.log'), 'one line more\n');
    const before = scanTree(home);
    const events: FerryEvent[] = [];
    const again = await pullInto(world, {
      ...quiet,
      stamp: 'four',
      events,
      confirm: () => assert.fail('there is nothing to ask'),
    });
    assert.deepEqual(scanTree(home), before);
    assert.equal(again.isNew, false);
    assert.equal(again.restored?.bytesFetched, 0);
    assert.ok(again.landed?.ok && again.landed.doctor.ran);
    assert.deepEqual(again.kept, first.kept);
    assert.ok(events.some((one) => one.type === 'notice' && one.code === 'already-in-place'));
    // With one new turn it is a pull like any other.
    writeFileSync(join(home, '.openclaw/agents/main/sessions/since.jsonl'), 'a turn since\n');
    const third = await pullInto(world, { ...quiet, stamp: 'five' });
    assert.ok(third.isNew);
    const aside = join(home, '.openclaw.before-stateferry-five');
    assert.ok(existsSync(join(aside, 'agents/main/sessions/since.jsonl')));
  });
});

describe('refused, with nothing changed', () => {
  const home = join(folder, 'new/users/carol');
  const unchanged = async (wishes: Partial<Parameters<typeof pullInto>[1]>, code: ErrorCode) => {
    mkdirSync(home, { recursive: true });
    const before = scanTree(home);
    const error = await refusalOf(pullInto(world, { home, ...wishes }), code);
    assert.deepEqual(scanTree(home), before);
    return error;
  };

  test('no product command here, unless it is not wanted', async () => {
    const error = await unchanged({ path: '/usr/bin:/bin' }, 'cli-missing');
    assert.equal(error.exit, 5);
    assert.match(error.hint ?? '', /npm install -g openclaw@2026\.3\.2/);
    const other = join(folder, 'new/users/carol-without');
    mkdirSync(other);
    const wishes = { home: other, path: '/usr/bin:/bin', ...QUIET };
    const pulled = await pullInto(world, wishes);
    assert.ok(pulled.landed?.ok);
    assert.equal(pulled.landed.doctor.ran, false);
  });

  test('a product command that is older, or that does not start', async () => {
    const old = join(folder, 'old-bin');
    mkdirSync(old);
    const command = (text: string): void =>
      writeFileSync(join(old, 'openclaw'), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    command('echo 2026.1.24-3');
    const path = `${old}:/usr/bin:/bin`;
    assert.equal((await unchanged({ path }, 'cli-too-old')).exit, 5);
    command('echo "SyntaxError: unexpected token" >&2; exit 1');
    assert.equal((await unchanged({ path }, 'cli-missing')).exit, 5);
  });

  test('a target below a file, or in a folder that nobody may write in', async () => {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'projects'), 'a file');
    assert.equal((await unchanged({}, 'target-unsafe')).exit, 18);
    rmSync(join(home, 'projects'));
  });
});

describe('for somebody else, by root', () => {
  const owner = { uid: 12_345, gid: 23_456 };
  const skip = process.getuid?.() === 0 ? false : 'only root can give files away';

  test('everything that lands belongs to them, folders made on the way too', { skip }, async () => {
    const home = join(folder, 'new/users/dora');
    mkdirSync(home, { recursive: true });
    for (const path of [folder, join(folder, 'new'), join(folder, 'new/users')])
      chmodSync(path, 0o755);
    spawnSync('chown', ['12345:23456', home]);
    // Readable by them: the stand-in runs as them, from the checkout.
    const bin = join(folder, 'bin-of-all');
    writeStandIn(bin, process.execPath);
    const pulled = await pullInto(world, {
      home,
      owner,
      path: `${bin}:/usr/bin:/bin`,
      doctor: false,
      restart: false,
    });
    assert.ok(pulled.landed?.ok);
    const found = spawnSync('find', [home, '-printf', '%U:%G\\n'], { encoding: 'utf8' });
    const owners = found.stdout.trimEnd().split('\n');
    assert.ok(owners.length > 450);
    assert.deepEqual([...new Set(owners)], ['12345:23456']);
    assert.equal(statSync(join(home, 'projects')).mode & 0o777, 0o755);
  });
});

describe('left over from a run before', () => {
  test('a stage whose paths were repaired already is fetched again where it differs', async () => {
    const home = join(folder, 'new/users/emil');
    mkdirSync(home, { recursive: true });
    // Interrupted between relocation and swap.
    const interrupt = new AbortController();
    const onEvent = atStage('relocate', () => interrupt.abort());
    await assert.rejects(pullInto(world, { home, onEvent, signal: interrupt.signal }));
    const stage = readdirSync(home).find((name) => name.endsWith('-state')) ?? '';
    assert.match(stage, /^\.stateferry-stage-/);
    const staged = readFileSync(join(home, stage, 'openclaw.json'), 'utf8');
    assert.ok(staged.includes(home), 'it was relocated');
    // What a kill in the middle of an edit leaves behind.
    writeFileSync(join(home, stage, 'openclaw.json.stateferry-edit'), 'half');
    // And a stage of another snapshot, which nobody will complete.
    const stale = join(home, '.stateferry-stage-00000000-state');
    mkdirSync(stale);
    const told: FerryEvent[] = [];
    const pulled = await pullInto(world, { home, events: told });
    const notice = told.find((event) => event.type === 'notice' && event.code === 'stage-left');
    assert.ok(notice?.type === 'notice' && notice.hint === `rm -rf '${stale}'`);
    rmSync(stale, { recursive: true });
    assert.ok(pulled.landed?.ok);
    assert.ok((pulled.restored?.bytesFetched ?? 0) < pushed.bytes / 4);
    const text = readFileSync(join(home, '.openclaw/openclaw.json'), 'utf8');
    assert.equal(text.split(home).length, staged.split(home).length);
    assert.equal(
      pulled.relocated.find(({ file }) => file.endsWith('main/sessions/sessions.json'))?.edits,
      14,
    );
    assert.deepEqual(
      [...scanTree(home).keys()].filter((name) => name.includes('stateferry')),
      [],
    );
  });
});

function runInShell(commands: readonly string[]): void {
  for (const command of commands) {
    const result = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    assert.equal(result.status, 0, `${command}: ${result.stderr}`);
  }
}
