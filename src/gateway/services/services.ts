/**
 * Service files that start a gateway: read for what they tell, never copied. Which brand one starts is told by what it
 * runs and sets, whatever it is called; a name that follows the brand's pattern is enough as well.
 */
import { FerryError } from '../../base/errors.ts';
import { parseDotenv } from '../config/variables.ts';
import type { Disk } from '../disk/disk.ts';
import { isWithin, normalizePath } from '../disk/paths.ts';
import { fillTemplate } from '../install/brands.ts';
import type { Brand } from '../install/brands.ts';
import type { ServiceInfo } from '../install/install.ts';
import { parsePlist, parseUnit } from './service-files.ts';
import type { ServiceText } from './service-files.ts';

export type FoundService = ServiceInfo & {
  /** What the service sets; values stay in memory, only names are ever recorded. */
  readonly environment: Readonly<Record<string, string>>;
  /** Set in files elsewhere on the disk: by file. */
  readonly environmentFiles: Readonly<Record<string, readonly string[]>>;
  readonly command: readonly string[];
  readonly workingFolder: string | undefined;
  /** Of whoever runs it. */
  readonly home: string;
};

/** Every service of a user's own and of the system, whatever it starts. */
export function readServices(home: string, disk: Disk): FoundService[] {
  const own = (folder: string): string => `${home}/${folder}`;
  const homes = homesOfUsers(disk);
  const systemd = [
    ...['.config/systemd/user', '.local/share/systemd/user'].map(own),
    '/etc/systemd/user',
  ].flatMap((folder) => systemdServices(folder, () => home, disk));
  const launchd = [own('Library/LaunchAgents'), '/Library/LaunchAgents'].flatMap((folder) =>
    launchdServices(folder, () => home, disk),
  );
  return [
    ...systemd,
    ...SYSTEM_UNITS.flatMap((folder) => systemdServices(folder, homes, disk)),
    ...launchd,
    ...launchdServices('/Library/LaunchDaemons', homes, disk),
  ];
}

/** Those that start a gateway of this brand, for the default profile or any other. */
export function servicesOf(services: readonly FoundService[], brand: Brand): FoundService[] {
  return services.filter((service) => startsBrand(service, brand));
}

/** The one in this user's home that starts the gateway of this very state dir. */
export function ownService(
  services: readonly FoundService[],
  brand: Brand,
  { home, stateDir }: { readonly home: string; readonly stateDir: string },
): FoundService | undefined {
  const stateDirOf = ({ environment, command }: FoundService): string | undefined => {
    const said = environment[`${brand.envPrefix}_STATE_DIR`];
    const profile = environment[`${brand.envPrefix}_PROFILE`] ?? profileArgument(command);
    return said ?? (profile === undefined ? `${home}/${brand.stateDirName}` : undefined);
  };
  return servicesOf(services, brand).find(
    (one) => isWithin(home, one.path) && stateDirOf(one) === stateDir,
  );
}

/** Names of variables that a person added to a service: they exist nowhere else and do not travel by themselves. */
export function foreignNames(service: FoundService, brand: Brand, stateDir: string): string[] {
  const kept = Object.entries(service.environmentFiles)
    .filter(([path]) => isWithin(stateDir, path))
    .flatMap(([, names]) => names);
  return service.environmentNames.filter(
    (name) => !isStandardName(name, brand) && !kept.includes(name),
  );
}

/** Set in every service that a product writes. */
export function isStandardName(name: string, brand: Brand): boolean {
  const known = /^(HOME|PATH|TMPDIR|USER|LOGNAME|SHELL|LANG|LC_\w+|NODE_\w+|XDG_\w+|PWD)$/;
  const prefixes = [brand.envPrefix, ...brand.legacyEnvPrefixes];
  return known.test(name) || prefixes.some((prefix) => name.startsWith(`${prefix}_`));
}

/** The profile that its command line asks for. */
export function profileArgument(command: readonly string[]): string | undefined {
  if (command.includes('--dev')) return 'dev';
  const at = command.indexOf('--profile');
  const joined = command.find((word) => word.startsWith('--profile='));
  return at < 0 ? joined?.slice('--profile='.length) : command[at + 1];
}

const SYSTEM_UNITS = [
  '/etc/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
];

