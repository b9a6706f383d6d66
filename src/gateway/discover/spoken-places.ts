/** The absolute paths that an install's own files speak of: where it was made, wherever it lies now. */
import { FerryError } from '../../base/errors.ts';
import { loadConfig } from '../config/config-text.ts';
import { visitStrings } from '../config/literals.ts';
import type { ReadFile } from '../disk/read.ts';

export type Spoken = {
  /** How often each is named. */
  readonly stateDirs: Map<string, number>;
  readonly homes: Map<string, number>;
  /** Every absolute path of the config. */
  readonly paths: Set<string>;
};

export type SpokenRequest = {
  /** As `read` takes it. */
  readonly stateDir: string;
  readonly configName: string;
  /** What the state dir is called. */
  readonly name: string;
  /** Ids of the agents that have a folder. */
  readonly agentIds: readonly string[];
  readonly read: ReadFile;
};

/** What the config names counts before what sessions remember: those may be of an older machine still. */
export function spokenPlaces(request: SpokenRequest): Spoken {
  const { stateDir, configName, name, agentIds, read } = request;
  const stateDirs = new Map<string, number>();
  const homes = new Map<string, number>();
  const paths = new Set<string>();
  const config = loadConfig(`${stateDir}/${configName}`, read);
  for (const file of config.files) {
    visitQuietly(file.bytes, (value) => {
      if (value.startsWith('/')) paths.add(value);
      const spoken = stateDirIn(value, name);
      if (spoken !== undefined) count(stateDirs, spoken);
      const home = HOME.exec(value)?.[1];
      if (home !== undefined) count(homes, home);
    });
  }
  if (stateDirs.size > 0) return { stateDirs, homes, paths };
  for (const id of agentIds) {
    const bytes = read(`${stateDir}/agents/${id}/sessions/sessions.json`);
    if (bytes === undefined) continue;
    visitQuietly(bytes, (value) => {
      const spoken = OF_AGENT.exec(value)?.[1];
      if (spoken !== undefined) count(stateDirs, spoken);
    });
  }
  return { stateDirs, homes, paths };
}

/** Named more often than any other. */
export function mostOf(counts: ReadonlyMap<string, number>): string | undefined {
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
