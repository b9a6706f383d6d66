/** A disk that fills up while an install lands: everything is as it was, and the same works once there is room. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { FerryError } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import {
  hideOldHome,
  landingWorld,
  pullInto,
  pushHome,
  QUIET,
  type LandingWorld,
} from '../support/landing.ts';
import { freePort } from '../support/ports.ts';
import { ring } from '../support/rings.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { SMALL_INSTALL, writeSmallInstall } from '../support/small-install.ts';
import { scanTree } from '../support/tree.ts';

const base = mkdtempSync(join(tmpdir(), 'stateferry-full-landing-'));
const disk = mountSmallDisk(join(base, 'disk'), 'size=2m,nr_inodes=400');
const other = mountSmallDisk(join(base, 'other'), 'size=2m,nr_inodes=400');
after(() => {
  for (const each of [disk, other]) each.unmount();
  rmSync(base, { recursive: true, force: true });
});

ring('small-disk', disk.absent ?? other.absent, () => {
  let world: LandingWorld;
  const home = join(disk.path, 'bob');
  const workspace = join(home, 'my things/work space');

  before(async () => {
    world = await landingWorld(base);
    writeSmallInstall(world.oldHome, await freePort());
    await pushHome(world, { install: SMALL_INSTALL });
    hideOldHome(world);
  });

  beforeEach(() => {
    for (const folder of [
      home,
      `${home}.journals`,
      join(other.path, 'ws'),
      join(other.path, 'journals'),
    ]) {
      rmSync(folder, { recursive: true, force: true });
    }
    for (const each of [disk, other]) each.empty();
    mkdirSync(join(home, '.openclaw-work'), { recursive: true });
    writeFileSync(join(home, '.openclaw-work/mine'), 'bob made this');
  });

  const scanned = (): Map<string, unknown> => {
    const tree = new Map<string, unknown>(scanTree(home));
    for (const path of tree.keys()) if (path.includes('.stateferry-stage')) tree.delete(path);
    // Its time says that a stage came into being in it.
    tree.delete('');
    return tree;
  };

  /** Pulls while the disk is full from that event on. */
  async function pullWhile(isFullFrom: (event: FerryEvent) => boolean): Promise<void> {
    let isFull = false;
    const onEvent = (event: FerryEvent): void => {
      if (isFull || !isFullFrom(event)) return;
      isFull = true;
      disk.fill();
    };
    try {
      await pullInto(world, { home, onEvent, ...QUIET });
    } finally {
      assert.ok(isFull, 'the disk was filled');
    }
  }

  const STAGES = ['download', 'finish', 'relocate', 'swap'] as const;
  for (const stage of STAGES) {
    test(`full when it comes to ${stage}: nothing has changed, and a rerun lands`, async () => {
      const old = scanned();
      await assert.rejects(
        pullWhile((event) => event.type === 'stage' && event.stage === stage),
        (error) => {
          assert.ok(error instanceof FerryError, String(error));
          assert.equal(error.code, 'no-space', error.message);
          assert.equal(error.exit, 7);
          assert.ok(error.message.includes(disk.path), error.message);
          return true;
        },
      );
      assert.deepEqual(scanned(), old);
      await assertRerunLands();
    });
  }

  test('full in the middle of the swap: what was done is taken back', async () => {
    // The journal has room elsewhere; a folder that must be made has none.
    mkdirSync(join(other.path, 'journals'), { recursive: true });
    symlinkSync(join(other.path, 'journals'), `${home}.journals`);
    const old = scanned();
    await assert.rejects(
      pullWhile((event) => event.type === 'stage' && event.stage === 'swap'),
      (error) => error instanceof FerryError && error.code === 'no-space',
    );
    assert.deepEqual(scanned(), old);
    await assertRerunLands();
  });

  test('a workspace on another disk, which is full: nothing has changed on either', async () => {
    mkdirSync(join(other.path, 'ws'));
    symlinkSync(join(other.path, 'ws'), join(home, 'my things'));
    other.fill();
    const old = scanned();
    await assert.rejects(
      pullInto(world, { home, ...QUIET }),
      (error) => error instanceof FerryError && error.code === 'no-space',
    );
    assert.deepEqual(scanned(), old);
    other.empty();
    await assertRerunLands();
    assert.equal(readFileSync(join(other.path, 'ws/work space/SOUL.md'), 'utf8'), 'a soul');
  });

  async function assertRerunLands(): Promise<void> {
    disk.empty();
    const pulled = await pullInto(world, { home, stamp: 'second', ...QUIET });
    assert.ok(pulled.landed?.ok);
    assert.equal(readFileSync(join(workspace, 'SOUL.md'), 'utf8'), 'a soul');
    const aside = join(home, '.openclaw-work.before-stateferry-second/mine');
    assert.equal(readFileSync(aside, 'utf8'), 'bob made this');
  }
});
