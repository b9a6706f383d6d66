/** What a pull onto this machine is asked for, plans and finds out, and what came of it. Plain data. */
import type { BytePath } from '../../base/byte-path.ts';
import type { SecretCount } from '../../gateway/contents/secrets-inventory.ts';
import type { Brand } from '../../gateway/install/brands.ts';
import type { InstallIdentity } from '../../gateway/install/identity.ts';
import type { GatewayRecord } from '../../gateway/install/record.ts';
import type { CheckLine } from '../../gateway/landing/checklist.ts';
import type { PersonNeeded } from '../../gateway/landing/needs-person.ts';
import type { CliTarget, ProductCli } from '../../gateway/product/product-cli.ts';
import type { PathRule } from '../../gateway/relocate/path-map.ts';
import type { FileEdits } from '../../gateway/relocate/relocation.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import type { Placement } from '../places/placement.ts';
import type { Owner } from '../restore/file-table.ts';
import type { RestoreDeps } from '../restore/restore.ts';
import type { GatewayHere } from './gateway-here.ts';
import type { LandingSite } from './site.ts';

export type PullRequest = {
  readonly snapshot: SnapshotReader;
  readonly site: LandingSite;
  readonly dryRun: boolean;
  readonly doctor: boolean;
  readonly restart: boolean;
  /** The user's own path rules, before any other. */
  readonly own?: readonly PathRule[];
  /** Another name than the install had. */
  readonly as?: InstallIdentity;
  /** A failed critical line of the checklist undoes the pull. */
  readonly undoOnFailure: boolean;
  /** Where journals of swaps are kept; it is there. */
  readonly journals: string;
  /** For names: the local time as `20261121-080000`. */
  readonly stamp: string;
  /** Set when the home is a sandbox that is thrown away. */
  readonly rehearsal?: Rehearsal;
};

/**
 * A pull of which nothing stays: no gateway is looked for, stopped or started, and the product's command may be
 * missing.
 */
export type Rehearsal = {
  /** Takes into the sandbox what would land outside the home. */
  readonly rules: readonly PathRule[];
  /** Called when all of it is staged and nothing is edited yet. */
  inspect(landing: Landing, signal: AbortSignal): Promise<void>;
};

/** What is about to happen; shown before it does, and the whole answer of a dry run. */
export type PullPlan = {
  /** As it is called here. */
  readonly install: string;
  /** As it was called on the old machine. */
  readonly source: string;
  readonly snapshot: string;
  readonly files: number;
  readonly bytes: number;
  readonly placed: readonly {
    readonly root: string;
    readonly from: string;
    readonly to: string;
    /** Where what is there now will be moved. */
    readonly aside: readonly string[];
  }[];
  /** The user's own path rules. */
  readonly mapped: readonly PathRule[];
  readonly owner: Owner;
  readonly cli: string | undefined;
  /** The gateway that runs here now and will be stopped; undefined: none does. */
  readonly gateway:
    | { readonly why: string; readonly pid: number | undefined; readonly port: number }
    | undefined;
  readonly doctor: boolean;
  readonly restart: boolean;
};

export type PullDeps = RestoreDeps & {
  /** Shows the plan of all of it and asks once; false: the user said no. */
  confirm(plans: readonly PullPlan[]): Promise<boolean>;
  /** Called before the first is filled: where all of it will lie until it is put in its place. */
  onStages?(stages: readonly BytePath[]): void;
  /** Called before it fails because of what a snapshot needs and what does not come whole out of the store. */
  onDamage?(damage: Damage): void;
};

export type Damage = {
  readonly snapshot: SnapshotReader;
  /** The names of the packs that did not deliver. */
  readonly packs: readonly string[];
};

/** Without its changes where another run edited it. */
export type RelocatedFile = Omit<FileEdits, 'changes'> & Partial<Pick<FileEdits, 'changes'>>;

export type Landed = {
  readonly doctor: {
    readonly ran: boolean;
    readonly exit: number | null;
    readonly findings: readonly string[];
  };
  readonly checklist: readonly CheckLine[];
  readonly needs: readonly PersonNeeded[];
  readonly secrets: readonly SecretCount[];
  /** No critical line failed. */
  readonly ok: boolean;
};

/** What was found out before anything is written. */
export type Landing = {
  readonly request: PullRequest;
  /** What it was on the old machine, and what it is here. */
  readonly source: InstallIdentity;
  readonly identity: InstallIdentity;
  readonly brand: Brand;
  readonly record: GatewayRecord;
  readonly placement: Placement;
  readonly plan: PullPlan;
  readonly cli: ProductCli | undefined;
  /** Why there is none, where a pull would refuse for it. */
  readonly cliMissing: string | undefined;
  /** For the product's command. */
  readonly target: CliTarget;
  /** undefined: a rehearsal, which has nothing to do with those of this machine. */
  readonly gateway: GatewayHere | undefined;
};
