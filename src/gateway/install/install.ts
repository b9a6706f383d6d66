/** What is known about one gateway on this machine. Plain data: all of it can stand in a snapshot or in JSON. */

export type AgentInfo = {
  readonly id: string;
  readonly isDefault: boolean;
  readonly workspace: string;
  readonly agentDir: string;
  readonly sessionsDir: string;
  readonly sessions: number;
};

export type ServiceInfo = {
  readonly kind: 'systemd' | 'launchd' | 'scheduled-task';
  readonly name: string;
  readonly path: string;
  /** Names only: their values may be secrets, and they do not travel. */
  readonly environmentNames: readonly string[];
};

/** How one fact is known: `folder`, `variable`, `service`, `cli`, `config`; for people and `--json`. */
export type Evidence = {
  readonly source: 'folder' | 'variable' | 'service' | 'cli' | 'config';
  readonly detail: string;
};

export type Notice = { readonly code: string; readonly message: string; readonly hint?: string };

export type Install = {
  /** `brand[:profile]`, as typed and printed. */
  readonly install: string;
  readonly brand: string;
  /** `default` when there is none. */
  readonly profile: string;
  readonly home: string;
  readonly stateDir: string;
  /** Where the state dir is mounted, on another machine's disk. */
  readonly readFrom?: string;
  readonly configPath: string;
  readonly configExists: boolean;
  /** Every workspace once, the default agent's first. */
  readonly workspaces: readonly string[];
  readonly agents: readonly AgentInfo[];
  readonly channels: readonly string[];
  readonly credentialFiles: number;
  /** Of the product: what its CLI says, else what last wrote the config. */
  readonly version: string | undefined;
  readonly configVersion: string | undefined;
  readonly cliVersion: string | undefined;
  readonly mode: 'local' | 'remote';
  readonly remoteUrl: string | undefined;
  readonly running: boolean;
  readonly pid: number | undefined;
  readonly port: number;
  readonly service: ServiceInfo | undefined;
  readonly why: readonly Evidence[];
  readonly notices: readonly Notice[];
};
