/**
 * A folder that this process holds open: what is done at `path` is done in that very folder, whatever becomes of the
 * names that lead to it. Root needs it in the home of somebody, who can put a link in the place of anything there.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { asBytePath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { strangerAbove } from './own-file.ts';
import { unsafe } from './stage-parents.ts';

export type HeldFolder = {
  readonly name: BytePath;
  /** Good for this process and its threads. */
  readonly path: BytePath;
  /** @throws target-unsafe when its name leads to something else now */
  check(): void;
  release(): void;
};

/** As its name alone where nobody but root could move it, and where the system has no names for what is open. */
export function holdFolder(path: BytePath): HeldFolder {
  const isSafe = process.geteuid?.() !== 0 || strangerAbove(path) === undefined;
  if (isSafe || process.platform !== 'linux') return byName(path);
  const fd = openSync(toFsPath(path), constants.O_RDONLY | FOLDER_ONLY);
  const { ino, dev } = fstatSync(fd);
  const isSame = (other: string | Buffer): boolean => {
    const stat = lstatSync(other, { throwIfNoEntry: false });
    return stat?.ino === ino && stat.dev === dev;
  };
  // With a dot, since the name itself is a link.
  const held = asBytePath(`/proc/self/fd/${fd}/.`);
  const release = (): void => closeSync(fd);
  if (!isSame(held)) {
    release();
    return byName(path);
  }
  const check = (): void => {
    if (!isSame(toFsPath(path))) throw unsafe(path, 'it was replaced while it was filled');
  };
  return { name: path, path: held, check, release };
}

const FOLDER_ONLY = constants.O_DIRECTORY | constants.O_NOFOLLOW;

const byName = (path: BytePath): HeldFolder => ({
  name: path,
  path,
  check: () => undefined,
  release: () => undefined,
});
