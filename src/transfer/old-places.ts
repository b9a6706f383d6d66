/**
 * Where an install was on the machine that an archive comes from. An archive holds paths below the folder that it was
 * made in; the absolute ones stand in the config and in the session indexes.
 */
import { bytePathFromText, asBytePath, type BytePath } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import { homeOf, mostOf, spokenPlaces } from '../gateway/discover/spoken-places.ts';
import { restBelow } from '../gateway/disk/paths.ts';
import type { ReadFile } from '../gateway/disk/read.ts';
import type { Mount } from './mounts.ts';

export type OldPlaces = {
  readonly stateDir: string;
  readonly home: string;
  readonly mounts: readonly Mount[];
};

export type StateArchive = {
  readonly archive: string;
  /** Of the archive: where the config lies. */
  readonly folder: BytePath;
  readonly configName: string;
  /** `.brand` or `.brand-profile`: what the folder is called unless somebody chose another name. */
  readonly usualName: string;
  /** `--old-home`. */
  readonly oldHome: string | undefined;
  /** Reads what was unpacked, by its path in the archive with a slash before it. */
  readonly read: ReadFile;
  /** Ids of the agents that have a folder. */
  readonly agentIds: readonly string[];
};

/** @throws usage when nothing in the archive says it */
export function findOldPlaces(archive: StateArchive): OldPlaces {
  const stateDir = findStateDir(archive);
  const { folder, oldHome } = archive;
  const home = oldHome ?? homeOf(stateDir, archive.usualName);
  const old = bytePathFromText(stateDir);
  if (folder === '') return { stateDir, home, mounts: [{ from: folder, to: old }] };
  // The rest of the archive lay beside it, unless the folder had another name than in the archive.
  const whole = old.endsWith(`/${folder}`);
  const to = asBytePath(old.slice(0, old.length - folder.length - 1));
  const mount = whole ? { from: asBytePath(''), to } : { from: folder, to: old };
  return { stateDir, home, mounts: [mount] };
}

function findStateDir(archive: StateArchive): string {
  const { folder, oldHome } = archive;
  const name = folder === '' ? archive.usualName : lastPart(folder);
  const { configName, agentIds, read } = archive;
  const at = folder === '' ? '' : `/${folder}`;
  const spoken = spokenPlaces({ stateDir: at, configName, name, agentIds, read });
  if (oldHome !== undefined) {
    const inside = [...spoken.stateDirs.keys()].filter(
      (path) => restBelow(oldHome, path) !== undefined,
    );
    return mostOf(countsOf(spoken.stateDirs, inside)) ?? `${oldHome}/${name}`;
  }
  // `tar -czf FILE /home/alice/.brand`: tar itself wrote the place down, without the first slash.
  if (/^(home|Users)\/[^/]+\/|^root\/|^(srv|opt|var|data|mnt)\//.test(folder)) return `/${folder}`;
  const home = mostOf(spoken.homes);
  const found = mostOf(spoken.stateDirs) ?? (home === undefined ? undefined : `${home}/${name}`);
  if (found !== undefined) return found;
  const several = [...spoken.stateDirs.keys(), ...spoken.homes.keys()];
  const why =
    several.length > 1
      ? `names several places: ${several.slice(0, 5).join(', ')}`
      : 'names no absolute path';
  throw new FerryError('usage', `where ${archive.archive} comes from is not clear: it ${why}`, {
    hint: 'Say which home directory it was made from: --old-home /home/alice',
  });
}

const countsOf = (
  counts: ReadonlyMap<string, number>,
  of: readonly string[],
): Map<string, number> => new Map(of.map((value) => [value, counts.get(value) ?? 0]));

const lastPart = (path: BytePath): string =>
  Buffer.from(path.slice(path.lastIndexOf('/') + 1), 'latin1').toString('utf8');
