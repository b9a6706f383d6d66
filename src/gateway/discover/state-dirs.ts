/** Where installs of a brand are: folders, variables of the caller, service files. Each once, with reasons. */
import type { Disk } from '../disk/disk.ts';
import { expandTilde, isAbsolutePath, normalizePath, restBelow } from '../disk/paths.ts';
import type { Brand } from '../install/brands.ts';
import type { Evidence } from '../install/install.ts';
import { profileArgument, servicesOf } from '../services/services.ts';
import type { FoundService } from '../services/services.ts';

export type StateDir = {
  readonly brand: Brand;
  readonly profile: string;
  readonly stateDir: string;
  readonly configPath: string;
  readonly why: readonly Evidence[];
  readonly service: FoundService | undefined;
  /** Services that would start it, were they not of another home. */
  readonly strays: readonly FoundService[];
};

export type StateDirsInput = {
  readonly brand: Brand;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly disk: Disk;
  /** Of all brands. */
  readonly services: readonly FoundService[];
};

export function stateDirsOf(input: StateDirsInput): StateDir[] {
  const { disk } = input;
  const ofBrand = servicesOf(input.services, input.brand);
  const services = ofBrand.filter((service) => isOfHome(service, input));
  const found = new Map<string, Draft>();
  for (const draft of [
    ...fromFolders(input),
    ...fromEnvironment(input, input.env, 'variable', 'this environment'),
    ...services.flatMap((service) => fromService(input, service)),
  ]) {
    add(found, draft, disk);
  }
  return [...found.values()]
    .filter((draft) => isInstall(draft, disk))
    .map((draft) => finished(input, draft, ofBrand));
}

type Draft = {
  readonly stateDir: string;
  readonly configPath: string;
  readonly profile: string;
  readonly evidence: Evidence[];
};

/**
 * A service of somebody else tells of their installs. One among the user's own files that names another home was
 * copied from another machine; what it would start is not here.
 */
const isOfHome = (service: FoundService, { home, disk }: StateDirsInput): boolean =>
  disk.real(service.home) === disk.real(home);

function add(found: Map<string, Draft>, draft: Draft, disk: Disk): void {
  const key = `${disk.real(draft.stateDir)}\0${disk.real(draft.configPath)}`;
  const known = found.get(key);
  if (known === undefined) found.set(key, draft);
  else known.evidence.push(...draft.evidence);
}

/** A state dir has its config, or at least agents: a config that was lost is no reason to lose the rest. */
function isInstall(draft: Draft, disk: Disk): boolean {
  return (
    disk.stat(draft.configPath)?.isFile() === true ||
    disk.stat(`${draft.stateDir}/agents`)?.isDirectory() === true
  );
}

function fromFolders({ brand, home, disk }: StateDirsInput): Draft[] {
  const base = brand.stateDirName;
  return disk
    .names(home)
    .filter((name) => name === base || name.startsWith(`${base}-`))
    .filter((name) => !name.includes('.update-captures'))
    .map((name) => {
      const stateDir = `${home}/${name}`;
      return {
        stateDir,
        configPath: configIn(brand, stateDir, disk),
        profile: name === base ? 'default' : name.slice(base.length + 1),
        evidence: [{ source: 'folder', detail: stateDir }],
      };
    });
}

/** The config of a state dir: its own name, or one that an ancestor left. */
function configIn(brand: Brand, stateDir: string, disk: Disk): string {
  const names = [brand.configName, ...brand.legacyConfigNames];
  const present = names.find((name) => disk.stat(`${stateDir}/${name}`) !== undefined);
  return `${stateDir}/${present ?? brand.configName}`;
}

function fromService(input: StateDirsInput, service: FoundService): Draft[] {
  const { envPrefix } = input.brand;
  const profile = profileArgument(service.command);
  const environment = {
    ...(profile !== undefined && { [`${envPrefix}_PROFILE`]: profile }),
    ...service.environment,
  };
  return fromEnvironment(input, environment, 'service', service.path);
}

/** What the family's variables say; nothing when none is set. Legacy prefixes count after the brand's own. */
function fromEnvironment(
  { brand, home, disk }: StateDirsInput,
  env: Readonly<Record<string, string>>,
  source: 'variable' | 'service',
  place: string,
): Draft[] {
  for (const prefix of [brand.envPrefix, ...brand.legacyEnvPrefixes]) {
    const path = (suffix: string): string | undefined => {
      const value = env[`${prefix}_${suffix}`]?.trim();
      if (value === undefined || value === '') return undefined;
      const absolute = normalizePath(expandTilde(value, home));
      return isAbsolutePath(absolute) ? absolute : undefined;
    };
    const named = env[`${prefix}_PROFILE`]?.trim();
    const profile =
      named === undefined || named === ''
        ? 'default'
        : named.toLowerCase() === 'default'
          ? 'default'
          : named;
    const [stateVariable, configVariable] = [path('STATE_DIR'), path('CONFIG_PATH')];
    const used = ['STATE_DIR', 'CONFIG_PATH', 'PROFILE'].filter(
      (suffix) => env[`${prefix}_${suffix}`],
    );
    if (stateVariable === undefined && configVariable === undefined && profile === 'default')
      continue;
    const ofProfile = `${home}/${brand.stateDirName}${profile === 'default' ? '' : `-${profile}`}`;
    const stateDir = stateVariable ?? ofProfile;
    const evidence: Evidence[] = [
      { source, detail: `${used.map((suffix) => `${prefix}_${suffix}`).join(', ')} in ${place}` },
    ];
    const configPath = configVariable ?? configIn(brand, stateDir, disk);
    return [
      { stateDir, configPath, profile: profileFor(brand, home, stateDir, profile), evidence },
    ];
  }
  return [];
}

/** A state dir of its own gets a name like a profile's: from the variable, else from its folder. */
function profileFor(brand: Brand, home: string, stateDir: string, profile: string): string {
  if (profile !== 'default' || stateDir === `${home}/${brand.stateDirName}`) return profile;
  const base = stateDir.slice(stateDir.lastIndexOf('/') + 1);
  if (base.startsWith(`${brand.stateDirName}-`)) return base.slice(brand.stateDirName.length + 1);
  const safe = base
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return safe === '' ? 'custom' : safe;
}

function finished(
  input: StateDirsInput,
  draft: Draft,
  services: readonly FoundService[],
): StateDir {
  const { brand, disk } = input;
  const here = disk.real(draft.stateDir);
  const own = services.filter((one) => isOfHome(one, input));
  const strays = services.filter(
    (one) => !own.includes(one) && one.path.startsWith(`${input.home}/`),
  );
  const { profile, stateDir, configPath, evidence: why } = draft;
  return {
    brand,
    profile,
    stateDir,
    configPath,
    why,
    service: own.find((one) => disk.real(startedBy(input, one)) === here),
    strays: strays.filter((one) => {
      // What it names below its own home, looked for below this one.
      const rest = restBelow(one.home, startedBy({ ...input, home: one.home }, one));
      return rest !== undefined && disk.real(input.home + rest) === here;
    }),
  };
}

/** The state dir of the gateway that a service starts. */
function startedBy(input: StateDirsInput, service: FoundService): string {
  const [meant] = fromService(input, service);
  return meant?.stateDir ?? `${input.home}/${input.brand.stateDirName}`;
}
