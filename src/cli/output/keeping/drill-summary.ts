/** What a drill answers with. */
import type { Cost } from '../summary-parts.ts';
import type { MissingSnapshot } from '../push/summary.ts';

/** The newest that the records in the repository tell of. */
export type LastDrill = {
  readonly time: string;
  readonly passed: boolean;
  readonly snapshot: string;
  readonly install: string;
  readonly machine: string;
  /** Was the product's own doctor asked? */
  readonly doctor: boolean;
  readonly restoreMs: number;
  /** The machine that ran it. */
  readonly ranBy: string;
};

export type DrillSummary = Cost & {
  readonly verb: 'drill';
  readonly repository: string;
  readonly snapshot: string;
  readonly sequence: number;
  /** When it was pushed. */
  readonly pushed: string;
  readonly install: string;
  readonly machine: string;
  /** When the drill was, by the store's clock. */
  readonly time: string;
  /** No critical line of the checklist failed. */
  readonly passed: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly bytesFetched: number;
  readonly checklist: readonly {
    readonly check: string;
    readonly ok: boolean;
    readonly expected: string;
    readonly found: string;
  }[];
  /** What of the snapshot cannot be restored. */
  readonly lost: readonly { readonly path: string; readonly code: string; readonly why: string }[];
  readonly doctor: {
    readonly ran: boolean;
    readonly exit: number | null;
    readonly findings: readonly string[];
    readonly version: string | null;
  };
  /** What a pull would have taken here, commands of the product apart. */
  readonly restoreMs: number;
  readonly productMs: number;
  /** What this machine has seen, and the repository does not show any more. */
  readonly missing: readonly MissingSnapshot[];
  /** The signed record in the repository; null: there is none. */
  readonly record: string | null;
  /** Why there is none. */
  readonly recordProblem: string | null;
  /** The file that the page is in; null: none was asked for. */
  readonly report: string | null;
  /** Where the sandbox still is; null: nothing is left of it. */
  readonly kept: string | null;
};
