/**
 * Where an install was on the machine that an archive comes from. An archive holds paths below the folder that it was
 * made in; the absolute ones stand in the config and in the session indexes.
 */
import { bytePathFromText, asBytePath, type BytePath } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import { loadConfig } from '../gateway/config-text.ts';
import { visitStrings } from '../gateway/literals.ts';
import { restBelow } from '../gateway/paths.ts';
import type { ReadFile } from '../gateway/read.ts';
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
  const spoken = spokenOf(archive, name);
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

type Spoken = {
  readonly stateDirs: Map<string, number>;
  readonly homes: Map<string, number>;
};

/** What the config names counts before what sessions remember: those may be of an older machine still. */
function spokenOf(archive: StateArchive, name: string): Spoken {
  const base = archive.folder === '' ? '' : `/${archive.folder}`;
  const stateDirs = new Map<string, number>();
  const homes = new Map<string, number>();
  const config = loadConfig(`${base}/${archive.configName}`, archive.read);
  for (const file of config.files) {
    visitQuietly(file.bytes, (value) => {
      const stateDir = stateDirIn(value, name);
      if (stateDir !== undefined) count(stateDirs, stateDir);
      const home = HOME.exec(value)?.[1];
      if (home !== undefined) count(homes, home);
    });
  }
  if (stateDirs.size > 0) return { stateDirs, homes };
  for (const id of archive.agentIds) {
    const bytes = archive.read(`${base}/agents/${id}/sessions/sessions.json`);
    if (bytes === undefined) continue;
    visitQuietly(bytes, (value) => {
      const stateDir = OF_AGENT.exec(value)?.[1];
      if (stateDir !== undefined) count(stateDirs, stateDir);
    });
  }
  return { stateDirs, homes };
}

const HOME = /^(\/home\/[^/]+|\/Users\/[^/]+|\/root)(?:\/|$)/;
const OF_AGENT = /^(\/.+)\/agents\/[^/]+\/(?:agent|sessions)(?:\/|$)/;

function stateDirIn(value: string, name: string): string | undefined {
  if (!value.startsWith('/')) return undefined;
  const agent = OF_AGENT.exec(value)?.[1];
  if (agent !== undefined) return agent;
  const parts = value.split('/');
  const at = parts.indexOf(name);
  return at > 0 ? parts.slice(0, at + 1).join('/') : undefined;
}

/** A text that is no JSON5 says nothing; it travels all the same. */
function visitQuietly(bytes: Uint8Array, visit: (value: string) => void): void {
  try {
    visitStrings(bytes, (literal) => visit(literal.value()));
  } catch (error) {
    if (!(error instanceof FerryError) || error.code !== 'file-unreadable') throw error;
  }
}

const count = (counts: Map<string, number>, value: string): void =>
  void counts.set(value, (counts.get(value) ?? 0) + 1);

const countsOf = (
  counts: ReadonlyMap<string, number>,
  of: readonly string[],
): Map<string, number> => new Map(of.map((value) => [value, counts.get(value) ?? 0]));

/** Named more often than any other. */
function mostOf(counts: ReadonlyMap<string, number>): string | undefined {
  const [first, second] = [...counts].toSorted(([, a], [, b]) => b - a);
  if (first === undefined) return undefined;
  return second === undefined || first[1] > second[1] ? first[0] : undefined;
}

/** The folder above a state dir that has its usual name; else what looks like a home. */
export function homeOf(stateDir: string, usualName: string): string {
  const slash = stateDir.lastIndexOf('/');
  const parent = stateDir.slice(0, slash) || '/';
  if (stateDir.slice(slash + 1) === usualName) return parent;
  return HOME.exec(stateDir)?.[1] ?? parent;
}

const lastPart = (path: BytePath): string =>
  Buffer.from(path.slice(path.lastIndexOf('/') + 1), 'latin1').toString('utf8');
