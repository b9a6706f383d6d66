/** Every path that belongs to an install, with the reason: from the config, the agents, the environment, the brand. */
import { bytePathFromText } from '../../base/byte-path.ts';
import type { LoadedConfig } from '../config/config-text.ts';
import { fillVariables } from '../config/config-text.ts';
import { visitStrings } from '../config/literals.ts';
import { pathKeyOf } from '../config/path-keys.ts';
import type { PathKey } from '../config/path-keys.ts';
import { configVariables } from '../config/variables.ts';
import type { Disk } from '../disk/disk.ts';
import { expandTilde, isAbsolutePath, isWithin, normalizePath } from '../disk/paths.ts';
import type { Brand } from '../install/brands.ts';
import type { Install } from '../install/install.ts';
import type { RootKind } from '../install/root.ts';
import { omitRules } from './omit-rules.ts';

export type RootCandidate = {
  /** Absolute. */
  readonly path: string;
  readonly kind: RootKind;
  readonly holds: 'directory' | 'file';
  readonly because: string;
  /** Nobody is told when it is not there. */
  readonly optional?: boolean;
};

type Input = {
  readonly install: Install;
  readonly brand: Brand;
  readonly config: LoadedConfig;
  readonly env: Readonly<Record<string, string>>;
  readonly disk: Pick<Disk, 'read' | 'real' | 'names'>;
};

/** In a fixed order: the default agent's workspace before the others, then the config's own order. */
export function rootCandidates(input: Input): RootCandidate[] {
  return [
    ...agentCandidates(input.install),
    ...configCandidates(input),
    ...fileCandidates(input),
    ...environmentCandidates(input),
    ...sharedCandidates(input),
    ...linkedCandidates(input),
    ...ancestorCandidates(input),
  ];
}

function agentCandidates(install: Install): RootCandidate[] {
  return install.agents.flatMap((agent): RootCandidate[] => [
    {
      path: agent.workspace,
      kind: 'workspace',
      holds: 'directory',
      because: `workspace of agent ${agent.id}`,
    },
    {
      path: agent.agentDir,
      kind: 'agent',
      holds: 'directory',
      because: `agent dir of ${agent.id}`,
      optional: true,
    },
    {
      path: agent.sessionsDir,
      kind: 'agent',
      holds: 'directory',
      because: `sessions of agent ${agent.id}`,
      optional: true,
    },
  ]);
}

function configCandidates(input: Input): RootCandidate[] {
  return namedPaths(input).flatMap(({ row, path, because }): RootCandidate[] => {
    const kind = KIND_OF[row.travels];
    if (kind === undefined) return [];
    // Values of a plugin's own settings are paths only if something is there; a log or an agent may not have begun.
    const optional =
      row.pattern.at(-1) === '**' || row.pattern[0] === 'logging' || row.travels === 'agent';
    const holds = row.holds === 'directory' ? 'directory' : 'file';
    return [{ path, kind, holds, because, optional }];
  });
}

export type MachinePath = { readonly path: string; readonly because: string };

/** What the config names of this machine itself: programs, models, sandboxes. It stays where it is. */
export const machinePaths = (input: Input): MachinePath[] =>
  namedPaths(input).filter(({ row }) => row.travels === 'machine');

type NamedPath = MachinePath & { readonly row: PathKey };

/** Every path of the config, in its order. */
function namedPaths({ config, install, disk, ...input }: Input): NamedPath[] {
  const variables = configVariables({ ...input, install, config, read: disk.read });
  return config.files.flatMap((file) => {
    const paths: NamedPath[] = [];
    visitStrings(file.bytes, (literal) => {
      const where = [...file.mount, ...literal.path()];
      const row = pathKeyOf(where);
      const path = row && absoluteValue(literal.value(), row, install, variables);
      if (row && path !== undefined) paths.push({ row, path, because: where.join('.') });
    });
    return paths;
  });
}

const KIND_OF: Readonly<Record<PathKey['travels'], RootKind | undefined>> = {
  workspace: 'workspace',
  agent: 'agent',
  data: 'data',
  credentials: 'credentials',
  // Files that are included are known from reading the config; see below.
  include: undefined,
  machine: undefined,
};

