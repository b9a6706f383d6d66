/** A disk that fills up while a drill runs on it: nothing is left there, and nothing is claimed. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeStandIn } from '../../src/gateway/sample/stand-in.ts';
import { drillIn, stateOf } from '../e2e/drill-scene.ts';
import { landingWorld, pushHome, type LandingWorld } from '../support/landing.ts';
import { freePort } from '../support/ports.ts';
import { refusalOf } from '../support/refusal.ts';
import { ring } from '../support/rings.ts';
import { BALLAST, mountSmallDisk } from '../support/small-disk.ts';
import { SMALL_INSTALL, writeSmallInstall } from '../support/small-install.ts';

const base = mkdtempSync(join(tmpdir(), 'stateferry-full-drill-'));
const disk = mountSmallDisk(join(base, 'disk'), 'size=2m,nr_inodes=400');
after(() => {
  disk.unmount();
  rmSync(base, { recursive: true, force: true });
});

ring('small-disk', disk.absent, () => {
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
        folder: disk.path,
        onEvent: (event) => {
          if (isFull || event.type !== 'stage' || event.stage !== stage) return;
          isFull = true;
          disk.fill();
        },
      });
      const error = await refusalOf(drilled);
      assert.equal(error.code, 'no-space', error.message);
      assert.equal(error.exit, 7);
      assert.equal(error.message, `no space is left in ${disk.path}, so nothing was found out`);
      assert.ok(isFull);
      assert.deepEqual(readdirSync(disk.path), [BALLAST]);
      assert.deepEqual(stateOf(world.oldHome), earlier);
      disk.empty();
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
        folder: disk.path,
        path: `${spy}:/usr/bin:/bin`,
        onEvent: (event) => {
          if (event.type === 'stage' && event.stage === 'doctor') disk.fill();
        },
      }),
    );
    assert.equal(error.code, 'no-space', error.message);
    assert.match(error.message, /nothing was found out/);
    assert.deepEqual(readdirSync(disk.path), [BALLAST]);
    disk.empty();
  });

  test('too small from the start: refused before anything is written', async () => {
    disk.fill();
    rmSync(join(disk.path, BALLAST, 'file-0'));
    const error = await refusalOf(drillIn(world, { folder: disk.path }));
    assert.equal(error.code, 'no-space', error.message);
    assert.deepEqual(readdirSync(disk.path), [BALLAST]);
    disk.empty();
  });

  test('with room again it passes', async () => {
    assert.equal((await drillIn(world, { folder: disk.path })).ok, true);
    assert.deepEqual(readdirSync(disk.path), []);
  });
});
