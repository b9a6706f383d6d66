/** One gateway of `gateways` and `status`. */
export type GatewayLine = {
  readonly install: string;
  readonly brand: string;
  readonly profile: string;
  readonly stateDir: string;
  readonly configPath: string;
  readonly workspaces: readonly string[];
  readonly agents: readonly { readonly id: string; readonly sessions: number }[];
  readonly version: string | null;
  readonly mode: 'local' | 'remote';
  /** Of the gateway that it is a client of. */
  readonly remoteUrl: string | null;
  readonly running: boolean;
  readonly service: { readonly kind: string; readonly name: string } | null;
  readonly why: readonly { readonly source: string; readonly detail: string }[];
  /** Where the state dir is mounted; null on this machine's own disk. */
  readonly readFrom: string | null;
  readonly notices: readonly {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
  }[];
};
