/** What the answers of several verbs have in common. */
import type { RequestCounts } from '../../store/object-store.ts';

export type Omission = { readonly path: string; readonly reason: string };

export type Problem = { readonly path: string; readonly code: string };

export type Cost = {
  readonly requests: RequestCounts;
  readonly durationMs: number;
  /** The largest this process was, workers included, as the kernel counts it. */
  readonly rssMaxBytes: number;
};
