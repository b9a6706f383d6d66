/**
 * Every install and profile of a home: its own reading of folders, variables, service files and config, and where the
 * product's command is there, its answer against ours. Reads only; works on a dead machine's disk.
 */
import { bytePathFromText, showPath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { agentsOf } from '../config/agents.ts';
import type { AgentPlaces } from '../config/agents.ts';
import { loadConfig, textAt, valueAt } from '../config/config-text.ts';
import type { LoadedConfig } from '../config/config-text.ts';
import { configVariables } from '../config/variables.ts';
import { countInstall } from '../contents/count-install.ts';
import { thisDisk } from '../disk/disk.ts';
import type { Disk } from '../disk/disk.ts';
import type { Brand } from '../install/brands.ts';
import type { Install, Notice } from '../install/install.ts';
import type { ProductCli } from '../product/product-cli.ts';
import { isRunning, portOf } from '../running/running.ts';
import { foreignNames, readServices } from '../services/services.ts';
import { askProduct } from './ask-product.ts';
import type { AskDeps } from './ask-product.ts';
import { withoutDoubles } from './claims.ts';
import { stateDirsOf } from './state-dirs.ts';
import type { StateDir } from './state-dirs.ts';

export type DiscoverRequest = {
  /** As the installs name it: on a disk of another machine, what it was there. */
  readonly home: string;
  /** This machine's own unless told otherwise. */
  readonly disk?: Disk;
  /** Of whoever calls, PATH included; never read from the process here. */
  readonly env: Readonly<Record<string, string>>;
  readonly brands: readonly Brand[];
  /** Of the user who runs the gateway. */
  readonly uid: number;
  /** Absent: the product's command is not asked. */
  readonly cli?: AskDeps;
};

/** Plain data of every install; `inspectInstalls` gives what a push needs beside it. */
export async function discoverInstalls(
  request: DiscoverRequest,
  signal: AbortSignal,
): Promise<Install[]> {
  return (await inspectInstalls(request, signal)).map((one) => one.install);
}

export type Inspected = {
  readonly install: Install;
  readonly brand: Brand;
  readonly config: LoadedConfig;
  readonly cli: ProductCli | undefined;
  readonly disk: Disk;
  /** Variables that the gateway runs with, as far as they are known: of its service, and of whoever calls. */
  readonly env: Readonly<Record<string, string>>;
};

export async function inspectInstalls(
  request: DiscoverRequest,
  signal: AbortSignal,
): Promise<Inspected[]> {
  const { home, env, disk = thisDisk } = request;
  const services = readServices(home, disk);
  const inspected: Inspected[] = [];
  const found = request.brands.flatMap((brand) =>
    stateDirsOf({ brand, home, env, disk, services }),
  );
  for (const one of withoutDoubles(found, { disk, path: env['PATH'] ?? '' })) {
    inspected.push(await inspectInstall(one, request, signal));
  }
  return withUniqueNames(inspected);
}

/** The install as it is now. */
export async function inspect(
  install: Install,
  request: DiscoverRequest,
  signal: AbortSignal,
): Promise<Inspected> {
  const brand = request.brands.find((one) => one.name === install.brand);
  const { home, env, disk = thisDisk } = request;
  const services = readServices(home, disk);
  const found =
    brand &&
    stateDirsOf({ brand, home, env, disk, services }).find(
      (one) => one.stateDir === install.stateDir && one.configPath === install.configPath,
    );
  if (found === undefined) {
    throw new FerryError(
      'install-not-found',
      `${install.install} is not at ${install.stateDir} any more`,
    );
  }
  return renamed(await inspectInstall(found, request, signal), install.install);
}

async function inspectInstall(
  found: StateDir,
  request: DiscoverRequest,
  signal: AbortSignal,
): Promise<Inspected> {
  const { brand, stateDir, configPath, profile, service } = found;
  const { home, uid, disk = thisDisk } = request;
  const env = { ...service?.environment, ...request.env };
  const config = loadConfig(configPath, disk.read);
  const variables = configVariables({ install: { stateDir, home }, config, env, read: disk.read });
  const isThere = (path: string): boolean => disk.stat(path) !== undefined;
  const places = { brand, config: config.value, home, stateDir, profile };
  const read = agentsOf({ ...places, variables, isThere });
  const target = { home, stateDir, configPath, profile };
  const question = { brand, target, config, agents: read, port: portOf(config, brand, {}), signal };
  const mode = modeOf(config);
  const asked = request.cli && (await askProduct({ ...question, ...mode }, request.cli));
  const agents = asked?.agents ?? read;
  const port = portOf(config, brand, env);
  const isHere = disk.mount === undefined;
  const serviceTmpdir = service?.environment['TMPDIR'];
  const running = isHere
    ? await isRunning({ ...places, configPath, port, env, uid, signal, serviceTmpdir })
    : { running: false, pid: undefined };
  const install: Install = {
    ...namesOf(found, home),
    ...contentOf(found, config, agents, disk),
    ...versionsOf(config, asked?.version),
    ...mode,
    ...(disk.mount && { readFrom: showPath(disk.locate(stateDir) ?? bytePathFromText('')) }),
    configExists: config.exists,
    workspaces: [...new Set(agents.map((agent) => agent.workspace))],
    running: running.running,
    pid: running.pid,
    port,
    why: [...found.why, ...(asked?.why ?? [])],
    notices: [
      ...config.problems.map((message) => ({ code: 'config-problem', message })),
      ...(asked?.notices ?? []),
      ...serviceNotices(found),
    ],
  };
  return { install, brand, config, cli: asked?.cli, disk, env };
}

type NameParts = 'install' | 'brand' | 'profile' | 'home' | 'stateDir' | 'configPath' | 'service';

function namesOf(found: StateDir, home: string): Pick<Install, NameParts> {
  const { brand, profile, stateDir, configPath, service } = found;
  return {
    install: profile === 'default' ? brand.name : `${brand.name}:${profile}`,
    brand: brand.name,
    profile,
    home,
    stateDir,
    configPath,
    // Without the values that it sets.
    service: service && {
      kind: service.kind,
      name: service.name,
      path: service.path,
      environmentNames: service.environmentNames,
    },
  };
}

function contentOf(
  found: StateDir,
  config: LoadedConfig,
  agents: readonly AgentPlaces[],
  disk: Disk,
): Pick<Install, 'agents' | 'channels' | 'credentialFiles'> {
  const { stateDir } = found;
  const counts = countInstall({
    stateDir,
    agents,
    workspaces: [],
    config: config.value,
    locate: disk.locate,
  });
  const sessionsOf = new Map(counts.agents.map((agent) => [agent.id, agent.sessions]));
  return {
    agents: agents.map((agent) => ({ ...agent, sessions: sessionsOf.get(agent.id) ?? 0 })),
    channels: counts.channels,
    credentialFiles: counts.credentialFiles,
  };
}

function versionsOf(
  config: LoadedConfig,
  cliVersion: string | undefined,
): Pick<Install, 'version' | 'configVersion' | 'cliVersion'> {
  const configVersion = textAt(config.value, 'meta', 'lastTouchedVersion');
  return { version: cliVersion ?? configVersion, configVersion, cliVersion };
}

function modeOf(config: LoadedConfig): Pick<Install, 'mode' | 'remoteUrl'> {
  const isRemote = valueAt(config.value, ['gateway', 'mode']) === 'remote';
  if (!isRemote) return { mode: 'local', remoteUrl: undefined };
  const remote = (key: string): string | undefined =>
    textAt(config.value, 'gateway', 'remote', key);
  return { mode: 'remote', remoteUrl: withoutSecrets(remote('url') ?? remote('sshTarget')) };
}

/** People put tokens into addresses. */
const withoutSecrets = (address: string | undefined): string | undefined =>
  address?.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*$/, '');

