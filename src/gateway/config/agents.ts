/** The agents of a config and where each keeps its things, read the way the products read it. */
import { expandTilde, isAbsolutePath, normalizePath } from '../disk/paths.ts';
import type { Brand } from '../install/brands.ts';
import { fillTemplate } from '../install/brands.ts';
import { profileForProduct } from '../install/identity.ts';
import { fillVariables, isObject, textAt, valueAt } from './config-text.ts';
import type { JsonObject } from './config-text.ts';

export type AgentPlaces = {
  readonly id: string;
  readonly isDefault: boolean;
  readonly workspace: string;
  readonly agentDir: string;
  readonly sessionsDir: string;
};

export type AgentsInput = {
  readonly brand: Brand;
  readonly config: JsonObject;
  readonly home: string;
  readonly stateDir: string;
  readonly profile: string;
  /** Of two places that generations differ about, the one that is there counts. */
  readonly isThere: (path: string) => boolean;
  /** For `${VAR}` in paths. */
  readonly variables: Readonly<Record<string, string>>;
};

/** Every agent that the config names; `main` when it names none. The default agent comes first. */
export function agentsOf(input: AgentsInput): AgentPlaces[] {
  const entries = agentEntries(input.config);
  const listed = entries.length > 0 ? entries : [{ id: 'main', entry: {} }];
  const chosen = listed.find((one) => one.entry['default'] === true) ?? listed[0];
  return listed
    .map((one) => placesOf(input, one, one.id === chosen?.id))
    .toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault));
}

/** An id as the products spell it: lower case, safe characters, at most 64. */
export function normalizeAgentId(id: string): string {
  const trimmed = id.trim();
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/i.test(trimmed)) return trimmed.toLowerCase();
  const safe = trimmed
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return safe.slice(0, 64) || 'main';
}

/** Where an agent's session index and transcripts lie: `session.store` may say otherwise, with {agentId} in it. */
function sessionsDirOf(input: AgentsInput, id: string): string {
  const store = textAt(input.config, 'session', 'store');
  const path = store === undefined ? undefined : absolute(input, store.replaceAll('{agentId}', id));
  if (path === undefined) return `${input.stateDir}/agents/${id}/sessions`;
  return path.slice(0, path.lastIndexOf('/'));
}

type Entry = { readonly id: string; readonly entry: JsonObject };

/** Two spellings of the roster: a list with ids, or entries by id. */
function agentEntries(config: JsonObject): Entry[] {
  const entries = valueAt(config, ['agents', 'entries']);
  if (isObject(entries)) {
    return Object.entries(entries).flatMap(([id, entry]) =>
      isObject(entry) ? [{ id: normalizeAgentId(id), entry }] : [],
    );
  }
  const list = valueAt(config, ['agents', 'list']);
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) =>
    isObject(entry) && typeof entry['id'] === 'string'
      ? [{ id: normalizeAgentId(entry['id']), entry }]
      : [],
  );
}

function placesOf(input: AgentsInput, { id, entry }: Entry, isDefault: boolean): AgentPlaces {
  const own = (key: string): string | undefined => {
    const written = textAt(entry, key);
    return written === undefined ? undefined : absolute(input, written);
  };
  return {
    id,
    isDefault,
    workspace: own('workspace') ?? inheritedWorkspace(input, id, isDefault),
    agentDir: own('agentDir') ?? `${input.stateDir}/agents/${id}/agent`,
    sessionsDir: sessionsDirOf(input, id),
  };
}

function inheritedWorkspace(input: AgentsInput, id: string, isDefault: boolean): string {
  const { brand, home, stateDir } = input;
  const profile = profileForProduct(brand, input);
  const written =
    textAt(input.config, 'agents', 'defaults', 'workspace') ??
    textAt(input.config, 'agent', 'workspace');
  const defaults = written === undefined ? undefined : absolute(input, written);
  if (isDefault && defaults !== undefined) return defaults;
  const values = {
    home,
    stateDir,
    defaultStateDir: `${home}/${brand.stateDirName}`,
    profile: profile === 'default' ? '' : profile,
    agent: id,
    ...(defaults === undefined ? {} : { defaultsWorkspace: defaults }),
  };
  const rule = brand.workspace;
  // A state dir of its own has that of the default profile (March) or one inside it (September).
  const templates = isDefault
    ? [profile === 'default' ? rule.ofDefault : rule.ofProfile, '{stateDir}/workspace']
    : rule.ofAgent;
  const paths = templates
    .map((template) => normalizePath(fillTemplate(template, values)))
    .filter((path) => isAbsolutePath(path) && !path.includes('{'));
  return paths.find(input.isThere) ?? paths[0] ?? `${stateDir}/workspace`;
}

function absolute(input: AgentsInput, written: string): string | undefined {
  const filled = fillVariables(written, input.variables);
  if (filled === undefined) return undefined;
  const path = expandTilde(filled, input.home);
  return isAbsolutePath(path) ? normalizePath(path) : undefined;
}
