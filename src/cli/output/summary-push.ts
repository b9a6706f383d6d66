/** What push and import answer with. */
import type { Cost, Omission, Problem } from './summary-parts.ts';

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

export type ImportSummary = Cost & {
  readonly verb: 'import';
  readonly snapshots: readonly PushedInstall[];
  /** Where the install was, as far as its archives tell. */
  readonly home: string;
  readonly stateDir: string;
  readonly roots: readonly { readonly name: string; readonly path: string }[];
};
