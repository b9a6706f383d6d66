/** A folder that only this user can look into, for what must lie somewhere for a while. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  asBytePath,
  bytePathFromText,
  dirNameBytes,
  joinBytes,
  toFsPath,
} from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { systemCode } from '../base/errors.ts';
import { checkEntryPath } from './safe-path.ts';

/** New, with mode 0700, below `parent`. */
export function makePrivateFolder(parent: string, prefix: string): BytePath {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  return bytePathFromText(mkdtempSync(join(parent, prefix)));
}

/** With all that is in it, also below folders that forbid their owner to look or write. */
export function removeFolder(path: BytePath): void {
  try {
    rmSync(toFsPath(path), { recursive: true, force: true });
  } catch (error) {
    if (systemCode(error) !== 'EACCES' && systemCode(error) !== 'EPERM') throw error;
    openUp(path);
    rmSync(toFsPath(path), { recursive: true, force: true });
  }
}

/** Moves a folder to a place that is not there yet, on the same file system. */
export function moveFolder(from: BytePath, to: BytePath): void {
  mkdirSync(toFsPath(dirNameBytes(to)), { recursive: true, mode: 0o700 });
  renameSync(toFsPath(from), toFsPath(to));
}

export type RealEntry = { readonly at: BytePath; readonly kind: 'file' | 'directory' };

/**
 * What lies at a relative path of a folder, provided that no link leads there: in a folder that a stranger filled, a
 * link may point at anything of this machine.
 */
export function realEntry(folder: BytePath, path: BytePath): RealEntry | undefined {
  if (path !== '' && checkEntryPath(path) !== undefined) return undefined;
  let at = folder;
  let kind: RealEntry['kind'] = 'directory';
  for (const name of path === '' ? [] : path.split('/')) {
    if (kind !== 'directory') return undefined;
    at = joinBytes(at, asBytePath(name));
    const stat = lstatSync(toFsPath(at), { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) kind = 'directory';
    else if (stat?.isFile() === true) kind = 'file';
    else return undefined;
  }
  return { at, kind };
}

/** True when there was a symbolic link, which is gone now. */
export function removeLink(path: BytePath): boolean {
  const isLink = lstatSync(toFsPath(path), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (isLink) unlinkSync(toFsPath(path));
  return isLink;
}

function openUp(path: BytePath): void {
  chmodSync(toFsPath(path), 0o700);
  const entries = readdirSync(toFsPath(path), { withFileTypes: true, encoding: 'latin1' });
  for (const entry of entries) {
    if (entry.isDirectory()) openUp(joinBytes(path, asBytePath(entry.name)));
  }
}
