/** What each verb answers with: the last line of `--json`, and what the text on the screen is made from. */
import type { Mirrored } from '../../maintenance/mirror/mirror.ts';
import type { Copied } from '../../transfer/copy.ts';
import type { ProbeReport } from '../../store/probe.ts';
import type { Policy } from '../roles/policy.ts';
import type { Role } from '../roles/rights.ts';
import type { DrillSummary, LastDrill } from './keeping/drill-summary.ts';
import type { HandoffCancelSummary, HandoffSummary } from './handoff/summary.ts';
import type { MachinesSummary } from './members/machines-summary.ts';
import type { GatewaysSummary, StatusSummary } from './status/summary.ts';
import type { Cost } from './summary-parts.ts';
import type { ForgetSummary } from './keeping/forget-summary.ts';
import type { PruneSummary } from './keeping/prune-summary.ts';
import type { RepairSummary } from './keeping/repair-summary.ts';
import type { PullSummary, UndoSummary } from './pull/summary.ts';
import type { ScheduleSummary } from './schedule/summary.ts';
import type {
  HoleLine,
  ImportSummary,
  MissingSnapshot,
  PushPlanSummary,
  PushSummary,
} from './push/summary.ts';

export type InitSummary = {
  readonly verb: 'init';
  readonly repository: string;
  readonly id: string;
  readonly machine: string;
  /** The file the recovery kit is in; null when it was shown. */
  readonly kit: string | null;
  readonly isDefault: boolean;
  /** Days that the bucket keeps new objects from being deleted; null: no lock was asked for. */
  readonly lockDays: number | null;
} & Newcomer;

export type JoinSummary = {
  readonly verb: 'join';
  readonly repository: string;
  readonly id: string;
  readonly machine: string;
  readonly isDefault: boolean;
} & Newcomer;

export type LeaveSummary = {
  readonly verb: 'leave';
  readonly repository: string;
  /** null: this machine knew the place, and had not joined it. */
  readonly id: string | null;
  readonly machine: string | null;
  /** That were pushed there from here. */
  readonly installs: readonly string[];
  /** Those of them whose handoff is still remembered: nothing takes it back any more. */
  readonly handoffs: readonly string[];
  /** What keeps their gateways from starting here stays, and this file says how it is taken away by hand. */
  readonly fences: readonly { readonly install: string; readonly file: string }[];
  /** Those of these that were interrupted: stopped for a ticket that was never made. */
  readonly interrupted: readonly string[];
  /** Files of the local cache, which go. */
  readonly cache: readonly string[];
  readonly wasDefault: boolean;
  readonly newDefault: string | null;
  readonly dryRun?: true;
};

/** A machine that may write from now on. */
export type Newcomer = {
  readonly writer: string;
  /** What its own key may do in the bucket; null: the repository is in a folder. */
  readonly policy: Policy | null;
};

export type SnapshotLine = {
  readonly id: string;
  readonly time: string;
  readonly install: string;
  readonly machine: string;
  readonly sequence: number;
  readonly files: number;
  readonly bytes: number;
  readonly label: string | null;
};

export type SnapshotsSummary = {
  readonly verb: 'snapshots';
  readonly repository: string;
  readonly snapshots: readonly SnapshotLine[];
  /** Only this machine's own: no secret was given. */
  readonly ownOnly: boolean;
  readonly missing: readonly MissingSnapshot[];
  readonly holes: readonly HoleLine[];
  /** As far as what is at hand opens; null: none that it can see. */
  readonly lastDrill: LastDrill | null;
};

export type LsSummary = {
  readonly verb: 'ls';
  readonly snapshot: string;
  readonly entries: number;
  readonly bytes: number;
};

export type FindSummary = {
  readonly verb: 'find';
  readonly pattern: string;
  readonly snapshots: number;
  readonly matches: number;
};

export type DiffSummary = {
  readonly verb: 'diff';
  readonly from: string;
  readonly to: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
};

export type CatSummary = {
  readonly verb: 'cat';
  readonly snapshot: string;
  readonly path: string;
  readonly bytes: number;
};

export type ExportSummary = {
  readonly verb: 'export';
  readonly snapshot: string;
  /** Null: it went to stdout. */
  readonly file: string | null;
  readonly files: number;
  readonly bytes: number;
};

export type CheckSummary = Cost & {
  readonly verb: 'check';
  readonly repository: string;
  readonly problems: readonly {
    readonly object: string;
    readonly code: string;
    readonly message: string;
    /** Ids of those that lose something by it. */
    readonly snapshots?: readonly string[];
    readonly files?: { readonly lost: number; readonly named: readonly string[] };
  }[];
  /** Objects of the problems that a repair has announced already. */
  readonly announced: readonly string[];
  readonly read: { readonly objects: number; readonly bytes: number };
  /** As asked for; 0: the structure only. */
  readonly readPercent: number;
  readonly snapshots: number;
  readonly packs: number;
  /** Only what this machine wrote: no secret was given. */
  readonly ownOnly: boolean;
};

export type DemoSummary = {
  readonly verb: 'demo';
  /** Everything is in it. */
  readonly folder: string;
  readonly from: { readonly user: string; readonly home: string };
  readonly to: { readonly user: string; readonly home: string };
  /** What answered as the product: a stand-in is none. */
  readonly product: { readonly standIn: boolean; readonly version: string };
  readonly snapshot: string;
  readonly files: number;
  readonly bytes: number;
  readonly edits: number;
  readonly checklist: PullSummary['checklist'];
  readonly look: readonly string[];
  readonly durationMs: number;
};

export type KeysSummary = {
  readonly verb: 'keys';
  readonly repository: string;
  /** The id of the key slot that was added, or removed. */
  readonly added: string | null;
  readonly removed: string | null;
  /** The file that the new recovery kit or reader key is in; null when there is none. */
  readonly file: string | null;
  /** As they are now, oldest first. */
  readonly keys: readonly {
    readonly id: string;
    readonly opensWith: string;
    readonly time: string;
    readonly isOpened: boolean;
    readonly problem?: string;
  }[];
};

export type MirrorSummary = Cost &
  Mirrored & { readonly verb: 'mirror'; readonly from: string; readonly to: string };

export type CopySummary = Cost &
  Copied & {
    readonly verb: 'copy';
    readonly from: string;
    readonly to: string;
    readonly dryRun: boolean;
  };

export type PolicySummary = {
  readonly verb: 'policy';
  readonly repository: string;
  readonly role: Role;
  readonly policy: Policy;
};

export type ProbeSummary = {
  readonly verb: 'probe';
  readonly repository: string;
  readonly report: ProbeReport;
};

export type Summary =
  | InitSummary
  | JoinSummary
  | LeaveSummary
  | PushSummary
  | PushPlanSummary
  | PullSummary
  | UndoSummary
  | HandoffSummary
  | HandoffCancelSummary
  | SnapshotsSummary
  | GatewaysSummary
  | StatusSummary
  | LsSummary
  | FindSummary
  | DiffSummary
  | CatSummary
  | ExportSummary
  | ImportSummary
  | CheckSummary
  | DrillSummary
  | DemoSummary
  | KeysSummary
  | MachinesSummary
  | MirrorSummary
  | CopySummary
  | PolicySummary
  | ForgetSummary
  | PruneSummary
  | RepairSummary
  | ProbeSummary
  | ScheduleSummary;
