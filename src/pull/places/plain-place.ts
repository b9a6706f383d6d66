/** Paths of a snapshot that are what they say: absolute, and another place to no file system. */
import { asBytePath, showPath, type BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { checkEntryPath } from '../../fs/safe-path.ts';

/**
 * The path itself, when it is absolute and nothing in it means another place to a file system.
 * @throws target-unsafe
 */
export function plainPlace(path: BytePath): BytePath {
  const why = path.startsWith('/') ? checkEntryPath(asBytePath(path.slice(1))) : 'it is relative';
  if (why === undefined) return path;
  throw unsafePlace(path, why);
}

export const unsafePlace = (path: BytePath, why: string): FerryError =>
  new FerryError('target-unsafe', `the snapshot wants to land on ${showPath(path)}: ${why}`, {
    hint: 'Nothing was changed. Its files can be had apart: stateferry pull --into DIR',
    details: { path: showPath(path) },
  });
