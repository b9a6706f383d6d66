/** What a handoff answers with, and what status says of one. */
import type { Cost } from '../summary-parts.ts';

/** A handoff from this machine, by what lies in the repository. */
export type HandoffLine = {
  readonly install: string;
  readonly repository: string;
  readonly state:
    | 'interrupted'
    | 'offered'
    | 'taken'
    | 'confirmed'
    | 'cancelled'
    | 'ended'
    /** The repository cannot be reached. */
    | 'unknown';
  readonly offeredAt: string;
  readonly endsAt: string | null;
  readonly takenAt: string | null;
  readonly takenBy: string | null;
  /** Its claim was seen, and is not there any more. */
  readonly claimGone: boolean;
  readonly confirmedAt: string | null;
  /** Whether the checklist passed there. */
  readonly ok: boolean | null;
  readonly failed: readonly {
    readonly check: string;
    readonly expected: string;
    readonly found: string;
  }[];
  readonly serviceFenced: boolean;
};

export type HandoffSummary = Cost & {
  readonly verb: 'handoff';
  readonly install: string;
  readonly repository: string;
  readonly snapshot: string;
  readonly endsAt: string;
  /** Null: it was shown. The ticket itself is never in here. */
  readonly ticketFile: string | null;
  readonly ticketCharacters: number;
  readonly grantBytes: number;
  readonly packs: number;
  readonly serviceFenced: boolean;
  readonly bytesStored: number;
};

export type HandoffCancelSummary = {
  readonly verb: 'handoff';
  readonly cancelled: true;
  readonly install: string;
  readonly repository: string;
  /** A machine that has taken over, and whose copy may live. */
  readonly takenBy: string | null;
  /** Whether the gateway was seen to run again. */
  readonly isStarted: boolean;
};
