/** An install under another name: another profile of its brand, or another brand of the family. */
import { restBelow } from '../disk/paths.ts';
import {
  identityOf,
  usualPlaces,
  usualWorkspaces,
  type InstallIdentity,
} from '../install/identity.ts';
import type { Notice } from '../install/install.ts';
import type { GatewayRecord } from '../install/record.ts';
import type { PathRule } from './path-map.ts';

export type Renaming = {
  readonly record: GatewayRecord;
  readonly source: InstallIdentity;
  readonly target: InstallIdentity;
  readonly newHome: string;
};

/** From what the old name made of places to what the new one makes of them. */
export function renamingRules({ record, source, target, newHome }: Renaming): PathRule[] {
  const old = usualPlaces(source, record.home);
  const now = usualPlaces(target, newHome);
  const inStateDir = restBelow(record.stateDir, record.configPath) !== undefined;
  const workspaces = record.agents.flatMap((agent): PathRule[] => {
    const [to] = usualWorkspaces(target, { home: newHome, stateDir: now.stateDir, agent });
    const isUsual = usualBefore(record, source, agent).includes(agent.workspace);
    return to !== undefined && isUsual ? [{ from: agent.workspace, to }] : [];
  });
  return [
    { from: record.stateDir, to: now.stateDir },
    ...(inStateDir ? [{ from: record.configPath, to: now.configPath }] : []),
    ...workspaces,
    // What all profiles of a brand share lies with its default one.
    { from: old.defaultStateDir, to: now.defaultStateDir },
  ];
}

/** A state dir of its own has the workspace of the default profile (March) or one inside it (September). */
function usualBefore(
  { home, stateDir }: GatewayRecord,
  source: InstallIdentity,
  agent: GatewayRecord['agents'][number],
): string[] {
  const of = { home, stateDir, agent };
  if (usualPlaces(source, home).stateDir === stateDir) return usualWorkspaces(source, of);
  const ofDefault = usualWorkspaces(identityOf(source.brand, 'default'), of);
  return agent.isDefault ? [...ofDefault, `${stateDir}/workspace`] : ofDefault;
}

export type Carried = Renaming & {
  /** Names only. */
  readonly dotenv: readonly string[];
  /** What lies directly in the state dir. */
  readonly entries: ReadonlySet<string>;
};

/** What a new name does not bring along, each with what to do about it. */
export function notCarried(carried: Carried): Notice[] {
  return [...variables(carried), ...sharedFiles(carried), ...ofBrand(carried)];
}

const notice = (message: string, hint: string): Notice => ({ code: 'not-carried', message, hint });

/** Variables that only the old brand reads. */
function variables({ record, source, target, dotenv }: Carried): Notice[] {
  if (source.brand.envPrefix === target.brand.envPrefix) return [];
  const prefixes = [source.brand.envPrefix, ...source.brand.legacyEnvPrefixes];
  const isOfOld = (name: string): boolean => prefixes.some((one) => name.startsWith(`${one}_`));
  const told = (names: readonly string[], place: string): Notice[] =>
    names.length === 0
      ? []
      : [
          notice(
            `${names.join(', ')} in ${place}: ${target.brand.name} does not read them`,
            `Set those that are needed under the names ${target.brand.envPrefix}_…`,
          ),
        ];
  const ofService = (record.service?.environmentNames ?? []).filter(isOfOld);
  return [
    ...told(dotenv.filter(isOfOld), `${record.stateDir}/.env`),
    ...told(ofService, 'the service of the old machine'),
  ];
}

/** Read from the state dir of the default profile only, wherever they come from. */
export const SHARED_FILES = ['exec-approvals.json'] as const;

function sharedFiles({ record, source, target, newHome, entries }: Carried): Notice[] {
  const now = usualPlaces(target, newHome);
  if (target.profile === 'default' || source.profile !== 'default') return [];
  return SHARED_FILES.filter((name) => entries.has(name)).map((name) =>
    notice(
      `${record.stateDir}/${name} lands in ${now.stateDir}, where no profile reads it`,
      `All profiles share the one in ${now.defaultStateDir}: look at both, and copy it if it is right.`,
    ),
  );
}

function ofBrand({ record, source, target, entries }: Carried): Notice[] {
  if (source.brand.name === target.brand.name) return [];
  const { command } = target.brand;
  const service = record.service
    ? [
        notice(
          `the service ${record.service.name} is of ${source.brand.name}`,
          `A new one is made by ${command} gateway install`,
        ),
      ]
    : [];
  const extensions = entries.has('extensions')
    ? [
        notice(
          `extensions that were made for ${source.brand.name} may not load`,
          `Look at them, and install again what fails: ${command} doctor names it`,
        ),
      ]
    : [];
  return [...service, ...extensions];
}
