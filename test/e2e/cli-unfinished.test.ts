/** What a killed pull leaves: status tells where it lies, how large it is, what goes on with it and what deletes it. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runProcess } from '../../src/process/run.ts';
import { asRecord, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const old = makeMachine(folder.path, 'alice');
const fresh = makeMachine(folder.path, 'bob');
const kit = join(folder.path, 'kit');
const repository = join(folder.path, 'repository');
const withKit = ['--recovery-file', kit];
const placing = ['pull', '-r', repository, '--no-doctor', '--no-restart', '--yes', ...withKit];
const settingsFile = join(fresh.settings, 'settings.json');
after(() => folder.remove());

before(async () => {
  const sessions = join(old.home, '.openclaw/agents/main/sessions');
  mkdirSync(sessions, { recursive: true });
  writeFileSync(join(old.home, '.openclaw/openclaw.json'), `{"gateway":{"port":${CLOSED_PORT}}}`);
  writeFileSync(join(sessions, 'sessions.json'), '{"a":{"sessionId":"first"}}');
  writeFileSync(join(sessions, 'first.jsonl'), '{"type":"session"}\n');
  const secret = ['--passphrase-file', old.passphraseFile];
  succeeded(await old.run('init', repository, '--kit', kit, ...secret));
  succeeded(await old.run('push'));
});

async function killedAt(place: string): Promise<void> {
  const preload = join(import.meta.dirname, '../support/kill-at-child.ts');
  const killing = { NODE_OPTIONS: `--import=${preload}`, KILL_AT: place };
  assert.equal((await fresh.runWith(killing, ...placing)).exit, null);
}

type Unfinished = {
  readonly installs: readonly { readonly install: string; readonly snapshot: string }[];
  readonly isUnderWay: boolean;
  readonly stages: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly remove: string;
  }[];
  readonly command: string;
};

/** With the codes of what needs attention. */
async function standing(): Promise<readonly [readonly Unfinished[], readonly string[]]> {
  const { unfinished, attention } = succeeded(await fresh.run('status', '--json')).last();
  const codes = (attention as { code: string }[]).map(({ code }) => code);
  return [unfinished as Unfinished[], codes];
}

const stagesHere = (): string[] =>
  readdirSync(fresh.home).filter((name) => name.startsWith('.stateferry-stage-'));

test('it is told with its place, its size, and the command that goes on', async () => {
  await killedAt('open:/journals/');
  const [stage, ...others] = stagesHere();
  assert.ok(stage !== undefined && others.length === 0);
  const [[unfinished, ...more], codes] = await standing();
  assert.ok(unfinished && more.length === 0 && codes.includes('pull-unfinished'));
  const { installs, isUnderWay, stages, command } = unfinished;
  const path = join(fresh.home, stage);
  assert.equal(isUnderWay, false);
  assert.deepEqual(
    stages.map((one) => [one.path, one.remove]),
    [[path, `rm -rf '${path}'`]],
  );
  assert.ok((stages[0]?.bytes ?? 0) > 0);
  const id = installs[0]?.snapshot.slice(0, 8) ?? '';
  assert.equal(command, `stateferry pull ${id} -r '${repository}' --no-doctor --no-restart`);
  const { stdout } = succeeded(await fresh.run('status'));
  assert.match(
    stdout,
    new RegExp(`the pull of openclaw from ${id}, .* was not finished; it left ${path} \\(`),
  );
  assert.ok(stdout.includes(`To go on with it: ${command}`) && stdout.includes(`rm -rf '${path}'`));
  assert.ok(!readFileSync(settingsFile, 'utf8').includes(kit));
});

test('one that is still at work needs no attention', async () => {
  const before_ = readFileSync(settingsFile, 'utf8');
  const settings = asRecord(JSON.parse(before_));
  const [staged] = settings['staged'] as object[];
  const by = { pid: process.pid, started: '' };
  writeFileSync(settingsFile, JSON.stringify({ ...settings, staged: [{ ...staged, by }] }));
  const [[unfinished], codes] = await standing();
  assert.ok(unfinished?.isUnderWay === true && !codes.includes('pull-unfinished'));
  writeFileSync(settingsFile, before_);
});

test('the command goes on with it, and then there is nothing to tell', async () => {
  const [[unfinished]] = await standing();
  const [program, ...words] = unfinished?.command.replaceAll("'", '').split(' ') ?? [];
  assert.equal(program, 'stateferry');
  const { bytesFetched } = succeeded(await fresh.run(...words, ...withKit, '--json')).last();
  assert.equal(bytesFetched, 0);
  assert.deepEqual([await standing(), stagesHere()], [[[], ['not-joined']], []]);
  assert.ok(!readFileSync(settingsFile, 'utf8').includes('staged'));
});

test('what an interrupted swap has yet to move nobody is told to delete', async () => {
  writeFileSync(join(old.home, '.openclaw/since.md'), 'a turn since');
  succeeded(await old.run('push'));
  await killedAt('rename:/.stateferry-stage-');
  assert.equal(stagesHere().length, 1);
  const [unfinished, codes] = await standing();
  assert.deepEqual(unfinished, []);
  assert.ok(codes.includes('swap-interrupted'));
  succeeded(await fresh.run(...placing));
  assert.deepEqual((await standing())[0], []);
});

test('what was deleted is told no more', async () => {
  writeFileSync(join(old.home, '.openclaw/since.md'), 'one more');
  succeeded(await old.run('push'));
  await killedAt('open:/journals/');
  const [[unfinished]] = await standing();
  const command = unfinished?.stages[0]?.remove ?? '';
  const { signal } = new AbortController();
  const shell = { env: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000, signal };
  assert.equal((await runProcess('/bin/sh', ['-c', command], shell)).exit, 0);
  assert.deepEqual([(await standing())[0], stagesHere()], [[], []]);
});