function serviceNotices({ service, strays, brand, stateDir }: StateDir): Notice[] {
  const foreign = service === undefined ? [] : foreignNames(service, brand, stateDir);
  const elsewhere = strays.map(({ name, home }) => ({
    code: 'service-elsewhere',
    message: `${name} is for a gateway below ${home}: it was copied from there, and does not start ${stateDir}`,
    hint: `Write it anew: ${brand.command} gateway install --force`,
  }));
  if (service === undefined || foreign.length === 0) return elsewhere;
  return [
    ...elsewhere,
    {
      code: 'service-variables',
      message: `${service.name} sets ${foreign.join(', ')}, which no file of the install holds`,
      hint: 'Set them again on the new machine; their values do not travel.',
    },
  ];
}

/** Two state dirs may come by one name: the later ones get a number. */
function withUniqueNames(inspected: readonly Inspected[]): Inspected[] {
  const used = new Set<string>();
  return inspected.map((one) => {
    const { install, brand, profile } = one.install;
    let name = install;
    for (let number = 2; used.has(name); number += 1) {
      name = profile === 'default' ? `${brand}:other-${number}` : `${install}-${number}`;
    }
    used.add(name);
    return renamed(one, name);
  });
}

function renamed(inspected: Inspected, name: string): Inspected {
  const { install } = inspected;
  if (name === install.install) return inspected;
  const profile = name.slice(install.brand.length + 1);
  return { ...inspected, install: { ...install, install: name, profile } };
}
