/** A drill rehearses a whole pull beside the originals, tells what is wrong, and leaves nothing. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { damageFile } from '../support/damage.ts';
import { listAll, refusalOf } from '../support/engine.ts';
import { landingWorld, pushHome, type LandingWorld } from '../support/landing.ts';
import { freePort } from '../support/ports.ts';
import { drillIn, failedIn, leftIn, lineOf, retold, stateOf } from './drill-scene.ts';

const folder = mkdtempSync(join(tmpdir(), 'drill-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function sampleWorld(name: string): Promise<LandingWorld> {
  const world = await landingWorld(join(folder, name));
  const { oldHome: home, binDir } = world;
  writeSample({ home, binDir, nodePath: process.execPath, port: await freePort() }).close();
  return world;
}

describe('a snapshot that is whole', () => {
  let world: LandingWorld;
  before(async () => {
    world = await sampleWorld('whole');
    await pushHome(world);
  });

  test('passes, and neither the originals nor anything else is touched', async () => {
    const earlier = stateOf(world.oldHome);
    const beside = readdirSync(world.folder);
    const drilled = await drillIn(world);
    assert.deepEqual(failedIn(drilled), []);
    assert.equal(drilled.ok, true);
    assert.equal(drilled.doctor.ran, true);
    assert.deepEqual(stateOf(world.oldHome), earlier);
    assert.deepEqual(leftIn(world), []);
    assert.deepEqual(readdirSync(world.folder).toSorted(), [...beside, 'sandboxes'].toSorted());
    assert.equal(lineOf(drilled, 'originals on this machine').found, 'unchanged');
    assert.match(lineOf(drilled, 'databases (integrity_check)').found, /^[1-9]\d* whole$/);
    assert.match(lineOf(drilled, 'records of transcripts').found, /^[1-9]\d+ parsed$/);
    assert.match(lineOf(drilled, 'gateway running').found, /^not checked: a rehearsal/);
    // Named as the old machine names it.
    assert.ok(lineOf(drilled, `files in workspace ${world.oldHome}/.openclaw/workspace`).ok);
    assert.ok(drilled.bytesFetched > 0 && drilled.restoreMs > 0 && drilled.productMs > 0);
  });

  test('the product works on the copy, and is told of nothing outside', async () => {
    const said = join(world.folder, 'said');
    const spy = join(world.folder, 'spy');
    mkdirSync(spy);
    const script = `#!/bin/sh\nenv >> ${said}\nexec ${world.binDir}/openclaw "$@"\n`;
    writeFileSync(join(spy, 'openclaw'), script, { mode: 0o755 });
    const { oldHome } = world;
    const env = {
      XDG_CONFIG_HOME: `${oldHome}/.config`,
      XDG_RUNTIME_DIR: '/run/user/1',
      OPENCLAW_OAUTH_DIR: `${oldHome}/oauth`,
      OPENCLAW_STATE_DIR: `${oldHome}/.openclaw`,
      PI_CODING_AGENT_DIR: `${oldHome}/pi`,
    };
    const drilled = await drillIn(world, { path: `${spy}:/usr/bin:/bin`, env });
    assert.equal(drilled.ok, true);
    const lines = readFileSync(said, 'utf8').split('\n');
    assert.ok(lines.some((line) => /^HOME=.*\/sandboxes\/stateferry-drill-\w+\/home$/.test(line)));
    assert.deepEqual(
      lines.filter((line) => line.includes(oldHome)),
      [],
    );
    assert.deepEqual(
      lines.filter((line) => /^(XDG_|DBUS_|TMPDIR=(?!.*\/stateferry-drill-))/.test(line)),
      [],
    );
  });

  test('variables that the config names lead into the sandbox, or hold something', async () => {
    const reached = await sampleWorld('variables');
    const config = join(reached.oldHome, '.openclaw/openclaw.json');
    const text = readFileSync(config, 'utf8');
    const skills =
      'skills: { load: { extraDirs: ["${OF_DOTENV}", "${OF_CALLER}", "${OF_SHELL}/x"] } },';
    writeFileSync(config, text.replace(/^\{|(?<=\n)\{/, `{ ${skills}`));
    appendFileSync(
      join(reached.oldHome, '.openclaw/.env'),
      `\nOF_DOTENV=${reached.oldHome}/skills\n`,
    );
    await pushHome(reached);
    const told = join(reached.folder, 'told');
    const spy = join(reached.folder, 'spy');
    mkdirSync(spy);
    const script = `#!/bin/sh\nenv | grep ^OF_ > ${told}\nexec ${reached.binDir}/openclaw "$@"\n`;
    writeFileSync(join(spy, 'openclaw'), script, { mode: 0o755 });
    const env = { OF_CALLER: `${reached.oldHome}/more` };
    const drilled = await drillIn(reached, { path: `${spy}:/usr/bin:/bin`, env });
    assert.deepEqual(failedIn(drilled), []);
    const lines = readFileSync(told, 'utf8').trimEnd().split('\n').toSorted();
    assert.deepEqual(
      lines.map((line) => line.replace(/=.*\/stateferry-drill-\w+/, '=BOX')),
      ['OF_CALLER=BOX/home/more', 'OF_DOTENV=BOX/home/skills', 'OF_SHELL=not-known-in-a-drill'],
    );
  });

  test('passes without the product, and says that nobody asked it', async () => {
    const drilled = await drillIn(world, { path: '/usr/bin:/bin' });
    assert.equal(drilled.ok, true);
    assert.equal(drilled.doctor.ran, false);
    assert.equal(
      lineOf(drilled, 'doctor: state integrity').found,
      'not checked: the command openclaw is not on this machine',
    );
  });

  test('is kept where that is wished for', async () => {
    const { kept } = await drillIn(world, { keep: true });
    assert.ok(kept);
    assert.ok(existsSync(join(kept, 'home/.openclaw/openclaw.json')));
    assert.ok(!existsSync(join(kept, 'unfinished.json')));
    rmSync(kept, { recursive: true });
  });

  test('interrupted at any stage, it leaves nothing', async () => {
    const earlier = stateOf(world.oldHome);
    for (const stage of ['plan', 'download', 'finish', 'inspect', 'relocate', 'swap', 'doctor']) {
      const abort = new AbortController();
      let wasThere = false;
      const interrupted = drillIn(world, {
        signal: abort.signal,
        onEvent: (event) => {
          if (event.type !== 'stage' || event.stage !== stage) return;
          wasThere = leftIn(world).length === 1;
          abort.abort(new Error('SIGINT'));
        },
      });
      const error = await refusalOf(interrupted);
      assert.equal(error.code, 'interrupted', stage);
      assert.ok(wasThere, stage);
      assert.deepEqual(leftIn(world), [], stage);
    }
    assert.deepEqual(stateOf(world.oldHome), earlier);
  });
});

describe('what is wrong is told', () => {
  test('a database that was damaged before it was pushed', async () => {
    const world = await sampleWorld('damaged-database');
    const path = join(world.oldHome, '.openclaw/memory/work.sqlite');
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE t (a); CREATE INDEX i ON t (a)');
    const insert = database.prepare('INSERT INTO t VALUES (?)');
    for (let row = 0; row < 2_000; row++) insert.run(`row ${row}`);
    database.close();
    // Pages of the index say something else than those of the table.
    const bytes = readFileSync(path);
    for (let at = bytes.indexOf('row 777'); at >= 0; at = bytes.indexOf('row 777', at + 1)) {
      bytes.write('row 778', at);
      break;
    }
    writeFileSync(path, bytes);
    await pushHome(world);
    const drilled = await drillIn(world);
    assert.equal(drilled.ok, false);
    assert.deepEqual(failedIn(drilled), ['databases (integrity_check)']);
    const { found } = lineOf(drilled, 'databases (integrity_check)');
    assert.match(found, /damaged: state\/memory\/work\.sqlite \(.*index/);
  });

  test('torn records are named; a transcript without a whole one fails', async () => {
    const world = await sampleWorld('torn');
    const sessions = join(world.oldHome, '.openclaw/agents/main/sessions');
    const [first = ''] = readdirSync(sessions).filter((name) => name.endsWith('.jsonl'));
    appendFileSync(join(sessions, first), '{"type":"mess\n{"type":"message"}\n');
    await pushHome(world);
    const torn = await drillIn(world);
    assert.equal(torn.ok, true);
    const { ok, found } = lineOf(torn, 'records of transcripts');
    assert.equal(ok, false);
    assert.ok(found.includes(`state/agents/main/sessions/${first} (1 of `), found);
    writeFileSync(join(sessions, first), 'nothing of a transcript\n');
    await pushHome(world);
    assert.equal((await drillIn(world)).ok, false);
  });

  test('counts that are not those of the snapshot', async () => {
    const world = await sampleWorld('counts');
    await pushHome(world);
    for (const change of [1, -1]) {
      await retold(world, (body, record) => {
        const more = (counts: typeof record.countsBefore): typeof record.countsBefore => ({
          ...counts,
          agents: counts.agents.map((agent) =>
            agent.id === 'main' ? { ...agent, sessions: agent.sessions + change } : agent,
          ),
        });
        const { countsBefore, countsAfter } = record;
        const gateway = {
          ...record,
          countsBefore: more(countsBefore),
          countsAfter: more(countsAfter),
        };
        return { ...body, gateway };
      });
      const drilled = await drillIn(world);
      if (change === 1) assert.deepEqual(failedIn(drilled), ['sessions of main']);
      // Back to what is true.
      assert.equal(drilled.ok, change === -1);
    }
  });

  test('packs that are damaged or missing, with what is lost', async () => {
    const world = await sampleWorld('lost');
    await pushHome(world);
    const [cover = assert.fail('no snapshot')] = await listAll(world.reader);
    const file = 'state/workspace/MEMORY.md';
    const pack = await damageFile(world.reader, cover, file);
    const damaged = await drillIn(world);
    assert.equal(damaged.ok, false);
    assert.ok(damaged.lost.some(({ path }) => path === file));
    assert.match(lineOf(damaged, 'restore').found, /files? of the snapshot cannot be restored/);
    rmSync(join(world.repository, pack));
    const missing = await drillIn(world);
    assert.equal(missing.ok, false);
    assert.ok(failedIn(missing).includes('restore'));
    assert.deepEqual(leftIn(world), []);
  });
});

describe('a hostile snapshot', () => {
  test('lands nowhere but in the sandbox, whatever it calls its home and its roots', async () => {
    const world = await sampleWorld('hostile');
    await pushHome(world);
    const victim = join(world.folder, 'victim');
    mkdirSync(victim);
    writeFileSync(join(victim, 'precious'), 'of somebody');
    const earlier = stateOf(victim);
    const home = stateOf(world.oldHome);
    for (const lie of ['/', '/nowhere', `${world.folder}/else`, '']) {
      await retold(world, (body, record) => ({
        ...body,
        install: { ...body.install, home: lie },
        roots: body.roots.map((root) => ({ ...root, path: `${victim}/${root.name}` })),
        gateway: {
          ...record,
          home: lie,
          stateDir: `${victim}/state`,
          configPath: `${victim}/state/openclaw.json`,
          roots: record.roots.map((root) => ({ ...root, path: `${victim}/${root.name}` })),
        },
      }));
      await drillIn(world);
      assert.deepEqual(stateOf(victim), earlier, lie);
      assert.deepEqual(stateOf(world.oldHome), home, lie);
      assert.deepEqual(leftIn(world), [], lie);
    }
  });

  test('links of it lead nowhere but into the sandbox, whatever a command writes through them', async () => {
    const world = await sampleWorld('hostile-links');
    const victim = join(world.folder, 'victim');
    mkdirSync(victim);
    writeFileSync(join(victim, 'precious'), 'of somebody');
    const state = join(world.oldHome, '.openclaw');
    const links: Record<string, string> = {
      absolute: victim,
      climbs: `${'../'.repeat(40)}${victim.slice(1)}`,
      climber: '..',
      'by-another': `${'climber/'.repeat(8)}${'../'.repeat(30)}${victim.slice(1)}`,
      process: `/proc/self/root${victim}`,
      new: join(victim, 'new'),
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(state, name));
    await pushHome(world);
    const earlier = stateOf(victim);
    const home = stateOf(world.oldHome);
    const spy = join(world.folder, 'spy');
    const ran = join(world.folder, 'ran');
    mkdirSync(spy);
    const names = Object.keys(links).join(' ');
    const script = `#!/bin/sh
for name in ${names}; do
  if [ -L "$HOME/.openclaw/$name" ]; then
    echo "$name" >> ${ran}
    echo x > "$HOME/.openclaw/$name/written"
    echo x > "$HOME/.openclaw/$name"
    rm -f "$HOME/.openclaw/$name/precious"
  fi
done 2> /dev/null
exec ${world.binDir}/openclaw "$@"
`;
    writeFileSync(join(spy, 'openclaw'), script, { mode: 0o755 });
    const drilled = await drillIn(world, { path: `${spy}:/usr/bin:/bin` });
    assert.equal(drilled.doctor.ran, true);
    assert.deepEqual(
      [...new Set(readFileSync(ran, 'utf8').trimEnd().split('\n'))].toSorted(),
      Object.keys(links).toSorted(),
    );
    assert.deepEqual(stateOf(victim), earlier);
    assert.deepEqual(stateOf(world.oldHome), home);
    assert.deepEqual(leftIn(world), []);
  });

  test('a config that it says lies elsewhere is given to no command', async () => {
    const world = await sampleWorld('hostile-config');
    await pushHome(world);
    await retold(world, (body, record) => ({
      ...body,
      gateway: { ...record, configPath: '/usr/share/openclaw.json' },
    }));
    const drilled = await drillIn(world);
    assert.equal(drilled.ok, false);
    assert.equal(drilled.doctor.ran, false);
    assert.match(lineOf(drilled, 'restore').found, /outside of the sandbox$/);
  });

  test('a path that climbs, and a record that is none', async () => {
    const world = await sampleWorld('hostile-paths');
    await pushHome(world);
    await retold(world, (body) => ({
      ...body,
      roots: body.roots.map((root) => ({ ...root, path: '/home/alice/../../../etc' })),
    }));
    const climbed = await drillIn(world);
    await retold(world, (body) => ({ ...body, gateway: {} }));
    const none = await drillIn(world);
    for (const drilled of [climbed, none]) {
      assert.equal(drilled.ok, false);
      assert.deepEqual(failedIn(drilled), ['restore']);
    }
    assert.match(lineOf(none, 'restore').found, /no usable record of its gateway/);
    assert.deepEqual(leftIn(world), []);
  });
});
