/** What no program can do for a person on the new machine. Values; the words are the command line's. */
import { dirname } from 'node:path';
import { DAY_MS } from '../../base/durations.ts';
import { variablesIn, type LoadedConfig } from '../config/config-text.ts';
import { pathKeyOf } from '../config/path-keys.ts';
import { configVariables } from '../config/variables.ts';
import { expandTilde } from '../disk/paths.ts';
import { namesIn, statIfAny } from '../disk/read.ts';
import type { Brand } from '../install/brands.ts';
import type { GatewayRecord } from '../install/record.ts';
import { commandOnPath } from '../product/on-path.ts';
import { isStandardName } from '../services/services.ts';
import { foreignExtensions, type Machine } from './native-modules.ts';

export type PersonNeeded =
  /** Nothing starts it by itself. */
  | { readonly kind: 'start-gateway'; readonly why: string; readonly command: string }
  /** A login that goes on with every message may have gone on without this copy. */
  | { readonly kind: 'relink'; readonly channel: string; readonly ageDays: number }
  /** Plugins with modules compiled for another kind of machine; full paths. */
  | { readonly kind: 'native-modules'; readonly folders: readonly string[] }
  /** Set by the service file of the old machine, which never travels. */
  | {
      readonly kind: 'service-variables';
      readonly service: string;
      readonly names: readonly string[];
    }
  /** Named by the config, set nowhere here. */
  | { readonly kind: 'shell-variables'; readonly names: readonly string[] }
  /** Programs and files of the old machine that the config names. */
  | {
      readonly kind: 'tools';
      readonly missing: readonly { readonly key: string; readonly path: string }[];
    }
  /** What holds secrets, and other users of this machine may read it. */
  | {
      readonly kind: 'open-modes';
      readonly open: readonly { readonly path: string; readonly mode: '700' | '600' }[];
    }
  | { readonly kind: 'old-gateway'; readonly channels: readonly string[] };

export type PersonInput = {
  readonly record: GatewayRecord;
  readonly brand: Brand;
  readonly home: string;
  readonly stateDir: string;
  readonly config: LoadedConfig;
  readonly env: Readonly<Record<string, string>>;
  /** Of the snapshot. */
  readonly ageMs: number;
  readonly machine: Machine;
};

export function personNeeded(input: PersonInput): PersonNeeded[] {
  const { record, stateDir, machine } = input;
  const folders = foreignExtensions(stateDir, machine).map(
    (name) => `${stateDir}/extensions/${name}`,
  );
  const service = serviceNames(input, variablesOf(input, {}));
  const shell = shellNames(input.config, variablesOf(input, input.env)).filter(
    (name) => !service.includes(name),
  );
  const missing = missingTools(input);
  return [
    ...relink(input),
    ...(folders.length > 0 ? [{ kind: 'native-modules' as const, folders }] : []),
    ...(service.length > 0
      ? [
          {
            kind: 'service-variables' as const,
            service: record.service?.name ?? '',
            names: service,
          },
        ]
      : []),
    ...(shell.length > 0 ? [{ kind: 'shell-variables' as const, names: shell }] : []),
    ...(missing.length > 0 ? [{ kind: 'tools' as const, missing }] : []),
    ...openModes(input),
    { kind: 'old-gateway', channels: record.channels },
  ];
}

const variablesOf = (
  input: PersonInput,
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  configVariables({ install: input, config: input.config, env });

/** Devices that were not heard of for two weeks are unlinked, and keys change with every message until then. */
const RELINK_AFTER_DAYS = 14;

function relink({ stateDir, ageMs }: PersonInput): PersonNeeded[] {
  const ageDays = Math.floor(ageMs / DAY_MS);
  const folder = `${stateDir}/credentials/whatsapp`;
  const isLinked = namesIn(folder).some((name) => statIfAny(`${folder}/${name}/creds.json`));
  if (!isLinked || ageDays < RELINK_AFTER_DAYS) return [];
  return [{ kind: 'relink', channel: 'whatsapp', ageDays }];
}

/** Names only; those that `.env` or the config has as well are not lost. */
function serviceNames(
  { record, brand }: PersonInput,
  variables: Readonly<Record<string, string>>,
): string[] {
  const names = record.service?.environmentNames ?? [];
  return names.filter((name) => !isStandardName(name, brand) && variables[name] === undefined);
}

function shellNames(
  { value }: LoadedConfig,
  variables: Readonly<Record<string, string>>,
): string[] {
  const names = new Set(variablesIn(JSON.stringify(value)));
  return [...names].filter((name) => variables[name] === undefined).toSorted();
}

/** By path or by name, wherever the config names something of the machine. */
function missingTools({ config, home, env }: PersonInput): { key: string; path: string }[] {
  return machinePaths(config.value, []).filter(({ path }) => {
    if (/\$\{/.test(path)) return false;
    const at = expandTilde(path, home);
    if (at.startsWith('/')) return statIfAny(at) === undefined;
    return !at.includes('/') && commandOnPath(at, env['PATH'] ?? '') === undefined;
  });
}

/** A file in a folder that is closed to others is closed to them too. */
function openModes({ stateDir, config }: PersonInput): PersonNeeded[] {
  const isOpen = (path: string): boolean => ((statIfAny(path)?.mode ?? 0) & 0o077) !== 0;
  const open = [
    ...(isOpen(stateDir) ? [{ path: stateDir, mode: '700' as const }] : []),
    ...config.files
      .filter(({ path }) => isOpen(path) && isOpen(dirname(path)))
      .map(({ path }) => ({ path, mode: '600' as const })),
  ];
  return open.length === 0 ? [] : [{ kind: 'open-modes', open }];
}

function machinePaths(
  value: unknown,
  path: readonly (string | number)[],
): { key: string; path: string }[] {
  if (typeof value === 'string') {
    const row = pathKeyOf(path);
    const isTool = row?.travels === 'machine' && row.holds === 'file' && value.trim() !== '';
    return isTool ? [{ key: path.join('.'), path: value.trim() }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Array.isArray(value)
    ? value.flatMap((item, index) => machinePaths(item, [...path, index]))
    : Object.entries(value).flatMap(([key, item]) => machinePaths(item, [...path, key]));
}
