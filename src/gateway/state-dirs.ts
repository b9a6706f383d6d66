/** Where installs of a brand are: folders, variables of the caller, service files. Each once, with reasons. */
import type { Brand } from './brands.ts';
import type { Evidence } from './install.ts';
import { expandTilde, isAbsolutePath, normalizePath } from './paths.ts';
import { namesIn, realPath, statIfAny } from './read.ts';
import { servicesOf } from './services.ts';
import type { FoundService } from './services.ts';

export type StateDir = {
  readonly brand: Brand;
  readonly profile: string;
  readonly stateDir: string;
  readonly configPath: string;
  readonly why: readonly Evidence[];
  readonly service: FoundService | undefined;
};

export type StateDirsInput = {
  readonly brand: Brand;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
};

export function stateDirsOf(input: StateDirsInput): StateDir[] {
  const services = servicesOf(input.brand, input.home);
  const found = new Map<string, Draft>();
  for (const draft of [
    ...fromFolders(input),
    ...fromEnvironment(input.brand, input.home, input.env, 'variable', 'this environment'),
    ...services.flatMap((service) => fromService(input, service)),
  ]) {
    add(found, draft);
  }
  return [...found.values()]
    .filter((draft) => isInstall(draft))
    .map((draft) => finished(input, draft, services));
}

type Draft = {
  readonly stateDir: string;
  readonly configPath: string;
  readonly profile: string;
  readonly evidence: Evidence[];
};

function add(found: Map<string, Draft>, draft: Draft): void {
  const key = `${realPath(draft.stateDir)}\0${realPath(draft.configPath)}`;
  const known = found.get(key);
  if (known === undefined) found.set(key, draft);
  else known.evidence.push(...draft.evidence);
}

/** A state dir has its config, or at least agents: a config that was lost is no reason to lose the rest. */
function isInstall(draft: Draft): boolean {
  return (
    statIfAny(draft.configPath)?.isFile() === true ||
    statIfAny(`${draft.stateDir}/agents`)?.isDirectory() === true
  );
}

function fromFolders({ brand, home }: StateDirsInput): Draft[] {
  const base = brand.stateDirName;
  return namesIn(home)
    .filter((name) => name === base || name.startsWith(`${base}-`))
    .filter((name) => !name.includes('.update-captures'))
    .map((name) => {
      const stateDir = `${home}/${name}`;
      return {
        stateDir,
        configPath: configIn(brand, stateDir),
        profile: name === base ? 'default' : name.slice(base.length + 1),
        evidence: [{ source: 'folder', detail: stateDir }],
      };
    });
}

/** The config of a state dir: its own name, or one that an ancestor left. */
function configIn(brand: Brand, stateDir: string): string {
  const names = [brand.configName, ...brand.legacyConfigNames];
  const present = names.find((name) => statIfAny(`${stateDir}/${name}`) !== undefined);
  return `${stateDir}/${present ?? brand.configName}`;
}

function fromService(input: StateDirsInput, service: FoundService): Draft[] {
  const { environment } = service;
  const home = environment['HOME'] ?? input.home;
  return fromEnvironment(input.brand, home, environment, 'service', service.path);
}

/** What the family's variables say; nothing when none is set. Legacy prefixes count after the brand's own. */
function fromEnvironment(
  brand: Brand,
  home: string,
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
    const configPath = configVariable ?? configIn(brand, stateDir);
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
  const { brand, home } = input;
  const service = services.find((one) => {
    const [meant] = fromService(input, one);
    const stateDir = meant?.stateDir ?? `${home}/${brand.stateDirName}`;
    return realPath(stateDir) === realPath(draft.stateDir);
  });
  return {
    brand,
    profile: draft.profile,
    stateDir: draft.stateDir,
    configPath: draft.configPath,
    why: draft.evidence,
    service,
  };
}
