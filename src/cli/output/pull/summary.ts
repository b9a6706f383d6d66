/** What pull and undo answer with. */
import type { Cost, Problem } from '../summary-parts.ts';

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

/** A pull that has not put anything in its place: it goes on, or was interrupted. */
export type UnfinishedPull = {
  readonly installs: WayBack['installs'];
  readonly since: string;
  readonly isUnderWay: boolean;
  readonly stages: readonly {
    readonly path: string;
    readonly bytes: number;
    /** Deletes it, once nobody wants to go on with it. */
    readonly remove: string;
  }[];
  /** Goes on with it. */
  readonly command: string;
};

/** One of several that landed together. */
export type PulledInstall = Pick<
  PullSummary,
  | 'snapshot'
  | 'install'
  | 'source'
  | 'files'
  | 'bytes'
  | 'bytesFetched'
  | 'placed'
  | 'relocated'
  | 'doctor'
  | 'checklist'
  | 'warnings'
  | 'secrets'
>;

export type PullSummary = Cost & {
  readonly verb: 'pull';
  /** Of several, each by itself; what stands beside it is of the first, or of all. */
  readonly installs?: readonly PulledInstall[];
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
  /** What a person has to see to on this machine. */
  readonly warnings?: readonly {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  }[];
  /** Kinds and counts of what travelled, never values. */
  readonly secrets?: readonly {
    readonly kind: string;
    readonly count: number;
    /** What to do if it was exposed. */
    readonly rotate: string;
  }[];
  /** null: nothing was moved, or it is undone already. */
  readonly undo: WayBack | null;
  /** The checklist failed, and everything is as it was before. */
  readonly undone?: Pick<UndoSummary, 'pulled' | 'putBack'>;
  /** Nothing was moved: this snapshot was pulled before, and nothing has changed since. */
  readonly alreadyInPlace?: true;
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
