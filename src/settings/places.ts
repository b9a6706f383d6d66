/** Where this machine keeps its settings and its disposable cache. */
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { FerryError, systemCode } from '../base/errors.ts';
import type { Environment, Owner } from './environment.ts';
import { fileFailure } from './file-failure.ts';

export type Places = {
  readonly settingsFolder: string;
  readonly settingsFile: string;
  /** Written by hand: gateways that this version does not know. */
  readonly brandsFile: string;
  readonly lockFile: string;
  readonly cacheFolder: string;
  /** For private copies that live as long as one command. */
  readonly scratchFolder: string;
};

/** STATEFERRY_HOME moves both: the settings into it, the cache below it. */
export function placesOf(environment: Environment): Places {
  const own = environment.own.home;
  if (own !== undefined && !isAbsolute(own)) {
    throw new FerryError('usage', 'STATEFERRY_HOME is not an absolute path', {
      hint: 'Write the folder out in full.',
    });
  }
  const settingsFolder = own ?? join(base(environment, 'XDG_CONFIG_HOME', '.config'), 'stateferry');
  const cacheFolder =
    own === undefined
      ? join(base(environment, 'XDG_CACHE_HOME', '.cache'), 'stateferry')
      : join(own, 'cache');
  return {
    settingsFolder,
    settingsFile: join(settingsFolder, 'settings.json'),
    brandsFile: join(settingsFolder, 'brands.json'),
    lockFile: join(settingsFolder, 'lock'),
    cacheFolder,
    scratchFolder: join(cacheFolder, 'scratch'),
  };
}

/**
 * Root at work for somebody writes into folders of theirs, not to wherever a link of theirs leads.
 * @throws target-unsafe
 */
export function refuseLedElsewhere(environment: Environment, places: Places): void {
  const { actsForOther, home, owner } = environment;
  if (!actsForOther) return;
  for (const folder of [places.settingsFolder, places.cacheFolder]) {
    if (!folder.startsWith(`${home}/`)) continue;
    const there = nearestThere(folder);
    const real = realpathSync(there);
    const isStraight = real === join(realpathSync(home), there.slice(home.length));
    if (isStraight || statSync(real).uid === owner.uid) continue;
    throw new FerryError(
      'target-unsafe',
      `${there} leads to ${real}, which belongs to another user`,
      {
        hint: `Remove the link ${there}, or name another place for settings: STATEFERRY_HOME`,
      },
    );
  }
}

/** The folder itself, or what is there of the path to it. */
function nearestThere(folder: string): string {
  return statSync(folder, { throwIfNoEntry: false }) === undefined
    ? nearestThere(join(folder, '..'))
    : folder;
}

/** Where pulls note what they move, so that one that was interrupted can be completed. */
export const journalsFolder = ({ settingsFolder }: Places): string =>
  join(settingsFolder, 'journals');

/** The specification of these variables says that a relative value counts as none. */
function base(environment: Environment, variable: string, below: string): string {
  const value = environment.variables[variable];
  return value !== undefined && isAbsolute(value) ? value : join(environment.home, below);
}

export const ELSEWHERE = 'STATEFERRY_HOME can name another place for settings and cache.';

/** A folder of ours with all above it, 0700; what is made new belongs to the owner of the home. */
export function makePrivateFolder(
  folder: string,
  environment: Environment,
  hint = ELSEWHERE,
): void {
  try {
    const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (first === undefined || !environment.actsForOther) return;
    for (let at = folder; at.length >= first.length; at = join(at, '..')) {
      lchownSync(at, environment.owner.uid, environment.owner.gid);
    }
  } catch (error) {
    throw fileFailure(`cannot make the folder ${folder}`, error, hint);
  }
}

/**
 * Root wrote into somebody's folder: what lies in it shall be theirs again. A folder that is not theirs stays as it is:
 * a link of theirs may have led us there.
 */
export function handOver(folder: string, owner: Owner): void {
  withOpened(folder, constants.O_DIRECTORY, (fd) => {
    if (fstatSync(fd).uid === owner.uid) handOverIn(folder, fd, owner);
  });
}

/**
 * Root wrote into a repository in a folder. Where that is the user's, or nobody had it before, the user can push there
 * without root afterwards. Disks and shares that keep no owners are left alone.
 */
export function handOverRepository(folder: string, owner: Owner, isNew: boolean): void {
  try {
    withOpened(folder, constants.O_DIRECTORY | (isNew ? constants.O_NOFOLLOW : 0), (fd) => {
      if (isNew) give(fd, owner);
      if (fstatSync(fd).uid === owner.uid) handOverIn(folder, fd, owner);
    });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTSUP', 'EINVAL', 'EROFS'].includes(systemCode(error) ?? ''))
      throw error;
  }
}

/** By what was opened, and not by names: the user may put links in their place at any moment. */
function handOverIn(folder: string, fd: number, owner: Owner): void {
  const at = process.platform === 'linux' ? `/proc/self/fd/${fd}` : folder;
  for (const entry of readdirSync(at, { withFileTypes: true })) {
    if (!entry.isFile() && !entry.isDirectory()) continue;
    const path = join(at, entry.name);
    withOpened(path, constants.O_NOFOLLOW | constants.O_NONBLOCK, (inner) => {
      const stats = fstatSync(inner);
      // A second name of a file: the other one may be anybody's.
      if (stats.isFile() && stats.nlink > 1) return;
      if (stats.isDirectory()) handOverIn(path, inner, owner);
      if (stats.isFile() || stats.isDirectory()) give(inner, owner);
    });
  }
}

function give(fd: number, owner: Owner): void {
  if (fstatSync(fd).uid !== owner.uid) fchownSync(fd, owner.uid, owner.gid);
}

/** Nothing happens where it is gone, or has become a link. */
function withOpened(path: string, flags: number, work: (fd: number) => void): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | flags);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR'].includes(systemCode(error) ?? '')) return;
    throw error;
  }
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}
