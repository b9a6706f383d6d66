/**
 * Every directory on the way to a staged file is a real one: a snapshot could hold a link and then a file "below" it.
 */
import { chmodSync, lchownSync, lstatSync, mkdirSync } from 'node:fs';
import { asBytePath, dirNameBytes, joinBytes, showPath, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { FerryError, systemCode } from '../base/errors.ts';
import { checkEntryPath } from './safe-path.ts';

export type StageParents = {
  /** The absolute path of an entry, its parents made where missing and proven to be real directories. */
  readonly reach: (path: BytePath) => BytePath;
  /** The absolute path of a directory, made where missing, proven the same way. '' is the stage itself. */
  readonly directory: (path: BytePath) => BytePath;
  /** Whether this directory was made here, so that no earlier run left anything in it. */
  readonly isNew: (path: BytePath) => boolean;
};

/**
 * What was proven once is remembered: nobody but us writes into a stage (0700), and nothing of ours puts a link in
 * the place of a directory.
 */
export function stageParents(stage: BytePath): StageParents {
  /** With what `isNew` says. */
  const proven = new Map<string, boolean>([['', proveDirectory(stage, stage)]]);
  const directory = (path: BytePath): BytePath => {
    const full = path === '' ? stage : joinBytes(stage, path);
    if (path === '' || proven.has(path)) return full;
    refuseUnsafe(path);
    directory(dirNameBytes(path));
    const isNew = proveDirectory(full, path);
    if (proven.size >= PROVEN_MAX) proven.clear();
    proven.set(path, isNew);
    return full;
  };
  const reach = (path: BytePath): BytePath => {
    refuseUnsafe(path);
    directory(dirNameBytes(path));
    return joinBytes(stage, path);
  };
  return { reach, directory, isNew: (path) => proven.get(path) ?? false };
}

const PROVEN_MAX = 65_536;
/** Nobody else looks in until everything is in place; the real mode comes last. */
const DIRECTORY_MODE = 0o700;

function refuseUnsafe(path: BytePath): void {
  const reason = checkEntryPath(path);
  if (reason !== undefined) throw unsafe(path, reason);
}

/** Answers whether it was made just now. */
function proveDirectory(full: BytePath, shown: BytePath): boolean {
  // A look first: each thread comes to each directory, and a refused mkdir costs ten times as much.
  let there = lstatSync(toFsPath(full), { throwIfNoEntry: false });
  if (!there && make(full)) return true;
  there ??= lstatSync(toFsPath(full));
  // Root: an earlier run gave it away already, and its owner could swap what is in it under us.
  if (there.uid !== (process.geteuid?.() ?? 0)) {
    takeBack(full, shown);
    there = lstatSync(toFsPath(full));
  }
  if (!there.isDirectory()) throw unsafe(shown, 'something else is in the place of a directory');
  // An earlier run may have finished it, as read-only or open to others.
  if ((there.mode & 0o777) !== DIRECTORY_MODE) chmodSync(toFsPath(full), DIRECTORY_MODE);
  return false;
}

/** False: another thread was quicker. */
function make(full: BytePath): boolean {
  try {
    mkdirSync(toFsPath(full), { mode: DIRECTORY_MODE });
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return false;
  }
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
