/** What each verb answers with: the last line of `--json`, and what the text on the screen is made from. */
import type { ProbeReport } from '../../store/probe.ts';
import type { RequestCounts } from '../../store/object-store.ts';
import type { GatewayLine } from './gateway-line.ts';

export type Omission = { readonly path: string; readonly reason: string };
export type Problem = { readonly path: string; readonly code: string };

export type Cost = {
  readonly requests: RequestCounts;
  readonly durationMs: number;
  /** The largest this process was, workers included, as the kernel counts it. */
  readonly rssMaxBytes: number;
};

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
};

export type JoinSummary = {
  readonly verb: 'join';
  readonly repository: string;
  readonly id: string;
  readonly machine: string;
  readonly isDefault: boolean;
};

export type PushedInstall = {
  readonly id: string;
  readonly repository: string;
  readonly install: string;
  readonly files: number;
  readonly bytes: number;
  readonly bytesNew: number;
  readonly bytesStored: number;
  readonly omissions: readonly Omission[];
  readonly problems: readonly Problem[];
};

/** A snapshot that this machine has seen, and that the repository does not show any more. */
export type MissingSnapshot = {
  readonly writer: string;
  readonly snapshot: string;
  readonly time: string;
  /** Of the newest that is shown of the same machine; null: none is. */
  readonly shown: string | null;
};

/** A push that did not happen; `install` is null when the repository could not even be opened. */
export type Failed = {
  readonly repository: string;
  readonly install: string | null;
  readonly code: string;
  readonly message: string;
};

export type PushSummary = Cost & {
  readonly verb: 'push';
  readonly snapshots: readonly PushedInstall[];
  readonly failed: readonly Failed[];
  /** What the repository had lost before this push. */
  readonly missing: readonly MissingSnapshot[];
};

export type PlannedRoot = {
  readonly name: string;
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
};

export type PlannedPush = {
  readonly install: string;
  readonly repository: string;
  readonly roots: readonly PlannedRoot[];
  readonly files: number;
  readonly bytes: number;
  readonly omissions: readonly Omission[];
  readonly problems: readonly Problem[];
};

export type PushPlanSummary = {
  readonly verb: 'push';
  readonly dryRun: true;
  readonly snapshots: readonly [];
  readonly plan: readonly PlannedPush[];
};

/** What a pull keeps until it is undone or discarded. */
export type WayBack = {
  readonly installs: readonly { readonly install: string; readonly snapshot: string }[];
  readonly since: string;
  readonly aside: readonly {
    readonly path: string;
    readonly aside: string;
    readonly bytes: number;
  }[];
  /** Puts it back. */
  readonly command: string;
  /** Removes it; null where nothing is kept. */
  readonly discard: string | null;
  /** What the command does, in those of the system. */
  readonly byHand: readonly string[];
};

export type PullSummary = Cost & {
  readonly verb: 'pull';
  readonly dryRun?: true;
  readonly snapshot: string;
  readonly install: string;
  /** As the install was called on the old machine. */
  readonly source?: string;
  readonly files: number;
  readonly bytes: number;
  readonly bytesFetched: number;
  readonly placed: readonly {
    readonly root: string;
    readonly from: string;
    readonly to: string;
    /** Where what was there is now, or would be. */
    readonly aside?: readonly string[];
  }[];
  readonly relocated: readonly {
    readonly file: string;
    readonly edits: number;
    /** Every one; absent where an interrupted run had done them. */
    readonly changes?: readonly {
      readonly where: string;
      readonly line: number | null;
      readonly from: string;
      readonly to: string;
    }[];
  }[];
  readonly doctor: {
    readonly ran: boolean;
    readonly exit: number | null;
    readonly findings: readonly string[];
  };
  readonly checklist: readonly {
    readonly check: string;
    readonly ok: boolean;
    readonly expected: string;
    readonly found: string;
  }[];
  /** null: nothing was moved. */
  readonly undo: WayBack | null;
  /** From the first rename of the swap to its last. */
  readonly downtimeMs: number;
  /** The command that keeps backups going from here; null where this machine pushes already. */
  readonly join?: string | null;
  readonly problems: readonly Problem[];
};

export type UndoSummary = {
  readonly verb: 'undo';
  readonly dryRun?: true;
  /** Of the pull that was undone or accepted; none: there was nothing to do. */
  readonly installs: WayBack['installs'];
  readonly since: string | null;
  readonly putBack: WayBack['aside'];
  /** What the pull had placed, and where it is now. */
  readonly pulled: readonly (WayBack['aside'][number] & { readonly remove: string })[];
  readonly discarded: readonly { readonly path: string; readonly bytes: number }[];
  /** When there was nothing to undo: what became of the last pull. */
  readonly lastPull: {
    readonly state: 'undone' | 'discarded' | 'discarding' | 'taken back';
    readonly since: string;
  } | null;
  /** From the first rename to the last. */
  readonly downtimeMs: number;
  readonly durationMs: number;
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
};

export type GatewaysSummary = {
  readonly verb: 'gateways';
  readonly installs: readonly GatewayLine[];
};

export type Attention = {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
};

export type StatusSummary = {
  readonly verb: 'status';
  readonly installs: readonly GatewayLine[];
  readonly repositories: readonly {
    readonly location: string;
    readonly isDefault: boolean;
    readonly joined: boolean;
    readonly machine: string | null;
    readonly reachable: boolean;
    /** How long the bucket keeps what is pushed from being deleted, as `init --lock` set it. */
    readonly lockDays: number | null;
    readonly lastPush: readonly {
      readonly install: string;
      readonly snapshot: string;
      readonly time: string;
      readonly files: number;
      readonly bytes: number;
    }[];
  }[];
  readonly lastPull: {
    readonly time: string;
    readonly install: string;
    readonly snapshot: string;
    readonly ok: boolean;
  } | null;
  /** What pulls have moved aside and can put back, the last one first. */
  readonly kept: readonly WayBack[];
  readonly attention: readonly Attention[];
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

export type ImportSummary = Cost & {
  readonly verb: 'import';
  readonly snapshots: readonly PushedInstall[];
  /** Where the install was, as far as its archives tell. */
  readonly home: string;
  readonly stateDir: string;
  readonly roots: readonly { readonly name: string; readonly path: string }[];
};

export type CheckSummary = Cost & {
  readonly verb: 'check';
  readonly repository: string;
  readonly problems: readonly {
    readonly object: string;
    readonly code: string;
    readonly message: string;
  }[];
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

export type ProbeSummary = {
  readonly verb: 'probe';
  readonly repository: string;
  readonly report: ProbeReport;
};

export type Summary =
  | InitSummary
  | JoinSummary
  | PushSummary
  | PushPlanSummary
  | PullSummary
  | UndoSummary
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
  | DemoSummary
  | KeysSummary
  | ProbeSummary;
