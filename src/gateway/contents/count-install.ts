/**
 * What an install holds, counted from its files: recorded with a snapshot, counted again on the other side. The same
 * function runs on the source, on a stage and on what was placed; only `locate` differs.
 */
import { z } from 'zod';
import { asBytePath, bytePathFromText, joinBytes, toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import type { LoadedConfig, JsonObject } from '../config/config-text.ts';
import { isObject, textAt, valueAt } from '../config/config-text.ts';
import { visitStrings } from '../config/literals.ts';
import type { Disk } from '../disk/disk.ts';
import { expandTilde } from '../disk/paths.ts';
import { entriesIn, namesIn, readFileIfAny, statIfAny } from '../disk/read.ts';
import type { AgentCounts, InstallCounts } from '../install/counts.ts';
import type { Install } from '../install/install.ts';
import { countDatabaseJobs } from './cron-jobs.ts';
import { countDatabaseSessions } from './sessions-database.ts';

/** Where a path of the install is read; undefined when it is in no root. */
export type Locate = (path: string) => BytePath | undefined;

/** For an install where it was made, or where it was placed. */
export const inPlace: Locate = bytePathFromText;

export type CountInput = {
  /** All paths as the install names them; `locate` says where they are read. */
  readonly stateDir: string;
  readonly agents: readonly {
    readonly id: string;
    readonly sessionsDir: string;
    readonly agentDir: string;
  }[];
  readonly workspaces: readonly string[];
  readonly config: JsonObject;
  readonly locate: Locate;
  /** For `~` in paths of the config. */
  readonly home?: string;
  /** What a snapshot leaves out is not expected on the other side; gets paths as `locate` answers them. */
  readonly isOmitted?: IsOmitted;
};

/** `start` is a folder that is counted by itself, whatever encloses it. */
export type IsOmitted = (path: BytePath, type: 'file' | 'dir' | 'start') => boolean;

export function countInstall(input: CountInput): InstallCounts {
  const credentials = input.locate(`${input.stateDir}/credentials`);
  return {
    agents: allAgents(input).map((agent) => countAgent(agent, input)),
    credentialFiles: credentials === undefined ? 0 : countFiles(credentials, input.isOmitted),
    channels: channelsOf(input.config),
    cronJobs: countCronJobs(input),
    workspaces: input.workspaces.map((path) => {
      const at = input.locate(path);
      return { path, files: at === undefined ? 0 : countFiles(at, input.isOmitted) };
    }),
  };
}

/** Counts of an install where it was found; call it before and after a capture. */
export function countsOf(
  of: {
    readonly install: Install;
    readonly config: Pick<LoadedConfig, 'value'>;
    readonly disk: Pick<Disk, 'locate'>;
  },
  isOmitted?: IsOmitted,
): InstallCounts {
  const { install, config, disk } = of;
  return countInstall({
    home: install.home,
    ...(isOmitted === undefined ? {} : { isOmitted }),
    stateDir: install.stateDir,
    agents: install.agents,
    workspaces: install.workspaces,
    config: config.value,
    locate: disk.locate,
  });
}

/** Names of the channels that the config sets up and does not switch off. */
export function channelsOf(config: JsonObject): string[] {
  const channels = valueAt(config, ['channels']);
  if (!isObject(channels)) return [];
  return Object.entries(channels)
    .filter(([name, value]) => name !== 'defaults' && isObject(value) && value['enabled'] !== false)
    .map(([name]) => name)
    .toSorted();
}

type CountedAgent = CountInput['agents'][number];

/** Those of the config, and those that only have left their sessions behind. */
function allAgents(input: CountInput): CountedAgent[] {
  const known = new Set(input.agents.map((agent) => agent.id));
  const folder = input.locate(`${input.stateDir}/agents`);
  const left = readable(() => (folder === undefined ? [] : namesIn(toFsPath(folder))), [])
    .filter((id) => !known.has(id) && isFolder(folder, id))
    .map((id) => ({
      id,
      sessionsDir: `${input.stateDir}/agents/${id}/sessions`,
      agentDir: `${input.stateDir}/agents/${id}/agent`,
    }));
  return [...input.agents, ...left];
}

const isFolder = (agents: BytePath | undefined, id: string): boolean =>
  agents !== undefined &&
  readable(
    () => statIfAny(toFsPath(joinBytes(agents, asBytePath(`${id}/sessions`)))),
    undefined,
  )?.isDirectory() === true;

function countAgent(agent: CountedAgent, input: CountInput): AgentCounts {
  const database = kept(input, `${agent.agentDir}/openclaw-agent.sqlite`);
  const inDatabase = database && readable(() => countDatabaseSessions(database), undefined);
  const index = readKept(input, `${agent.sessionsDir}/sessions.json`);
  return {
    id: agent.id,
    sessions: inDatabase?.sessions ?? (index === undefined ? 0 : countIndexed(index)),
    transcripts: inDatabase?.transcripts ?? countTranscripts(agent, input),
  };
}

const countTranscripts = (agent: CountedAgent, input: CountInput): number =>
  transcriptFolders(input.stateDir, agent).reduce(
    (sum, folder) => sum + transcriptsIn(folder, input),
    0,
  );

/** Where `session.store` moves the index to another folder, the transcripts stay in the agent's own. */
export const transcriptFolders = (
  stateDir: string,
  { id, sessionsDir }: Pick<CountedAgent, 'id' | 'sessionsDir'>,
): readonly string[] => [...new Set([sessionsDir, `${stateDir}/agents/${id}/sessions`])];

function transcriptsIn(sessionsDir: string, { locate, isOmitted }: CountInput): number {
  const folder = locate(sessionsDir);
  if (folder === undefined) return 0;
  return readable(() => namesIn(toFsPath(folder)), []).filter(
    (name) =>
      name.endsWith('.jsonl') && isOmitted?.(joinBytes(folder, asBytePath(name)), 'file') !== true,
  ).length;
}

/** Where a file is read; undefined when it is in no root, or left out of the snapshot. */
function kept({ locate, isOmitted }: CountInput, path: string): BytePath | undefined {
  const at = locate(path);
  return at === undefined || isOmitted?.(at, 'file') === true ? undefined : at;
}

function readKept(input: CountInput, path: string): Buffer | undefined {
  const at = kept(input, path);
  return at === undefined ? undefined : readable(() => readFileIfAny(toFsPath(at)), undefined);
}

/** Entries of a session index: objects that have a session id. In one pass, the index may be tens of MB. */
export function countIndexed(index: Uint8Array): number {
  let entries = 0;
  visitStrings(index, (literal) => {
    if (literal.depth === 2 && literal.keyAt(1) === 'sessionId') entries += 1;
  });
  return entries;
}

/** Jobs of the scheduler's file (its place can be configured). */
function countCronJobs(input: CountInput): number {
  const store = textAt(input.config, 'cron', 'store') ?? `${input.stateDir}/cron/jobs.json`;
  const path = input.home === undefined ? store : expandTilde(store, input.home);
  const database = kept(input, `${input.stateDir}/state/openclaw.sqlite`);
  const inDatabase = database && readable(() => countDatabaseJobs(database, path), undefined);
  const bytes = readKept(input, path);
  const parsed = cronSchema.safeParse(bytes === undefined ? undefined : parseJson(bytes));
  return (inDatabase ?? 0) + (parsed.success ? parsed.data.jobs.length : 0);
}

const cronSchema = z.object({ jobs: z.array(z.unknown()) });

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // Damaged or half written: counted as nothing, on both sides.
    return undefined;
  }
}

/** What cannot be read is in no snapshot, or damaged there too: nothing is expected of it. The capture names it. */
function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FerryError && error.code === 'file-unreadable') return otherwise;
    throw error;
  }
}

/** Regular files below a folder, links not followed. */
export function countFiles(folder: BytePath, isOmitted: IsOmitted = () => false): number {
  if (isOmitted(folder, 'start')) return 0;
  let files = 0;
  const pending = [folder];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const entry of readable(() => entriesIn(next), [])) {
      const path = joinBytes(next, entry.name);
      if (entry.isDirectory && !isOmitted(path, 'dir')) pending.push(path);
      else if (entry.isFile && !isOmitted(path, 'file')) files += 1;
    }
  }
  return files;
}
