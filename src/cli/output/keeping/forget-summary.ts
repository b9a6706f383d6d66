/** What forget plans and answers with. */
import type { OldVersions } from '../../../store/object-store.ts';
import type { HoleLine } from '../push/summary.ts';
import type { Doomed, Kept } from '../../../maintenance/forget/forget-plan.ts';
import type { SnapshotLine } from '../summary.ts';
import type { Cost } from '../summary-parts.ts';
import type { PruneSummary } from './prune-summary.ts';

type Dated = SnapshotLine & {
  /** The time that the rules count: the store's where it cannot be what the machine says. */
  readonly countsAs: string;
};

/** With the reason for it. */
export type KeptLine = Dated & Pick<Kept, 'reasons'>;
export type DoomedLine = Dated & Pick<Doomed, 'reasons'>;

type Shown = {
  readonly repository: string;
  /** Both oldest first. */
  readonly kept: readonly KeptLine[];
  readonly forgotten: readonly DoomedLine[];
  /** Grants, claims and receipts of handoffs that are over. */
  readonly tickets: number;
  /** Machines of which this is far more than usual. */
  readonly unusual: readonly {
    readonly machine: string;
    readonly count: number;
    readonly usual: number;
  }[];
  /** Numbers that are accepted as lost (`--missing`, and damaged ones that were named). */
  readonly lost: readonly HoleLine[];
  /** Damaged ones that were named by their ids, with what is wrong with them. */
  readonly damaged: readonly { readonly object: string; readonly message: string }[];
  /** What becomes of what is deleted; null: it is gone. */
  readonly oldVersions: OldVersions | null;
};

export type ForgetPlanShown = Shown & { readonly verb: 'forget' };

export type ForgetSummary = Cost &
  Shown & {
    readonly verb: 'forget';
    readonly dryRun?: true;
    /** Names of the forget records that this run stored. */
    readonly records: readonly string[];
    readonly deleted: { readonly snapshots: number; readonly tickets: number };
    readonly refused: readonly {
      readonly object: string;
      readonly code: string;
      readonly message: string;
    }[];
    /** Objects that were to be deleted, and were left to the next run. */
    readonly left: readonly string[];
    /** What was done about the space; null: nobody asked for it. */
    readonly prune: PruneSummary | null;
  };
