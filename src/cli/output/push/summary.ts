/** What push and import answer with. */
import type { Cost, Omission, Problem } from '../summary-parts.ts';

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
  /** Null: it is not this machine that has seen it, but a forget record that speaks of it. */
  readonly snapshot: string | null;
  readonly time: string;
  /** Of the newest that is shown of the same machine; null: none is. */
  readonly shown: string | null;
  /** The machine whose drill has seen it, where this one has not. */
  readonly drilledBy?: string;
};

/** Snapshots of one machine, by their numbers (both included), that are gone without a forget record. */
export type HoleLine = {
  readonly writer: string;
  readonly machine: string;
  readonly first: number;
  readonly last: number;
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
