/** A disk that fills up while a drill runs on it: nothing is left there, and nothing is claimed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemCode } from '../../src/base/errors.ts';
import { writeStandIn } from '../../src/gateway/sample/stand-in.ts';
import { drillIn, stateOf } from '../e2e/drill-scene.ts';
import { refusalOf } from '../support/engine.ts';
import { landingWorld, pushHome, type LandingWorld } from '../support/landing.ts';
import { freePort } from '../support/real-install.ts';
import { ring } from '../support/rings.ts';
import { SMALL_INSTALL, writeSmallInstall } from '../support/small-install.ts';

const base = mkdtempSync(join(tmpdir(), 'stateferry-full-drill-'));
const disk = join(base, 'disk');
mkdirSync(disk);
const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,nr_inodes=400', 'tmpfs', disk]);
after(() => {
  spawnSync('umount', [disk]);
  rmSync(base, { recursive: true, force: true });
});
const absence = mount.status === 0 ? undefined : 'mounting a small tmpfs needs root on Linux';
const ballast = join(disk, 'ballast');

/** Not a byte and not a file more. */
function fill(): void {
  mkdirSync(ballast);
  untilFull(() => {
    const file = openSync(join(ballast, 'bytes'), 'a');
    try {
      for (;;) writeSync(file, Buffer.alloc(4096, 1));
    } finally {
      closeSync(file);
    }
  });
  untilFull(() => {
    for (let number = 0; ; number++) writeFileSync(join(ballast, `file-${number}`), '');
  });
}

function untilFull(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error;
  }
}

ring('small-disk', absence, () => {
  let world: LandingWorld;

  before(async () => {
    world = await landingWorld(base);
    writeSmallInstall(world.oldHome, await freePort());
    writeStandIn(world.binDir, process.execPath);
    await pushHome(world, { install: SMALL_INSTALL });
  });

  for (const stage of ['download', 'finish', 'relocate', 'swap']) {
    test(`full when it comes to ${stage}`, async () => {
      const earlier = stateOf(world.oldHome);
      let isFull = false;
      const drilled = drillIn(world, {
        folder: disk,
        onEvent: (event) => {
          if (isFull || event.type !== 'stage' || event.stage !== stage) return;
          isFull = true;
          fill();
        },
      });
      const error = await refusalOf(drilled);
      assert.equal(error.code, 'no-space', error.message);
      assert.equal(error.exit, 7);
      assert.equal(error.message, `no space is left in ${disk}, so nothing was found out`);
      assert.ok(isFull);
      assert.deepEqual(readdirSync(disk), ['ballast']);
      assert.deepEqual(stateOf(world.oldHome), earlier);
      rmSync(ballast, { recursive: true });
    });
  }

  test('what the product says on a full disk is no verdict', async () => {
    const spy = join(base, 'spy');
    mkdirSync(spy);
    // It needs to write, and cannot.
    const script = `#!/bin/sh
case "$1" in doctor) echo x > "$HOME/.openclaw-work/health" || exit 1;; esac
exec ${world.binDir}/openclaw "$@"
`;
    writeFileSync(join(spy, 'openclaw'), script, { mode: 0o755 });
    const error = await refusalOf(
      drillIn(world, {
        folder: disk,
        path: `${spy}:/usr/bin:/bin`,
        onEvent: (event) => {
          if (event.type === 'stage' && event.stage === 'doctor') fill();
        },
      }),
    );
    assert.equal(error.code, 'no-space', error.message);
    assert.match(error.message, /nothing was found out/);
    assert.deepEqual(readdirSync(disk), ['ballast']);
    rmSync(ballast, { recursive: true });
  });

  test('too small from the start: refused before anything is written', async () => {
    fill();
    rmSync(join(ballast, 'file-0'));
    const error = await refusalOf(drillIn(world, { folder: disk }));
    assert.equal(error.code, 'no-space', error.message);
    assert.deepEqual(readdirSync(disk), ['ballast']);
    rmSync(ballast, { recursive: true });
  });

  test('with room again it passes', async () => {
    assert.equal((await drillIn(world, { folder: disk })).ok, true);
    assert.deepEqual(readdirSync(disk), []);
  });
});
