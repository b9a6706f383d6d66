/**
 * Every install and profile of a home: its own reading of folders, variables, service files and config, and where the
 * product's command is there, its answer against ours. Reads only; works on a dead machine's disk.
 */
import { FerryError } from '../base/errors.ts';
import { agentsOf } from './agents.ts';
import type { AgentPlaces } from './agents.ts';
import { askAgents } from './agents-list.ts';
import type { Brand } from './brands.ts';
import { loadConfig, textAt, valueAt } from './config-text.ts';
import type { LoadedConfig } from './config-text.ts';
import { countInstall, inPlace } from './counts.ts';
import type { Install, Notice } from './install.ts';
import { findProductCli } from './product-cli.ts';
import type { CliDeps, ProductCli } from './product-cli.ts';
import { readFileIfAny } from './read.ts';
import { isRunning, portOf } from './running.ts';
import { foreignNames } from './services.ts';
import { stateDirsOf } from './state-dirs.ts';
import type { StateDir } from './state-dirs.ts';
import { configVariables } from './variables.ts';

export { portOf } from './running.ts';

export type DiscoverRequest = {
  readonly home: string;
  /** Of whoever calls, PATH included; never read from the process here. */
  readonly env: Readonly<Record<string, string>>;
  readonly brands: readonly Brand[];
  /** Of the user who runs the gateway. */
  readonly uid: number;
  /** Absent: the product's command is not asked. */
  readonly cli?: CliDeps;
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
};

export async function inspectInstalls(
  request: DiscoverRequest,
  signal: AbortSignal,
): Promise<Inspected[]> {
  const { home, env } = request;
  const inspected: Inspected[] = [];
  for (const brand of request.brands) {
    for (const found of stateDirsOf({ brand, home, env })) {
      inspected.push(await inspectInstall(found, request, signal));
    }
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
  const { home, env } = request;
  const found =
    brand &&
    stateDirsOf({ brand, home, env }).find(
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
  const { home, env, uid } = request;
  const config = loadConfig(configPath, readFileIfAny);
  const variables = configVariables({ install: { stateDir, home }, config, env });
  const read = agentsOf({ brand, config: config.value, home, stateDir, profile, variables });
  const target = { home, stateDir, configPath, profile };
  const cli = request.cli && (await findProductCli(brand, request.cli, { target, signal }));
  const asked = cli && (await askAgents(cli, { target, signal, read, home }));
  const agents = asked?.agents ?? read;
  const port = portOf(config, brand, { ...service?.environment, ...env });
  const running = await isRunning({ brand, stateDir, configPath, port, env, uid, signal });
  const install: Install = {
    ...namesOf(found, home),
    ...contentOf(found, config, agents),
    ...versionsOf(config, cli),
    ...modeOf(config),
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
  return { install, brand, config, cli };
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
): Pick<Install, 'agents' | 'channels' | 'credentialFiles'> {
  const { stateDir } = found;
  const counts = countInstall({
    stateDir,
    agents,
    workspaces: [],
    config: config.value,
    locate: inPlace,
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
  cli: ProductCli | undefined,
): Pick<Install, 'version' | 'configVersion' | 'cliVersion'> {
  const configVersion = textAt(config.value, 'meta', 'lastTouchedVersion');
  return { version: cli?.version ?? configVersion, configVersion, cliVersion: cli?.version };
}

function modeOf(config: LoadedConfig): Pick<Install, 'mode' | 'remoteUrl'> {
  const isRemote = valueAt(config.value, ['gateway', 'mode']) === 'remote';
  if (!isRemote) return { mode: 'local', remoteUrl: undefined };
  const remote = (key: string): string | undefined =>
    textAt(config.value, 'gateway', 'remote', key);
  return { mode: 'remote', remoteUrl: remote('url') ?? remote('sshTarget') };
}

function serviceNotices({ service, brand }: StateDir): Notice[] {
  const own = service === undefined ? [] : foreignNames(service, brand);
  if (service === undefined || own.length === 0) return [];
  return [
    {
      code: 'service-variables',
      message: `${service.name} sets ${own.join(', ')}, which no file of the install holds`,
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
