import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import { gatewayRecordSchema } from '../../../src/gateway/install/record.ts';
import { engineFolder, makeEngine, type Engine } from '../../support/engine.ts';
import { contentsOf, forget, importInto, newestSnapshot, oldSample, tar } from './imports.ts';

/** What every way of bringing the sample over must end in. */
async function checkSample(
  engine: Engine,
  sample: ReturnType<typeof oldSample>,
  expected: { readonly config: Buffer; readonly soul: Buffer },
): Promise<void> {
  const snapshot = await newestSnapshot(engine);
  const { install, roots, gateway } = snapshot.body;
  assert.equal(install.home, sample.home);
  assert.deepEqual(
    roots.map(({ name, kind, path }) => ({ name, kind, path })),
    [
      { name: 'state', kind: 'state', path: sample.stateDir },
      { name: 'workspace', kind: 'workspace', path: sample.workspace },
    ],
  );
  const state = await contentsOf(snapshot, 'state');
  assert.deepEqual(state.get('openclaw.json'), expected.config);
  assert.ok(state.has('memory/main.sqlite'));
  assert.ok(!state.has('tmp/scratch'), 'what a push leaves out, an import leaves out');
  const workspace = await contentsOf(snapshot, 'workspace');
  assert.deepEqual(workspace.get('SOUL.md'), expected.soul);
  const record = gatewayRecordSchema.parse(gateway);
  assert.equal(record.stateDir, sample.stateDir);
  assert.equal(record.countsAfter.credentialFiles, sample.credentialFiles);
  assert.deepEqual(
    Object.fromEntries(record.countsAfter.agents.map(({ id, sessions }) => [id, sessions])),
    sample.sessionsPerAgent,
  );
  for (const root of record.roots)
    assert.deepEqual(root.aliases, [], 'nothing of the stage is recorded');
}

const expectedOf = (sample: ReturnType<typeof oldSample>) => ({
  config: readFileSync(sample.configPath),
  soul: readFileSync(`${sample.workspace}/SOUL.md`),
});

describe('archives made as the migration guide says', () => {
  test('state dir and workspaces, each packed from the home', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    tar(sample.home, '-czf', `${folder}/state.tgz`, '.openclaw');
    tar(sample.home, '-czf', `${folder}/main.tgz`, '.openclaw/workspace');
    tar(sample.home, '-czf', `${folder}/research.tgz`, 'projects/research');
    const expected = expectedOf(sample);
    forget(sample);
    const archives = ['research', 'main', 'state'].map((name) => `${folder}/${name}.tgz`);
    const imported = await importInto(engine, { archives });
    assert.equal(imported.home, sample.home);
    assert.equal(imported.stateDir, sample.stateDir);
    assert.deepEqual(imported.problems, []);
    await checkSample(engine, sample, expected);
    assert.deepEqual(readdirSync(engine.machine.scratch), [], 'nothing unpacked is left');
  });

  test('a workspace that was not packed is named', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    tar(sample.home, '-czf', `${folder}/state.tgz`, '.openclaw');
    forget(sample);
    const imported = await importInto(engine, { archives: [`${folder}/state.tgz`] });
    const missing = imported.omissions.filter(({ path }) => path === sample.workspace);
    assert.equal(missing[0]?.reason, 'no archive holds it');
    assert.ok(
      imported.events.some((event) => event.type === 'notice' && event.code === 'path-missing'),
    );
  });

  test('everything in one archive, with something that does not belong', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    mkdirSync(`${sample.home}/notes/more`, { recursive: true });
    writeFileSync(`${sample.home}/notes/more/a.txt`, 'a');
    tar(sample.home, '-czf', `${folder}/all.tgz`, '.openclaw', 'projects', 'notes');
    const expected = expectedOf(sample);
    forget(sample);
    const imported = await importInto(engine, { archives: [`${folder}/all.tgz`] });
    await checkSample(engine, sample, expected);
    assert.deepEqual(
      imported.omissions.filter(({ reason }) => reason === 'not part of the install'),
      [{ path: `${sample.home}/notes`, reason: 'not part of the install' }],
    );
  });
});

