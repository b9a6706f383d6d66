/** What a stranger put into a stage leads the relocation nowhere else: neither `..` nor links lead out of it. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { bytePathFromText, type BytePath } from '../../src/base/byte-path.ts';
import { loadConfig } from '../../src/gateway/config/config-text.ts';
import { locateIn } from '../../src/gateway/disk/locate.ts';
import { readFileIfAny } from '../../src/gateway/disk/read.ts';
import { pathMap } from '../../src/gateway/relocate/path-map.ts';
import { applyRelocation, planRelocation } from '../../src/gateway/relocate/relocate.ts';
import type { RelocationRequest } from '../../src/gateway/relocate/relocation.ts';

const OLD = '/old/ada';
const NEW = '/new/bob';
const STATE = `${OLD}/.openclaw`;
const INDEX = JSON.stringify({
  'agent:main': { sessionId: 's', sessionFile: `${STATE}/agents/main/sessions/s.jsonl` },
});
const CONFIG = `{ agents: { defaults: { workspace: '${OLD}/work' } } }\n`;

type Scene = { readonly outside: string; readonly stage: string; readonly work: string };

/** `outside` is not ours to touch: it holds all that relocation would edit. */
function scene(context: TestContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-stage-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const outside = join(folder, 'outside');
  mkdirSync(join(outside, 'sessions'), { recursive: true });
  writeFileSync(join(outside, 'sessions/sessions.json'), INDEX);
  writeFileSync(join(outside, 'openclaw.json'), CONFIG);
  mkdirSync(join(outside, 'state'));
  const database = new DatabaseSync(join(outside, 'state/openclaw.sqlite'));
  database.exec('CREATE TABLE cron_jobs (store_key TEXT)');
  database.prepare('INSERT INTO cron_jobs VALUES (?)').run(`${STATE}/cron/jobs.json`);
  database.close();
  symlinkSync(`${OLD}/work`, join(outside, 'link'));
  const stage = join(folder, 'stage');
  const work = join(folder, 'stage-work');
  for (const made of [stage, work]) mkdirSync(made);
  return { outside, stage, work };
}

function request({ stage, work }: Scene, more: Partial<RelocationRequest> = {}): RelocationRequest {
  return {
    roots: [
      { path: bytePathFromText(STATE), aliases: [], at: bytePathFromText(stage) },
      { path: bytePathFromText(`${OLD}/work`), aliases: [], at: bytePathFromText(work) },
    ],
    map: pathMap([{ from: OLD, to: NEW }]),
    oldHome: OLD,
    newHome: NEW,
    stateDir: STATE,
    configPath: `${STATE}/openclaw.json`,
    agents: [],
    ...more,
  };
}

function everything(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const at = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) return `${at} → ${readlinkSync(at)}`;
    return entry.isFile() ? `${at} ${readFileSync(at, 'latin1')}` : at;
  });
}

function relocatesNothing(scene: Scene, wish: RelocationRequest): void {
  const before = everything(scene.outside);
  assert.ok(before.length >= 6);
  const plan = planRelocation(wish);
  assert.deepEqual(plan.edits, []);
  applyRelocation(plan);
  assert.deepEqual(everything(scene.outside), before);
}

const CLIMBS = '../outside';

test('paths of the record that climb out of the stage', (context) => {
  const at = scene(context);
  const climbing = `${STATE}/${CLIMBS}`;
  relocatesNothing(at, request(at, { configPath: `${climbing}/openclaw.json` }));
  const agents = [{ id: 'main', sessionsDir: `${climbing}/sessions` }];
  relocatesNothing(at, request(at, { agents }));
  relocatesNothing(at, request(at, { stateDir: climbing }));
  const [state, work] = request(at).roots;
  assert.ok(state && work);
  const aliases = [bytePathFromText(`${climbing}/link/deeper`)];
  relocatesNothing(at, request(at, { roots: [{ ...state, aliases }, work] }));
});

