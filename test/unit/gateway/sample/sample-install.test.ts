/** The sample, found by our own reading, moved to another home, and looked at by its stand-in command. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bytePathFromText } from '../../../../src/base/byte-path.ts';
import { countsOf } from '../../../../src/gateway/contents/count-install.ts';
import { rootsOf } from '../../../../src/gateway/contents/roots.ts';
import { discoverInstalls, inspect } from '../../../../src/gateway/discover/discover.ts';
import type { DiscoverRequest } from '../../../../src/gateway/discover/discover.ts';
import { BRANDS, brandListSchema, brandsWith } from '../../../../src/gateway/install/brands.ts';
import { gatewayRecord, gatewayRecordSchema } from '../../../../src/gateway/install/record.ts';
import { compareCounts, failedCritical } from '../../../../src/gateway/landing/checklist.ts';
import { runDoctor, validateConfig } from '../../../../src/gateway/product/doctor.ts';
import { pathMap } from '../../../../src/gateway/relocate/path-map.ts';
import { applyRelocation, planRelocation } from '../../../../src/gateway/relocate/relocate.ts';
import { editsPerFile } from '../../../../src/gateway/relocate/relocation.ts';
import { stagedRoots } from '../../../../src/gateway/relocate/staged-roots.ts';
import { writeSample } from '../../../../src/gateway/sample/sample-install.ts';
import { runProcess } from '../../../../src/process/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'sample-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
const uid = process.getuid?.() ?? 0;
const alice = `${folder}/home/alice`;
const bob = `${folder}/elsewhere/bob`;
const binDir = `${folder}/bin`;
const sample = writeSample({ home: alice, binDir, nodePath: process.execPath, port: 1 });
after(() => sample.close());

const requestFor = (home: string, withCli: boolean): DiscoverRequest => {
  const env = { PATH: `${binDir}:/usr/bin:/bin`, HOME: home };
  return {
    home,
    env,
    brands: BRANDS,
    uid,
    ...(withCli && { cli: { about: 'all', run: runProcess, env } }),
  };
};

test('found without a command: agents, workspaces, channels, counts, and how it is known', async () => {
  const [install, ...others] = await discoverInstalls(requestFor(alice, false), signal);
  assert.ok(install);
  assert.deepEqual(others, []);
  assert.equal(install.install, 'openclaw');
  assert.deepEqual(
    install.agents.map((agent) => [agent.id, agent.sessions, agent.isDefault]),
    [
      ['main', 14, true],
      ['research', 6, false],
      ['family', 3, false],
    ],
  );
  assert.deepEqual(install.workspaces, [
    `${alice}/.openclaw/workspace`,
    `${alice}/projects/research`,
    `${alice}/.openclaw/workspace-family`,
  ]);
  assert.deepEqual(install.channels, ['telegram', 'whatsapp']);
  assert.equal(install.credentialFiles, sample.credentialFiles);
  assert.equal(install.running, false);
  assert.deepEqual(install.notices, []);
  assert.equal(install.why[0]?.source, 'folder');
});

test('the command and our reading agree', async () => {
  const [install] = await discoverInstalls(requestFor(alice, true), signal);
  assert.equal(install?.cliVersion, '2026.3.2');
  assert.ok(install.why.some((one) => one.source === 'cli'));
  assert.deepEqual(install.notices, []);
});

test('moved by copying alone the doctor complains; relocated it is content, and nothing else changed', async () => {
  const from = requestFor(alice, false);
  const [found] = await discoverInstalls(from, signal);
  assert.ok(found);
  const before = await inspect(found, from, signal);
  const { roots, notices } = rootsOf({ ...before, env: from.env });
  assert.deepEqual(notices, []);
  assert.deepEqual(
    roots.map((root) => [root.name, root.path]),
    [
      ['state', `${alice}/.openclaw`],
      ['workspace', `${alice}/projects/research`],
    ],
  );
  const counts = countsOf(before);
  const record = gatewayRecordSchema.parse(
    JSON.parse(
      JSON.stringify(
        gatewayRecord({
          install: before.install,
          roots,
          countsBefore: counts,
          countsAfter: counts,
        }),
      ),
    ),
  );
  cpSync(alice, bob, { recursive: true, verbatimSymlinks: true });
  renameSync(alice, `${alice}.hidden`);
  try {
    const to = requestFor(bob, true);
    const [copied] = await discoverInstalls(to, signal);
    assert.ok(copied);
    const target = {
      home: bob,
      stateDir: copied.stateDir,
      configPath: copied.configPath,
      profile: 'default',
    };
    const broken = await inspect(copied, to, signal);
    assert.ok(broken.cli);
    const complaint = await runDoctor(broken.cli, { target, signal });
    assert.match(complaint.integrity.join('\n'), /missing transcripts/);

    const plan = planRelocation({
      roots: stagedRoots(
        record,
        new Map(
          record.roots.map((root) => [root.name, bytePathFromText(root.path.replace(alice, bob))]),
        ),
      ),
      map: pathMap([{ from: alice, to: bob }]),
      oldHome: alice,
      newHome: bob,
      stateDir: record.stateDir,
      configPath: record.configPath,
      agents: record.agents,
    });
    assert.deepEqual(plan.notices, []);
    assert.deepEqual(
      editsPerFile(plan).map(({ file, edits }) => [file.slice(alice.length), edits]),
      [
        ['/.openclaw/openclaw.json', 3],
        ['/.openclaw/agents/main/sessions/sessions.json', 14],
        ['/.openclaw/agents/research/sessions/sessions.json', 6],
        ['/.openclaw/agents/family/sessions/sessions.json', 3],
      ],
    );
    applyRelocation(plan);
    const original = readFileSync(`${alice}.hidden/.openclaw/openclaw.json`, 'utf8');
    const edited = readFileSync(`${bob}/.openclaw/openclaw.json`, 'utf8');
    assert.equal(edited, original.replaceAll(alice, bob));
    assert.ok(edited.includes(`'~/.openclaw/workspace-family'`) && edited.includes('// see .env'));

    const healed = await inspect(copied, to, signal);
    assert.deepEqual((await runDoctor(broken.cli, { target, signal })).integrity, []);
    assert.equal((await validateConfig(broken.cli, { target, signal })).valid, true);
    const lines = compareCounts(record, countsOf(healed), (path) => path.replace(alice, bob));
    assert.ok(lines.length > 8);
    assert.deepEqual(failedCritical(lines), []);
    assert.equal(existsSync(alice), false);
  } finally {
    renameSync(`${alice}.hidden`, alice);
  }
});

test('a count that fell is a failed line', async () => {
  const request = requestFor(alice, false);
  const [found] = await discoverInstalls(request, signal);
  assert.ok(found);
  const counts = countsOf(await inspect(found, request, signal));
  const fewer = {
    ...counts,
    agents: counts.agents.map((agent) => ({ ...agent, sessions: agent.sessions - 1 })),
  };
  const expected = { countsBefore: counts, countsAfter: counts };
  assert.equal(failedCritical(compareCounts(expected, fewer, (path) => path)).length, 3);
});

test('a fork that nobody has heard of is a few lines of settings', async () => {
  const brands = brandsWith(
    brandListSchema.parse([
      { name: 'acmeclaw', stateDirName: '.acme', configName: 'openclaw.json', defaultPort: 7 },
    ]),
  );
  cpSync(`${alice}/.openclaw/openclaw.json`, `${alice}/.acme/openclaw.json`);
  try {
    const found = await discoverInstalls({ ...requestFor(alice, false), brands }, signal);
    assert.deepEqual(
      found.map((install) => install.install),
      ['acmeclaw', 'openclaw'],
    );
  } finally {
    rmSync(`${alice}/.acme`, { recursive: true });
  }
  assert.equal(brandListSchema.safeParse([{ name: 'x', unknown: 1 }]).success, false);
  assert.equal(brandListSchema.safeParse([{ name: '../x' }]).success, false);
});
