/**
 * A folder in which something is rehearsed and then thrown away. It holds secrets in plain text, so whatever ends the
 * process, nothing of it may stay: what a killed one left is found by its mark, and removed by the next.
 */
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { asBytePath, bytePathFromText, joinBytes, toFsPath } from '../base/byte-path.ts';
import { FerryError, messageOf, systemCode } from '../base/errors.ts';
import { isAlive, markOfThisProcess, processMarkSchema } from './living-process.ts';
import { isOutOfSpace, outOfSpace } from './out-of-space.ts';
import { asOwnerOf } from './own-file.ts';
import { removeFolder } from './private-folder.ts';
import type { FolderOwner } from './swap-steps.ts';

export type SandboxFolder = {
  readonly path: string;
  /** A new folder in it, 0700. */
  make(name: string): string;
  /** It is the user's from now on. */
  keep(): void;
  remove(): void;
};

const PREFIX = 'stateferry-drill-';
/** Beside what is rehearsed; gone from one that is kept. */
const MARK = 'unfinished.json';

/** @throws usage, file-write, no-space */
export function makeSandbox(parent: string, owner: FolderOwner): SandboxFolder {
  const path = newFolder(parent);
  const give = (at: string): void => {
    if (owner) chownSync(at, owner.uid, owner.gid);
  };
  const withRoom = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw isOutOfSpace(error) ? outOfSpace(bytePathFromText(parent), error) : error;
    }
  };
  const mark = join(path, MARK);
  const sandbox: SandboxFolder = {
    path,
    make: (name) => {
      const made = join(path, name);
      withRoom(() => mkdirSync(made, { mode: 0o700 }));
      give(made);
      return made;
    },
    keep: () => rmSync(mark),
    remove: () => removeAll(path),
  };
  try {
    const text = JSON.stringify(markOfThisProcess());
    withRoom(() => writeFileSync(mark, text, { mode: 0o600 }));
    for (const at of [mark, path]) give(at);
    return sandbox;
  } catch (error) {
    sandbox.remove();
    throw error;
  }
}

/** By its real name: what is rehearsed in it compares paths. */
function newFolder(parent: string): string {
  try {
    return mkdtempSync(join(realpathSync(parent), PREFIX));
  } catch (error) {
    if (isOutOfSpace(error)) throw outOfSpace(bytePathFromText(parent), error);
    if (systemCode(error) === 'ENOENT') {
      throw new FerryError('usage', `there is no folder ${parent}`, {
        hint: 'Name one that is there, on a disk with room for a whole restore: --folder DIR',
      });
    }
    throw new FerryError('file-write', `cannot make a folder in ${parent}: ${messageOf(error)}`, {
      hint: 'Name another one, on a disk with room for a whole restore: --folder DIR',
      cause: error,
    });
  }
}

/**
 * Removes what killed processes left there; answers what it removed.
 * @param uids whose folders count: in a shared folder anybody may have some of this name
 */
export function removeLeftSandboxes(parent: string, uids: readonly number[]): string[] {
  const left = namesIn(parent)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(parent, name))
    .filter((path) => isLeft(path, uids));
  for (const path of left) removeAll(path);
  return left;
}

function namesIn(parent: string): string[] {
  try {
    return readdirSync(parent);
  } catch (error) {
    // Whoever makes the new one says what is wrong with it.
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

function isLeft(path: string, uids: readonly number[]): boolean {
  const mark = join(path, MARK);
  try {
    const folder = lstatSync(path);
    const file = lstatSync(mark);
    if (!folder.isDirectory() || !uids.includes(folder.uid) || !file.isFile()) return false;
    const read = processMarkSchema.safeParse(JSON.parse(readFileSync(mark, 'utf8')));
    // Torn: it was killed, or the power went, just when the folder was made.
    return !read.success || !isAlive(read.data, file.mtimeMs);
  } catch (error) {
    if (error instanceof SyntaxError) return true;
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** With the rights of its owner, who may put links into it at any moment. */
function removeAll(path: string): void {
  const folder = bytePathFromText(path);
  asOwnerOf(folder, () => {
    for (const name of readdirSync(path, 'latin1')) {
      removeFolder(joinBytes(folder, asBytePath(name)));
    }
  });
  rmdirSync(toFsPath(folder));
}