test('folders of the stage that are links to elsewhere', (context) => {
  const at = scene(context);
  mkdirSync(join(at.stage, 'agents/main'), { recursive: true });
  symlinkSync(join(at.outside, 'sessions'), join(at.stage, 'agents/main/sessions'));
  symlinkSync(join(at.outside, 'state'), join(at.stage, 'state'));
  symlinkSync(join(at.outside, 'openclaw.json'), join(at.stage, 'openclaw.json'));
  relocatesNothing(at, request(at));
});

test('a link that climbs, and links that lead to each other', (context) => {
  const at = scene(context);
  symlinkSync(`${CLIMBS}/openclaw.json`, join(at.stage, 'openclaw.json'));
  relocatesNothing(at, request(at));
  symlinkSync('two', join(at.stage, 'one'));
  symlinkSync('one', join(at.stage, 'two'));
  relocatesNothing(at, request(at, { configPath: `${STATE}/one` }));
});

test('a config that is a link into another root is relocated where it lies', (context) => {
  const at = scene(context);
  writeFileSync(join(at.work, 'config.json5'), CONFIG);
  symlinkSync(`${OLD}/work/config.json5`, join(at.stage, 'openclaw.json'));
  const plan = planRelocation(request(at));
  assert.equal(plan.edits.length, 1);
  applyRelocation(plan);
  assert.ok(readFileSync(join(at.work, 'config.json5'), 'utf8').includes(`'${NEW}/work'`));
  assert.equal(readlinkSync(join(at.stage, 'openclaw.json')), `${OLD}/work/config.json5`);
});

test('a config that is a link beside itself is relocated too', (context) => {
  const at = scene(context);
  mkdirSync(join(at.stage, 'dotfiles'));
  writeFileSync(join(at.stage, 'dotfiles/real.json5'), CONFIG);
  symlinkSync('dotfiles/real.json5', join(at.stage, 'openclaw.json'));
  applyRelocation(planRelocation(request(at)));
  assert.ok(readFileSync(join(at.stage, 'dotfiles/real.json5'), 'utf8').includes(NEW));
});

test('an include of the config does not read what is outside', (context) => {
  const at = scene(context);
  symlinkSync(at.outside, join(at.stage, 'more'));
  writeFileSync(join(at.stage, 'openclaw.json'), `{ $include: './more/openclaw.json' }\n`);
  const { roots } = request(at);
  const read = (path: string | Buffer): Buffer | undefined => {
    const located: BytePath | undefined = locateIn(roots, path.toString());
    return located === undefined ? undefined : readFileIfAny(located);
  };
  const config = loadConfig(`${STATE}/openclaw.json`, read);
  assert.equal(config.files.length, 1);
  assert.equal(config.problems.length, 1);
});

test('edits of a database keep what still lies in its -wal', (context) => {
  const at = scene(context);
  mkdirSync(join(at.stage, 'state'));
  const made = join(at.stage, 'made.sqlite');
  const staged = join(at.stage, 'state/openclaw.sqlite');
  const writer = new DatabaseSync(made);
  writer.exec('PRAGMA journal_mode = WAL; CREATE TABLE cron_jobs (store_key TEXT, job TEXT)');
  writer.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const insert = writer.prepare('INSERT INTO cron_jobs VALUES (?, ?)');
  for (let job = 0; job < 500; job++) insert.run(`${STATE}/cron/jobs.json`, `job ${job}`);
  // As a capture finds them when SQLite cannot copy: the file and its -wal, side by side.
  for (const suffix of ['', '-wal']) writeFileSync(staged + suffix, readFileSync(made + suffix));
  writer.close();
  applyRelocation(planRelocation(request(at)));
  const database = new DatabaseSync(staged);
  const rows = database.prepare('SELECT store_key, count(*) AS n FROM cron_jobs GROUP BY 1').all();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [{ store_key: `${NEW}/.openclaw/cron/jobs.json`, n: 500 }],
  );
  database.close();
});
