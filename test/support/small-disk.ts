/** A disk of a few megabytes that can be filled to the last byte and file. Needs root: the ring `small-disk`. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/base/errors.ts';

export type SmallDisk = {
  readonly path: string;
  /** Why it is none; undefined: it is there. */
  readonly absent: string | undefined;
  /** Not a byte more, but empty files: everything lies in `ballast`. */
  fillBytes(): void;
  /** Not a byte and not a file more; wants a disk with `nr_inodes`, else there are always more files. */
  fill(): void;
  /** Takes the ballast away. */
  empty(): void;
  /** @param options `size=8m`, `ro` */
  remount(options: string): void;
  unmount(): void;
};

/** What fills it lies in this folder of it. */
export const BALLAST = 'ballast';

/** @param options as `mount -o` takes them: `size=2m,nr_inodes=400` */
export function mountSmallDisk(path: string, options: string): SmallDisk {
  mkdirSync(path);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status === 0;
  const ballast = join(path, BALLAST);
  const fillBytes = (): void => {
    mkdirSync(ballast);
    untilFull(() => fillWithBytes(join(ballast, 'bytes')));
  };
  return {
    path,
    absent: mounted ? undefined : 'mounting a small tmpfs needs root on Linux',
    fillBytes,
    fill: () => {
      fillBytes();
      untilFull(() => {
        for (let number = 0; ; number++) writeFileSync(join(ballast, `file-${number}`), '');
      });
    },
    empty: () => rmSync(ballast, { recursive: true, force: true }),
    remount: (changed) => {
      const { status } = spawnSync('mount', ['-o', `remount,${changed}`, path]);
      if (status !== 0) throw new Error(`${path} cannot be mounted with ${changed}`);
    },
    unmount: () => {
      // Also where a test that failed left a file of it open.
      if (mounted) spawnSync('umount', ['-l', path]);
    },
  };
}

function fillWithBytes(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096, 1));
  } finally {
    closeSync(file);
  }
}

function untilFull(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error;
  }
}