function systemdServices(folder: string, homeOf: HomeOf, disk: Disk): FoundService[] {
  return namesIn(folder, disk)
    .filter((name) => name.endsWith('.service'))
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      const dropIns = namesIn(`${path}.d`, disk)
        .filter((one) => one.endsWith('.conf'))
        .map((one) => `${path}.d/${one}`);
      const texts = [path, ...dropIns].map((one) => textOf(one, disk));
      return serviceOf({ kind: 'systemd', name, path }, parseUnit(texts), homeOf, disk);
    });
}

function launchdServices(folder: string, homeOf: HomeOf, disk: Disk): FoundService[] {
  return namesIn(folder, disk)
    .filter((name) => name.endsWith('.plist'))
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      const text = parsePlist(textOf(path, disk));
      return serviceOf({ kind: 'launchd', name, path }, text, homeOf, disk);
    });
}

/** None for a service of the system whose user is not known here. */
function serviceOf(
  named: Pick<ServiceInfo, 'kind' | 'name' | 'path'>,
  text: ServiceText,
  homeOf: HomeOf,
  disk: Disk,
): FoundService[] {
  const ofUser = homeOf(text.user ?? 'root');
  const home = text.environment['HOME'] ?? ofUser;
  if (home === undefined) return [];
  const filled = (value: string): string => value.replaceAll('%h', ofUser ?? home);
  const files = text.environmentFiles.map(filled).map((path) => {
    const values = parseDotenv(textOf(path, disk));
    return { path, values, names: Object.keys(values) };
  });
  const environment = Object.fromEntries([
    ...Object.entries(text.environment).map(([name, value]) => [name, filled(value)] as const),
    ...files.flatMap(({ values }) => Object.entries(values)),
  ]);
  return [
    {
      ...named,
      environment,
      environmentNames: Object.keys(environment).toSorted(),
      environmentFiles: Object.fromEntries(files.map(({ path, names }) => [path, names])),
      command: text.command.map(filled),
      workingFolder: text.workingFolder && normalizePath(filled(text.workingFolder)),
      home: normalizePath(filled(home)),
    },
  ];
}

function startsBrand(service: FoundService, brand: Brand): boolean {
  const { kind, name, command, environmentNames, workingFolder, home } = service;
  const patterns = kind === 'systemd' ? brand.systemdUnits : brand.launchdLabels;
  if (isOf(patterns, name.replace(/\.(service|plist)$/, ''))) return true;
  if (environmentNames.some((one) => one.startsWith(`${brand.envPrefix}_`))) return true;
  const isProgram = command.some(
    (word) =>
      word.slice(word.lastIndexOf('/') + 1) === brand.command ||
      word.includes(`/node_modules/${brand.npmPackage}/`),
  );
  const stateDir = `${home}/${brand.stateDirName}`;
  const isAtHome = workingFolder !== undefined && isWithin(stateDir, workingFolder);
  return command.includes('gateway') && (isProgram || isAtHome);
}

/** Whose home a service has that names this user, or none. */
type HomeOf = (user: string) => string | undefined;

/** From the password file of that disk. */
function homesOfUsers(disk: Disk): HomeOf {
  const lines = textOf('/etc/passwd', disk).split('\n');
  const homes = new Map(lines.map((line) => [line.split(':')[0], line.split(':')[5]]));
  return (user) => homes.get(user) ?? (user === 'root' ? '/root' : undefined);
}

/** What only others may read tells nothing. */
const namesIn = (folder: string, disk: Disk): string[] => quietly(() => disk.names(folder), []);

const textOf = (path: string, disk: Disk): string =>
  quietly(() => disk.read(path)?.toString('utf8') ?? '', '');

function quietly<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FerryError && error.code === 'file-unreadable') return otherwise;
    throw error;
  }
}

/** Does a name follow one of the patterns, for the default profile or any other? */
function isOf(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    const marker = '\u0001';
    const filled = fillTemplate(pattern, { profile: marker });
    const [before = '', after = ''] = filled.split(/-?\u0001/);
    const middle = name.slice(before.length, name.length - after.length);
    const fits = name.startsWith(before) && name.endsWith(after);
    if (!filled.includes(marker)) return name === filled;
    return fits && /^(-?[A-Za-z0-9_-]+)?$/.test(middle);
  });
}
