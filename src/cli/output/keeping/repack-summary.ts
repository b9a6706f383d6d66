/** What a repack plans and answers with, as a part of prune's answer. */
import type { OldVersions } from '../../../store/object-store.ts';

type Planned = {
  /** Packs that are mostly dead and will be emptied. */
  readonly packs: number;
  readonly readBytes: number;
  /** About what goes into new packs. */
  readonly writtenBytes: number;
  readonly freedBytes: number;
  /** Of what is stored for snapshots, what none of them needs, in percent. */
  readonly deadPercent: number;
  /** More is worth it than --max-repack lets be moved. */
  readonly isLimited: boolean;
  /** New objects stay locked; the old ones stay until their lock ends. */
  readonly lockDays: LockDays;
};

export type LockDays = OldVersions['lockDays'];

export type RepackPlanShown = Planned & {
  readonly verb: 'repack';
  readonly repository: string;
};

export type RepackSummary = Planned & {
  /** Emptied: no snapshot needs them any more. */
  readonly emptied: number;
  readonly made: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
};