function absoluteValue(
  written: string,
  row: PathKey,
  install: Install,
  variables: Readonly<Record<string, string>>,
): string | undefined {
  const filled = fillVariables(written.trim(), variables);
  if (filled === undefined || filled === '') return undefined;
  // `host:container:ro`; the others have no colon where one would end them.
  const ofHost = row.holds === 'bind' ? (filled.split(':')[0] ?? '') : filled;
  const path = expandTilde(ofHost, install.home);
  if (!isAbsolutePath(path)) return undefined;
  // `session.store` may hold {agentId}: everything above that segment belongs to it, else its folder.
  const brace = path.indexOf('{');
  if (brace > 0) return normalizePath(path.slice(0, path.lastIndexOf('/', brace)));
  const normal = normalizePath(path);
  if (row.pattern.join('.') === 'session.store') return normal.slice(0, normal.lastIndexOf('/'));
  return normal;
}

/** The config itself and what it includes, where they lie elsewhere. */
function fileCandidates(input: Input): RootCandidate[] {
  const { config, install } = input;
  const outside = config.files.filter((file) => !isWithin(install.stateDir, file.path));
  const paths = [...new Set(outside.map((file) => file.path))];
  return paths.map((path) => ({
    path,
    kind: 'include',
    holds: 'file',
    because: path === config.path ? 'the config file' : '$include',
  }));
}

function environmentCandidates(input: Input): RootCandidate[] {
  const { brand, env, install } = input;
  const rows: readonly (readonly [string, RootKind])[] = [
    ['OAUTH_DIR', 'credentials'],
    ['AGENT_DIR', 'agent'],
  ];
  return rows.flatMap(([suffix, kind]) => {
    const name = `${brand.envPrefix}_${suffix}`;
    const value = env[name];
    if (value === undefined || value === '') return [];
    const path = normalizePath(expandTilde(value, install.home));
    return isAbsolutePath(path) ? [{ path, kind, holds: 'directory' as const, because: name }] : [];
  });
}

/** What every profile reads from the default state dir, wherever its own is. */
function sharedCandidates(input: Input): RootCandidate[] {
  const { brand, install } = input;
  const base = `${install.home}/${brand.stateDirName}`;
  if (base === install.stateDir) return [];
  return [
    {
      path: `${base}/exec-approvals.json`,
      kind: 'shared',
      holds: 'file',
      because: 'approvals shared by all profiles',
      optional: true,
    },
    {
      path: `${base}/memory/lancedb`,
      kind: 'shared',
      holds: 'directory',
      because: 'memory shared by all profiles',
      optional: true,
    },
  ];
}

/** What people moved out of the state dir and left a link for: the link alone would lead nowhere on a new machine. */
function linkedCandidates({ install, disk }: Input): RootCandidate[] {
  const { stateDir } = install;
  const rules = omitRules('state');
  const namesIn = (folder: string): string[] =>
    disk.names(`${stateDir}${folder}`).map((name) => Buffer.from(name, 'latin1').toString('utf8'));
  const agents = namesIn('/agents').map((id) => `agents/${id}`);
  const inAgents = agents.flatMap((agent) =>
    namesIn(`/${agent}`).map((name) => `${agent}/${name}`),
  );
  return [...namesIn(''), ...agents, ...inAgents].flatMap((rest): RootCandidate[] => {
    const path = `${stateDir}/${rest}`;
    const real = disk.real(path);
    const isLink =
      real !== path && real !== `${disk.real(parentOf(path))}${path.slice(parentOf(path).length)}`;
    if (!isLink || isWithin(disk.real(stateDir), real)) return [];
    if (rules.omissionFor(bytePathFromText(rest), 'symlink') !== undefined) return [];
    const because = `the link ${rest} in the state dir`;
    return [{ path, kind: kindOfLinked(rest), holds: 'directory', because, optional: true }];
  });
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** Whatever holds secrets in the state dir holds them elsewhere too. */
function kindOfLinked(rest: string): RootKind {
  if (rest.startsWith('agents')) return 'agent';
  const isSecret = omitRules('state').isSecret(bytePathFromText(`${rest}/x`), false);
  return isSecret || (!rest.includes('/') && /^\.|\.json5?$/.test(rest)) ? 'credentials' : 'data';
}

/** The link that a product leaves where an ancestor had its folder: paths by way of it are still written down. */
function ancestorCandidates({ brand, install, disk }: Input): RootCandidate[] {
  const { home, stateDir } = install;
  return brand.legacyStateDirNames
    .map((name) => `${home}/${name}`)
    .filter((path) => path !== stateDir && disk.real(path) === disk.real(stateDir))
    .map((path) => ({ path, kind: 'state', holds: 'directory', because: 'its name of before' }));
}
