/** What a swap is made of. Every step can be repeated after a crash, and all but the last kind can be taken back. */
import { chmodSync, lchownSync, lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { dirNameBytes, showPath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { FerryError, systemCode } from '../base/errors.ts';
import { removeFolder } from './private-folder.ts';
import { renameDurable } from './sync.ts';

export type FolderOwner = { readonly uid: number; readonly gid: number } | undefined;

export type SwapStep =
  /** A folder above a target that is not there yet. */
  | {
      readonly kind: 'make';
      readonly to: BytePath;
      readonly mode: number;
      readonly owner?: FolderOwner;
    }
  /** What is there now, out of the way; only if something is there. */
  | { readonly kind: 'aside'; readonly from: BytePath; readonly to: BytePath }
  | { readonly kind: 'place'; readonly from: BytePath; readonly to: BytePath }
  /** What is left of a stage. */
  | { readonly kind: 'discard'; readonly from: BytePath };

/** @throws target-unsafe when something is where nothing was, or the other way round */
export function performStep(step: SwapStep): void {
  switch (step.kind) {
    case 'make':
      return makeFolder(step.to, step.mode, step.owner);
    case 'aside':
      return moveAside(step.from, step.to);
    case 'place':
      return place(step.from, step.to);
    case 'discard':
      return removeFolder(step.from);
  }
}

/** As if the step had never been; nothing happens when it was not performed. */
export function takeBackStep(step: SwapStep): void {
  if (step.kind === 'make') removeIfEmpty(step.to);
  if (step.kind !== 'aside' && step.kind !== 'place') return;
  if (isThere(step.to) && !isThere(step.from)) renameDurable(step.to, step.from);
}

export function isThere(path: BytePath): boolean {
  try {
    return lstatSync(toFsPath(path), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // A file is where a folder above it should be.
    if (systemCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** One folder; its parent is there. One that is there already stays as it is. */
export function makeFolder(path: BytePath, mode: number, owner: FolderOwner): void {
  try {
    mkdirSync(toFsPath(path), { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return;
  }
  if (owner) lchownSync(toFsPath(path), owner.uid, owner.gid);
  chmodSync(toFsPath(path), mode & 0o3777);
}

/** The innermost folder above `path`, or itself, that is there; and what is missing below it, outermost first. */
export function folderAbove(path: BytePath): {
  readonly there: BytePath;
  readonly missing: readonly BytePath[];
} {
  const missing: BytePath[] = [];
  let there = path;
  while (there !== '' && !isThere(there)) {
    missing.unshift(there);
    there = dirNameBytes(there);
  }
  return { there: there === '' ? ('/' as BytePath) : there, missing };
}

function moveAside(from: BytePath, to: BytePath): void {
  // Done before a crash; what is at the old place now is looked at by the step that wants it.
  if (isThere(from) && !isThere(to)) renameDurable(from, to);
}

function place(from: BytePath, to: BytePath): void {
  if (isThere(from) && !isThere(to)) return renameDurable(from, to);
  if (!isThere(from) && isThere(to)) return;
  if (!isThere(from)) {
    throw new FerryError('target-unsafe', `${showPath(from)} vanished before it was put in place`);
  }
  throw new FerryError('target-unsafe', `${showPath(to)} came into being while the pull ran`, {
    hint: 'Is a gateway running? Stop it and run the same pull again.',
  });
}

function removeIfEmpty(path: BytePath): void {
  try {
    rmdirSync(toFsPath(path));
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? ''))
      throw error;
  }
}
