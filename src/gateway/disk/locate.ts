/** Where a path of the old machine lies in what was staged. */
import { readlinkSync } from 'node:fs';
import { asBytePath, bytePathFromText, joinBytes, toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { isWindowsPath, normalizePath, restBelow } from './paths.ts';
import { lstatIfAny } from './read.ts';

export type LocatedRoot = {
  /** On the old machine, and its other names there. */
  readonly path: BytePath;
  readonly aliases: readonly BytePath[];
  /** Where its content is now. */
  readonly at: BytePath;
};

/**
 * Undefined outside all roots. A link on the way means what it meant on the old machine, and leads only to where that
 * place is staged: the system would follow it to a place of this machine, which is not part of the snapshot.
 */
export const locateIn = (roots: readonly LocatedRoot[], path: string): BytePath | undefined =>
  locate(roots, bytePathFromText(path), LINKS_MAX);

/** As many as Linux follows. */
const LINKS_MAX = 40;

function locate(
  roots: readonly LocatedRoot[],
  path: BytePath,
  linksLeft: number,
): BytePath | undefined {
  const found = rootOf(roots, asBytePath(normalizePath(path)));
  if (found === undefined) return undefined;
  // An old machine with Windows wrote its names with backslashes, and our own join them with slashes.
  const rest = isWindowsPath(found.root.path) ? found.rest.replaceAll('\\', '/') : found.rest;
  const names = rest.split('/').filter((name) => name !== '');
  if (names.some((name) => name === '.' || name === '..')) return undefined;
  let { at } = found.root;
  for (const [index, name] of names.entries()) {
    at = joinBytes(at, asBytePath(name));
    if (lstatIfAny(toFsPath(at))?.isSymbolicLink() !== true) continue;
    if (linksLeft === 0) return undefined;
    const target = readlinkSync(toFsPath(at), 'latin1');
    const folder = target.startsWith('/') ? [] : [found.root.path, ...names.slice(0, index)];
    const meant = [...folder, target, ...names.slice(index + 1)].join('/');
    return locate(roots, asBytePath(meant), linksLeft - 1);
  }
  return at;
}

/** The root whose path or other name is the longest that holds it. */
function rootOf(
  roots: readonly LocatedRoot[],
  path: BytePath,
): { readonly root: LocatedRoot; readonly rest: string } | undefined {
  let best:
    | { readonly length: number; readonly root: LocatedRoot; readonly rest: string }
    | undefined;
  for (const root of roots) {
    for (const base of [root.path, ...root.aliases]) {
      const rest = restBelow(base, path);
      if (rest === undefined || (best !== undefined && base.length <= best.length)) continue;
      best = { length: base.length, root, rest };
    }
  }
  return best;
}
