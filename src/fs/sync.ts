/**
 * Making what was written survive a power cut.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { baseNameBytes, dirNameBytes, asBytePath, joinBytes, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { FerryError, systemCode, throwIfAborted } from '../base/errors.ts';
import { isOutOfSpace, outOfSpace } from './out-of-space.ts';
import { runSystemTool } from './system-tools.ts';
import type { SystemTools } from './system-tools.ts';
import { walkTree } from './walk.ts';

export type SyncWay =
  /** One call for the whole file system. */
  | 'syncfs'
  /** One call for each file and directory. */
  | 'fsync';

/** Everything below `directory` is on the disk when this returns. */
export async function syncTree(directory: BytePath, tools: SystemTools): Promise<SyncWay> {
  if (process.platform === 'linux' && isPlainText(directory)) {
    const result = await runSystemTool(tools, 'sync', ['-f', directory]);
    if (result?.exit === 0) return 'syncfs';
  }
  for (const item of walkTree(directory)) {
    throwIfAborted(tools.signal);
    if (item.kind === 'problem') {
      throw new FerryError('file-write', `cannot sync ${directory}: ${item.message}`);
    }
    if (item.kind === 'entry' && item.type !== 'symlink') {
      syncPath(joinBytes(directory, item.path));
    }
  }
  return 'fsync';
}

/** An argument is text: bytes that are not UTF-8 would arrive as something else. */
const isPlainText = (path: BytePath): boolean => /^[\u0020-\u007e]*$/.test(path);

/** Renames, and comes back when that cannot be undone by a power cut. Replaces what a rename can replace. */
export function renameDurable(from: BytePath, to: BytePath): void {
  renameSync(toFsPath(from), toFsPath(to));
  syncPath(parentOf(to));
  if (parentOf(from) !== parentOf(to)) syncPath(parentOf(from));
}

/** What has these names, or no longer has, is so after a power cut too. */
export function syncNames(paths: readonly BytePath[]): void {
  for (const parent of new Set(paths.map(parentOf))) syncIfThere(parent);
}

function syncIfThere(path: BytePath): void {
  try {
    syncPath(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** All of the new content or all of the old, whatever happens; for settings and journals. */
export function writeFileDurable(path: BytePath, bytes: Uint8Array | string, mode = 0o600): void {
  const stamp = `${process.pid}-${process.hrtime.bigint().toString(36)}`;
  const name = asBytePath(`.${baseNameBytes(path).slice(0, 128)}.${stamp}.tmp`);
  const temp = joinBytes(parentOf(path), name);
  try {
    const fd = openSync(toFsPath(temp), 'wx', mode);
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameDurable(temp, path);
  } catch (error) {
    rmSync(toFsPath(temp), { force: true });
    throw isOutOfSpace(error) ? outOfSpace(parentOf(path), error) : error;
  }
}

const parentOf = (path: BytePath): BytePath => {
  const parent = dirNameBytes(path);
  return asBytePath(parent === '' ? (path.startsWith('/') ? '/' : '.') : parent);
};

function syncPath(path: BytePath): void {
  const fd = openSync(toFsPath(path), 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some network file systems have no fsync for directories: nothing more can be done there.
    if (systemCode(error) !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}
