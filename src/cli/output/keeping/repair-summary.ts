/** What repair plans and answers with. */
import type { CheckProblem } from '../../../maintenance/check/faults.ts';
import type { RefusedDelete } from '../../../maintenance/prune/sweep.ts';
import type { Cost } from '../summary-parts.ts';

type Shown = {
  readonly repository: string;
  /** Of each machine: packs that no good index names, and indexes that are replaced. */
  readonly indexes: readonly {
    readonly machine: string;
    readonly packs: number;
    readonly bad: readonly string[];
  }[];
  /** Damaged packs and pack lists that the next push stores again, as far as its machine still has what was in them. */
  readonly condemn: readonly string[];
  /** What is lost until then. */
  readonly problems: readonly CheckProblem[];
  readonly snapshots: number;
  readonly packs: number;
  readonly read: { readonly objects: number; readonly bytes: number };
};

export type RepairPlanShown = Shown & { readonly verb: 'repair' };

export type RepairSummary = Cost &
  Shown & {
    readonly verb: 'repair';
    readonly dryRun?: true;
    /** Indexes that were made, and bad ones that were removed after that. */
    readonly made: number;
    readonly replaced: number;
    readonly refused: readonly RefusedDelete[];
    readonly readPercent: number;
  };
