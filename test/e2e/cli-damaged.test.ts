/** The newest snapshot is not whole: what is lost is named before anything is placed, and an older one is offered. */
import assert from 'node:assert/strict';
import {
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { PIPELINE } from '../../src/workers/limits.ts';
import { noise } from '../support/tree.ts';
import {
  asRecord,
  makeFolder,
  makeMachine,
  succeeded,
  type Answer,
  type Machine,
} from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const whole = join(folder.path, 'whole');
const repository = join(folder.path, 'repository');
const kit = join(folder.path, 'kit.txt');
const alice = makeMachine(folder.path, 'alice');
const MEMORY = '.openclaw/workspace/MEMORY.md';
const BIG_BYTES = PIPELINE.packBytes + 100_000;
/** Packs that only the newest snapshot needs, below the repository: what is new in files, and the lists of files. */
let newest: { readonly content: string; readonly lists: string };
let ids: string[] = [];
let machines = 0;

before(async () => {
  writeSample({ home: alice.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  const secret = ['--passphrase-file', alice.passphraseFile];
  succeeded(await alice.run('init', whole, '--kit', kit, ...secret));
  succeeded(await alice.run('push'));
  const old = packsIn(whole);
  // More than a pack holds: the lists of files lie in another one.
  writeFileSync(join(alice.home, MEMORY), noise(5, BIG_BYTES));
  succeeded(await alice.run('push'));
  const bySize = packsIn(whole)
    .filter((name) => !old.includes(name))
    .toSorted(
      (a, b) => statSync(join(whole, 'packs', b)).size - statSync(join(whole, 'packs', a)).size,
    );
  const [content, lists] = bySize;
  assert.ok(content !== undefined && lists !== undefined && bySize.length === 2);
  newest = { content, lists };
  const listed = succeeded(await alice.run('snapshots', '--json')).last()['snapshots'];
  assert.ok(Array.isArray(listed));
  ids = listed.map((one) => String(asRecord(one)['id']).slice(0, 8));
  assert.equal(ids.length, 2);
});
beforeEach(() => {
  rmSync(repository, { recursive: true, force: true });
  cpSync(whole, repository, { recursive: true });
});
after(() => folder.remove());

function packsIn(place: string): string[] {
  const packs = join(place, 'packs');
  return readdirSync(packs, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/[0-9a-f]{32}$/.test(name),
  );
}

const packOf = (what: keyof typeof newest): string => join(repository, 'packs', newest[what]);

/** A machine that has never seen the repository. */
function fresh(): Machine {
  machines += 1;
  return makeMachine(folder.path, `fresh-${machines}`);
}

const PULL = ['pull', '-r', repository, '--no-doctor', '--no-restart'];

function assertNothingPlaced({ home }: Machine): void {
  const placed = readdirSync(home).filter((name) => !name.startsWith('.stateferry-stage-'));
  assert.deepEqual(placed, []);
}

/** What the last hint says to type, as the words of a shell. */
function commandIn(answer: Answer): string[] {
  const hint = /^hint: .*To take it: stateferry (?<command>.*)$/m.exec(answer.stderr);
  const command = hint?.groups?.['command'];
  assert.ok(command, answer.stderr);
  return command.split(' ').map((word) => word.replaceAll("'", ''));
}

async function offersTheOlder(
  damage: () => void,
  exit: number,
  { secret = ['--recovery-file', kit], named = /^problem: state\/workspace\/MEMORY\.md: /m } = {},
): Promise<void> {
  damage();
  const machine = fresh();
  const answer = await machine.run(...PULL, ...secret);
  assert.equal(answer.exit, exit, answer.stderr);
  assert.match(answer.stderr, named);
  assertNothingPlaced(machine);
  // A yes that was said beforehand is none to an older snapshot.
  assert.equal((await machine.run(...PULL, ...secret, '--yes')).exit, exit);
  assertNothingPlaced(machine);
  const command = commandIn(answer);
  assert.equal(command[1], ids[0]);
  const pulled = succeeded(await machine.run(...command, '--json'));
  assert.ok(String(pulled.last()['snapshot']).startsWith(ids[0] ?? '?'));
  assert.ok(statSync(join(machine.home, MEMORY)).size < BIG_BYTES);
}

test('whole, the newest is taken', async () => {
  const machine = fresh();
  succeeded(await machine.run(...PULL, '--recovery-file', kit));
  assert.equal(statSync(join(machine.home, MEMORY)).size, BIG_BYTES);
});

test('a pack that is missing is known beforehand: exit 15', async () => {
  await offersTheOlder(() => rmSync(packOf('content')), 15);
});

test('with the passphrase it is the same', async () => {
  const secret = ['--passphrase-file', alice.passphraseFile];
  await offersTheOlder(() => rmSync(packOf('content')), 15, { secret });
});

test('a pack that was cut short is known beforehand: exit 16', async () => {
  await offersTheOlder(() => truncateSync(packOf('content'), 1000), 16);
});

test('a pack that is damaged inside shows itself before anything is placed: exit 16', async () => {
  await offersTheOlder(() => spoil(packOf('content')), 16);
});

test('a list of files that is lost is told as such: nobody knows what changed', async () => {
  const named = /^problem: state: the list of \d+ files is lost/m;
  await offersTheOlder(() => rmSync(packOf('lists')), 15, { named });
  rmSync(repository, { recursive: true });
  cpSync(whole, repository, { recursive: true });
  await offersTheOlder(() => spoil(packOf('lists')), 16, {
    named: /^error: snapshot .* is not whole: packs\/.* is damaged/m,
  });
});

/** Everything but its front, in place. */
function spoil(pack: string): void {
  const bytes = readFileSync(pack);
  writeFileSync(pack, bytes.fill(0x55, 2000));
}

test('a snapshot that is damaged itself may be the newest: exit 16', async () => {
  const [writer = ''] = newest.content.split('/');
  const snapshots = join(repository, 'snapshots', writer);
  const name = readdirSync(snapshots).find((id) => id.startsWith(ids[1] ?? '?'));
  assert.ok(name);
  truncateSync(join(snapshots, name), 2000);
  const named = new RegExp(`^error: snapshots/${writer}/${name} cannot be read`, 'm');
  await offersTheOlder(() => {}, 16, { named });
});

test('where no snapshot is whole, what is left can be taken', async () => {
  const kept: readonly string[] = Object.values(newest);
  for (const pack of packsIn(repository)) {
    if (!kept.includes(pack)) rmSync(join(repository, 'packs', pack));
  }
  const machine = fresh();
  const answer = await machine.run(...PULL, '--recovery-file', kit, '--json');
  assert.equal(answer.exit, 15);
  const { hint, message } = answer.last();
  assert.match(String(message), /packs? (is|are) missing, and with (it|them) /);
  assert.match(String(hint), /^No snapshot of openclaw is whole\. .*--into \.\/rescued/);
  const named = answer.lines().filter(({ type }) => type === 'problem');
  assert.ok(named.length > 0 && named.length <= 20, `${named.length} are named`);
  assertNothingPlaced(machine);
});

const secret = ['-r', repository, '--recovery-file', kit];

test('what comes back is counted without what was lost', async () => {
  const machine = fresh();
  const pull = ['pull', ...secret, '--yes', '--into'];
  const all = succeeded(await machine.run(...pull, join(machine.home, 'all'), '--json')).last();
  spoil(packOf('content'));
  const answer = await machine.run(...pull, join(machine.home, 'rest'), '--json');
  assert.equal(answer.exit, 3, answer.stderr);
  const rest = answer.last();
  assert.equal(rest['files'], Number(all['files']) - 1);
  assert.equal(rest['bytes'], Number(all['bytes']) - BIG_BYTES);
  const { stdout } = await machine.run(...pull, join(machine.home, 'again'));
  assert.match(
    stdout,
    /^ {2}not restored: .*: its content is missing or damaged in the repository$/m,
  );
});

test('a check names the repair that finds what it found, and after that the push', async () => {
  const machine = fresh();
  spoil(packOf('content'));
  const check = ['check', '--read-data', ...secret];
  const found = await machine.run(...check);
  assert.equal(found.exit, 16, found.stderr);
  const named = /^next: stateferry (?<command>repair.*?) has /m.exec(found.stdout);
  const command = named?.groups?.['command'];
  assert.ok(command !== undefined, found.stdout);
  const repaired = await machine.run(...command.split(' '), ...secret, '--yes');
  assert.match(repaired.stdout, /^announced 1 damaged object$/m);
  assert.match((await machine.run(...check)).stdout, /^next: stateferry push on each machine /m);
});