describe('archives made in other ways', () => {
  test('only the content of the state dir, and of the workspace', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    tar(sample.stateDir, '-czf', `${folder}/state.tgz`, '.');
    tar(`${sample.home}/projects`, '-cf', `${folder}/research.tar`, 'research');
    const expected = expectedOf(sample);
    forget(sample);
    const archives = [`${folder}/state.tgz`, `${folder}/research.tar`];
    await importInto(engine, { archives });
    await checkSample(engine, sample, expected);
  });

  test('with absolute paths, from which tar took the first slash', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    tar('/', '-czf', `${folder}/all.tgz`, sample.stateDir, sample.workspace);
    const expected = expectedOf(sample);
    forget(sample);
    await importInto(engine, { archives: [`${folder}/all.tgz`] });
    await checkSample(engine, sample, expected);
  });

  test('the layout of the newest product’s own backup', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    const top = `${folder}/2026-11-21T00-00-00-openclaw-backup`;
    mkdirSync(`${top}/payload/posix${sample.home}/..`, { recursive: true });
    const expected = expectedOf(sample);
    renameSync(sample.home, `${top}/payload/posix${sample.home}`);
    writeFileSync(`${top}/manifest.json`, '{"schemaVersion":1}');
    tar(folder, '-czf', `${folder}/backup.tar.gz`, '2026-11-21T00-00-00-openclaw-backup');
    await importInto(engine, { archives: [`${folder}/backup.tar.gz`] });
    await checkSample(engine, sample, expected);
  });

  test('a workspace that is a link in the state dir and a folder in its own archive', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    const elsewhere = `${folder}/elsewhere`;
    tar(sample.home, '-czf', `${folder}/main.tgz`, '.openclaw/workspace');
    renameSync(`${sample.stateDir}/workspace`, elsewhere);
    symlinkSync(elsewhere, `${sample.stateDir}/workspace`);
    tar(sample.home, '-czf', `${folder}/state.tgz`, '.openclaw');
    forget(sample);
    const archives = [`${folder}/state.tgz`, `${folder}/main.tgz`];
    const imported = await importInto(engine, { archives });
    assert.ok(imported.omissions.some(({ path }) => path === `${sample.stateDir}/workspace`));
    const state = await contentsOf(await newestSnapshot(engine), 'state');
    assert.ok(state.has('workspace/SOUL.md'));
  });
});

describe('what an archive does not say', () => {
  const bareConfig = '{"gateway":{"mode":"local","port":18789}}';

  test('a config without absolute paths needs --old-home, and says so', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    mkdirSync(`${folder}/home/.openclaw`, { recursive: true });
    writeFileSync(`${folder}/home/.openclaw/openclaw.json`, bareConfig);
    tar(`${folder}/home`, '-czf', `${folder}/state.tgz`, '.openclaw');
    const archives = [`${folder}/state.tgz`];
    await assert.rejects(importInto(engine, { archives }), { code: 'usage', hint: /--old-home/ });
    const imported = await importInto(engine, { archives, oldHome: '/home/alice/' });
    assert.equal(imported.home, '/home/alice');
    assert.equal(imported.stateDir, '/home/alice/.openclaw');
  });

  test('a profile', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    for (const name of ['.openclaw', '.openclaw-work']) {
      mkdirSync(`${folder}/home/${name}`, { recursive: true });
      writeFileSync(`${folder}/home/${name}/openclaw.json`, bareConfig);
    }
    tar(`${folder}/home`, '-czf', `${folder}/both.tgz`, '.openclaw', '.openclaw-work');
    const archives = [`${folder}/both.tgz`];
    const request = { archives, oldHome: '/home/alice' };
    const work = await importInto(engine, { ...request, install: 'openclaw:work' });
    assert.equal(work.install, 'openclaw:work');
    assert.equal(work.stateDir, '/home/alice/.openclaw-work');
    const plain = await importInto(engine, request);
    assert.equal(plain.stateDir, '/home/alice/.openclaw');
  });

  test('several state dirs of which none is meant more than the other', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    for (const name of ['one', 'two']) {
      mkdirSync(`${folder}/home/${name}`, { recursive: true });
      writeFileSync(`${folder}/home/${name}/openclaw.json`, bareConfig);
    }
    tar(`${folder}/home`, '-czf', `${folder}/both.tgz`, 'one', 'two');
    const archives = [`${folder}/both.tgz`];
    await assert.rejects(importInto(engine, { archives }), { code: 'install-ambiguous' });
    await assert.rejects(importInto(engine, { archives, install: 'resonix' }), {
      code: 'path-not-found',
    });
    await assert.rejects(importInto(engine, { archives, install: 'nothing' }), { code: 'usage' });
  });

  test('an archive that fits nowhere is not dropped in silence', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    tar(sample.home, '-czf', `${folder}/state.tgz`, '.openclaw');
    mkdirSync(`${folder}/pictures`);
    tar(folder, '-czf', `${folder}/pictures.tgz`, 'pictures');
    const archives = [`${folder}/state.tgz`, `${folder}/pictures.tgz`];
    await assert.rejects(importInto(engine, { archives }), { code: 'usage', message: /pictures/ });
    assert.deepEqual(readdirSync(engine.machine.scratch), []);
  });
});

test('a link of an archive does not open this machine’s files', async (context) => {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const sample = oldSample(folder);
  const secret = `${folder}/secret`;
  mkdirSync(secret);
  writeFileSync(`${secret}/SOUL.md`, 'of this machine');
  renameSync(sample.workspace, `${folder}/kept`);
  symlinkSync(secret, sample.workspace);
  tar(sample.home, '-czf', `${folder}/all.tgz`, '.openclaw', 'projects');
  const imported = await importInto(engine, { archives: [`${folder}/all.tgz`] });
  const snapshot = await newestSnapshot(engine);
  assert.deepEqual(
    snapshot.body.roots.map(({ name }) => name),
    ['state'],
  );
  assert.ok(imported.omissions.some(({ path }) => path === sample.workspace));
});
