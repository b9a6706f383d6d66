/** Folders of our own for a moment: private, and gone afterwards. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bytePathFromText, toFsPath, type BytePath } from '../base/byte-path.ts';
import { FerryError, messageOf } from '../base/errors.ts';
import { isOutOfSpace, outOfSpace } from './out-of-space.ts';

/** A new folder (0700) below `parent`, which is made when missing. */
export function makeScratch(parent: string, prefix: string): BytePath {
  try {
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    return bytePathFromText(mkdtempSync(join(parent, prefix)));
  } catch (error) {
    if (isOutOfSpace(error)) throw outOfSpace(bytePathFromText(parent), error);
    throw new FerryError('file-write', `cannot make a folder in ${parent}: ${messageOf(error)}`, {
      hint: 'stateferry needs a place for private copies of databases.',
      cause: error,
    });
  }
}

/** Removes a tree of ours; nothing happens when it is not there. */
export function removeTree(path: BytePath): void {
  rmSync(toFsPath(path), { recursive: true, force: true });
}
