/** What prune plans and answers with. */
import type { OldVersions } from '../../../store/object-store.ts';
import type { RepackSummary } from './repack-summary.ts';
import type { Cost } from '../summary-parts.ts';

export type PruneAmount = {
  readonly packs: number;
  readonly lists: number;
  readonly indexes: number;
  readonly tombstones: number;
  /** Drill records. */
  readonly drills: number;
  readonly bytes: number;
};

type Shown = {
  readonly repository: string;
  readonly snapshots: number;
  readonly stored: PruneAmount;
  /** Announced by this run, and when a later one may delete it. */
  readonly announce: PruneAmount & { readonly until: string };
  /** Announced long ago and still not needed. */
  readonly delete: PruneAmount;
  /** Announced by an earlier run, and not for long enough. */
  readonly waiting: PruneAmount & { readonly until: string | null };
  /** Not needed, and too new to be announced. */
  readonly young: PruneAmount;
  /** Announced, and needed all the same: it stays. */
  readonly needed: PruneAmount;
  /** What the plan costs from here on, listing again apart. */
  readonly changes: { readonly put: number; readonly delete: number };
  /** What becomes of what is deleted; null: it is gone. */
  readonly oldVersions: OldVersions | null;
};

export type LocksSummary = {
  /** How many had less than half of their time left, and until when they are locked now. */
  readonly due: number;
  readonly until: string;
  /** When the first of all that is needed can be deleted. */
  readonly soonest: string | null;
  readonly refused: readonly {
    readonly object: string;
    readonly code: string;
    readonly message: string;
  }[];
  /** Names under which somebody stored another version. */
  readonly replaced: readonly string[];
};

export type PrunePlanShown = Shown & { readonly verb: 'prune' };

export type PruneSummary = Cost &
  Shown & {
    readonly verb: 'prune';
    readonly dryRun?: true;
    readonly deleted: PruneAmount;
    readonly refused: readonly {
      readonly object: string;
      readonly code: string;
      readonly message: string;
    }[];
    /** Planned, and left to the next run. */
    readonly left: PruneAmount;
    /** What was moved first; null: nobody asked for it. */
    readonly repack: RepackSummary | null;
    /** Object Lock kept up for what is needed; null: the bucket locks nothing. */
    readonly locks: LocksSummary | null;
    /** When the next run has something to delete; null: nothing is announced. */
    readonly next: string | null;
  };
