/** Where this machine keeps its settings and its disposable cache. */
import { chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
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
      chownSync(at, environment.owner.uid, environment.owner.gid);
    }
  } catch (error) {
    throw fileFailure(`cannot make the folder ${folder}`, error, hint);
  }
}

/** Root wrote into somebody's folder: what lies in it shall be theirs again. */
export function handOver(folder: string, owner: Owner): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) handOver(path, owner);
      if (entry.isFile() || entry.isDirectory()) give(path, owner);
    }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * Root wrote into a repository in a folder. Where that is the user's, or nobody had it before, the user can push there
 * without root afterwards. Disks and shares that keep no owners are left alone.
 */
export function handOverRepository(folder: string, owner: Owner, isNew: boolean): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (!stats || (stats.uid !== owner.uid && !isNew)) return;
  try {
    give(folder, owner);
    handOver(folder, owner);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EINVAL', 'EROFS'].includes(systemCode(error) ?? '')) throw error;
  }
}

function give(path: string, owner: Owner): void {
  if (statSync(path).uid !== owner.uid) chownSync(path, owner.uid, owner.gid);
}
