/** A drill by root for somebody else, and one that was killed. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeStandIn } from '../../src/gateway/sample/stand-in.ts';
import { nobodyAbsence } from '../support/nobody.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import { SMALL_INSTALL, writeSmallInstall } from '../support/small-install.ts';
import { MAIN, PASSPHRASE } from '../support/cli-run.ts';

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? (nobodyAbsence() ?? false) : 'only root can become somebody else';
const ALICE = isRoot ? 14_011 : (process.getuid?.() ?? 0);

const folder = mkdtempSync(join(tmpdir(), 'drill-owner-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const home = join(folder, 'home/alice');
const binDir = join(folder, 'bin');
const temporary = join(folder, 'tmp');
const repository = join(folder, 'repository');
const said = join(folder, 'said');
/** While this pipe is there, a doctor waits for its end. */
const held = join(folder, 'held');
const env = {
  PATH: `${binDir}:${dirname(process.execPath)}:/usr/bin:/bin`,
  TMPDIR: temporary,
  STATEFERRY_PASSPHRASE: PASSPHRASE,
};

function run(...args: string[]) {
  const options = { cwd: folder, env, encoding: 'utf8' } as const;
  const all = [MAIN, ...args, '-r', repository, '--home', home, '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, options);
  return { exit: status, said: stdout + stderr };
}

before(() => {
  for (const path of [home, temporary]) mkdirSync(path, { recursive: true });
  for (const path of [folder, dirname(home)]) chmodSync(path, 0o755);
  chmodSync(temporary, 0o1777);
  writeStandIn(join(folder, 'product'), process.execPath);
  mkdirSync(binDir);
  // What it sees of the sandbox, and as whom.
  const script = `#!/bin/sh
stat -c '%u %a %n' "$HOME" "$OPENCLAW_STATE_DIR" "$OPENCLAW_CONFIG_PATH" "$TMPDIR" >> ${said}
echo "as $(id -u)" >> ${said}
case "$1" in doctor) [ ! -p '${held}' ] || exec cat '${held}';; esac
exec ${folder}/product/openclaw "$@"
`;
  writeFileSync(join(binDir, 'openclaw'), script, { mode: 0o755 });
  writeFileSync(said, '');
  chmodSync(said, 0o666);
  writeSmallInstall(home, CLOSED_PORT);
  spawnSync('chown', ['-R', `${ALICE}:${ALICE}`, home]);
  const init = run('init', repository, '--kit', join(folder, 'kit'));
  assert.equal(init.exit, 0, init.said);
  assert.equal(run('push', SMALL_INSTALL).exit, 0);
  writeFileSync(said, '');
});

test(
  'by root for somebody: the sandbox is theirs, and the product runs as they do',
  { skip },
  () => {
    const drilled = run('drill');
    assert.equal(drilled.exit, 0, drilled.said);
    const lines = readFileSync(said, 'utf8').trimEnd().split('\n');
    assert.ok(lines.includes(`as ${ALICE}`));
    const places = lines.filter((line) => line.includes('stateferry-drill-'));
    // The version is asked before anything lies in the home.
    assert.ok(places.some((line) => line.endsWith('/home/.openclaw-work/openclaw.json')));
    for (const line of places) assert.match(line, new RegExp(`^${ALICE} (700|600) `));
    assert.deepEqual(readdirSync(temporary), []);
  },
);

test('killed, it leaves a folder that the next one removes', { skip }, async () => {
  spawnSync('mkfifo', ['-m', '644', held]);
  const all = [MAIN, 'drill', '-r', repository, '--home', home, '--json'];
  const child = spawn(process.execPath, all, { cwd: folder, env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  // Opened as soon as a doctor reads from it: from here on the drill waits for that.
  const pipe = await open(held, 'w');
  child.kill('SIGKILL');
  await ended;
  await pipe.close();
  rmSync(held);
  const [left, ...more] = readdirSync(temporary);
  assert.deepEqual(more, []);
  assert.ok(left !== undefined && existsSync(join(temporary, left, 'home/.openclaw-work')));
  // A link of the user's in it leads out, and is not followed.
  const precious = join(folder, 'precious');
  mkdirSync(precious);
  writeFileSync(join(precious, 'file'), 'of somebody');
  spawnSync('ln', ['-s', precious, join(temporary, left, 'home/link')]);
  chownSync(precious, ALICE, ALICE);
  const drilled = run('drill');
  assert.equal(drilled.exit, 0, drilled.said);
  assert.match(drilled.said, new RegExp(`${left} was left over from a drill that was killed`));
  assert.deepEqual(readdirSync(temporary), []);
  assert.equal(readFileSync(join(precious, 'file'), 'utf8'), 'of somebody');
});
