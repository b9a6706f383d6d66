/** The install on the old machine's disk, read as a push reads one on its own machine. */
import { agentsOf } from '../gateway/config/agents.ts';
import { loadConfig, textAt, valueAt, type LoadedConfig } from '../gateway/config/config-text.ts';
import { configVariables } from '../gateway/config/variables.ts';
import { channelsOf, countInstall } from '../gateway/contents/count-install.ts';
import { rootCandidates, type RootCandidate } from '../gateway/contents/root-candidates.ts';
import type { Brand } from '../gateway/install/brands.ts';
import type { InstallCounts } from '../gateway/install/counts.ts';
import type { Install } from '../gateway/install/install.ts';
import { portOf } from '../gateway/running/running.ts';
import type { OldDisk } from './old-disk.ts';

export type OldInstall = {
  readonly install: Install;
  readonly config: LoadedConfig;
  readonly candidates: readonly RootCandidate[];
};

export type OldInstallPlaces = {
  readonly brand: Brand;
  /** `default` when there is none. */
  readonly profile: string;
  /** As it is to be called. */
  readonly name: string;
  readonly home: string;
  readonly stateDir: string;
};

export function readOldInstall(places: OldInstallPlaces, disk: OldDisk): OldInstall {
  const { brand, profile, home, stateDir } = places;
  const { read } = disk;
  const configPath = configIn(places, disk);
  const config = loadConfig(configPath, read);
  // Variables of this machine say nothing about the old one; what its .env says counts.
  const variables = configVariables({ install: { stateDir, home }, config, env: {}, read });
  const isThere = (path: string): boolean => disk.find(path) !== undefined;
  const known = { brand, config: config.value, home, stateDir, profile, variables };
  const agents = agentsOf({ ...known, isThere });
  const remote = valueAt(config.value, ['gateway', 'mode']) === 'remote';
  const install: Install = {
    install: places.name,
    brand: brand.name,
    profile,
    home,
    stateDir,
    configPath,
    configExists: config.exists,
    workspaces: [...new Set(agents.map((agent) => agent.workspace))],
    agents: agents.map((agent) => ({ ...agent, sessions: 0 })),
    channels: channelsOf(config.value),
    credentialFiles: 0,
    version: textAt(config.value, 'meta', 'lastTouchedVersion'),
    configVersion: textAt(config.value, 'meta', 'lastTouchedVersion'),
    cliVersion: undefined,
    mode: remote ? 'remote' : 'local',
    remoteUrl: remote ? textAt(config.value, 'gateway', 'remote', 'url') : undefined,
    running: false,
    pid: undefined,
    port: portOf(config, brand, {}),
    service: undefined,
    why: [],
    notices: config.problems.map((message) => ({ code: 'config-problem', message })),
  };
  // An archive shows no links that lead out of it.
  const asDisk = { read, real: (path: string) => path, names: () => [] };
  const input = { install, brand, config, env: variables, disk: asDisk };
  return { install, config, candidates: rootCandidates(input) };
}

/** The config of a state dir: its own name, or one that an ancestor left. */
function configIn({ brand, stateDir }: OldInstallPlaces, disk: OldDisk): string {
  const names = [brand.configName, ...brand.legacyConfigNames];
  const present = names.find((name) => disk.find(`${stateDir}/${name}`)?.kind === 'file');
  return `${stateDir}/${present ?? brand.configName}`;
}

export function countOldInstall({ install, config }: OldInstall, disk: OldDisk): InstallCounts {
  return countInstall({
    stateDir: install.stateDir,
    agents: install.agents,
    workspaces: install.workspaces,
    config: config.value,
    locate: (path) => disk.find(path)?.at,
  });
}
