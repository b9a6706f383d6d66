/**
 * The disk that an install lies on: this machine's own, or that of a dead machine, mounted somewhere. There, what the
 * install calls /home/alice lies at /mnt/disk/home/alice, and no path that a config, a service or a link names is ever
 * looked up among this machine's own folders.
 */
import type { Stats } from 'node:fs';
import { bytePathFromText, toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { locateIn } from './locate.ts';
import type { LocatedRoot } from './locate.ts';
import { isWithin, restBelow } from './paths.ts';
import { namesIn, readFileIfAny, realPath, statIfAny } from './read.ts';
import type { ReadFile } from './read.ts';

/** Paths go in as the install names them. */
export type Disk = {
  readonly read: ReadFile;
  readonly stat: (path: string) => Stats | undefined;
  readonly names: (folder: string) => string[];
  /** With every link followed, in the install's own words; itself where nothing is there. */
  readonly real: (path: string) => string;
  /** Where programs of this machine find it; undefined when it is not on this disk. */
  readonly locate: (path: string) => BytePath | undefined;
  /** What the install calls a path of this machine; undefined when that is not on this disk. */
  readonly nameOf: (at: string) => string | undefined;
  /** Absent for this machine's own. */
  readonly mount?: Mount;
};

export type Mount = {
  /** As the install names its home. */
  readonly oldHome: string;
  /** Where that is mounted, absolute and without links. */
  readonly homeAt: string;
};

export const thisDisk: Disk = {
  read: readFileIfAny,
  stat: statIfAny,
  names: namesIn,
  real: realPath,
  locate: bytePathFromText,
  nameOf: (at) => at,
};

export function mountedDisk(mount: Mount): Disk {
  const roots = mountedRoots(mount);
  const locate: Disk['locate'] = (path) => locateIn(roots, path);
  const at = <T>(path: string, look: (found: string | Buffer) => T): T | undefined => {
    const found = locate(path);
    return found === undefined ? undefined : look(toFsPath(found));
  };
  const nameOf: Disk['nameOf'] = (found) => {
    const root = roots.find((one) => isWithin(textOf(one.at), found));
    if (root === undefined) return undefined;
    const rest = restBelow(textOf(root.at), found) ?? '';
    return `${root.path === '/' ? '' : textOf(root.path)}${rest}`;
  };
  return {
    mount,
    locate,
    nameOf,
    read: (path) => at(path.toString(), readFileIfAny),
    stat: (path) => at(path, statIfAny),
    names: (folder) => at(folder, namesIn) ?? [],
    real: (path) => {
      const found = locate(path);
      return (found && statIfAny(toFsPath(found)) && nameOf(textOf(found))) ?? path;
    },
  };
}

/** The home; and the rest of the disk, where the mounted path ends like the home's own. The home comes first. */
function mountedRoots({ oldHome, homeAt }: Mount): LocatedRoot[] {
  const top = homeAt.endsWith(oldHome) ? homeAt.slice(0, -oldHome.length) : '';
  return [
    { path: bytePathFromText(oldHome), aliases: [], at: bytePathFromText(homeAt) },
    ...(top === '' || HOMES_HERE.test(top)
      ? []
      : [{ path: bytePathFromText('/'), aliases: [], at: bytePathFromText(top) }]),
  ];
}

/** A stranger's files may say any name for their home: it makes no home of this machine part of their disk. */
const HOMES_HERE = /^\/(root|(home|Users)(\/[^/]+)?)$/;

const textOf = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');
