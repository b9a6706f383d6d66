/**
 * Every directory on the way to a staged file is a real one: a snapshot could hold a link and then a file "below" it.
 */
import { chmodSync, lchownSync, lstatSync, mkdirSync } from 'node:fs';
import { asBytePath, dirNameBytes, joinBytes, showPath, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { FerryError, systemCode } from '../base/errors.ts';
import { isOwn } from './own-file.ts';
import { checkEntryPath } from './safe-path.ts';

export type StageParents = {
  /** The absolute path of an entry, its parents made where missing and proven to be real directories. */
  readonly reach: (path: BytePath) => BytePath;
  /** The absolute path of a directory, made where missing, proven the same way. '' is the stage itself. */
  readonly directory: (path: BytePath) => BytePath;
};

/**
 * What was proven once is remembered: nobody but us writes into a stage (0700), and nothing of ours puts a link in
 * the place of a directory.
 */
export function stageParents(stage: BytePath): StageParents {
  const proven = new Set<string>();
  proveDirectory(stage, stage);
  const directory = (path: BytePath): BytePath => {
    const full = path === '' ? stage : joinBytes(stage, path);
    if (path === '' || proven.has(path)) return full;
    refuseUnsafe(path);
    directory(dirNameBytes(path));
    proveDirectory(full, path);
    if (proven.size >= PROVEN_MAX) proven.clear();
    proven.add(path);
    return full;
  };
  const reach = (path: BytePath): BytePath => {
    refuseUnsafe(path);
    directory(dirNameBytes(path));
    return joinBytes(stage, path);
  };
  return { reach, directory };
}

const PROVEN_MAX = 65_536;
/** Nobody else looks in until everything is in place; the real mode comes last. */
const DIRECTORY_MODE = 0o700;

function refuseUnsafe(path: BytePath): void {
  const reason = checkEntryPath(path);
  if (reason !== undefined) throw unsafe(path, reason);
}

function proveDirectory(full: BytePath, shown: BytePath): void {
  try {
    mkdirSync(toFsPath(full), { mode: DIRECTORY_MODE });
    return;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  // Root: an earlier run gave it away already, and its owner could swap what is in it under us.
  if (!isOwn(full)) takeBack(full, shown);
  const stat = lstatSync(toFsPath(full));
  if (!stat.isDirectory()) throw unsafe(shown, 'something else is in the place of a directory');
  // An earlier run may have finished it, as read-only or open to others.
  if ((stat.mode & 0o777) !== DIRECTORY_MODE) chmodSync(toFsPath(full), DIRECTORY_MODE);
}

function takeBack(full: BytePath, shown: BytePath): void {
  try {
    lchownSync(toFsPath(full), process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error;
    throw unsafe(shown, 'a folder of another user is in its place');
  }
}

export function unsafe(path: BytePath, reason: string): FerryError {
  return new FerryError('target-unsafe', `refused to restore ${showPath(path)}: ${reason}`, {
    details: { path: showPath(asBytePath(path)) },
  });
}
