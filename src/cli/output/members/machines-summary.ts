/** What machines answers with. */
import type { MachineLine } from '../../../maintenance/machines.ts';

export type RevokedShown = {
  readonly id: string;
  readonly machine: string;
  readonly since: string;
  /** When it had been revoked already; null: it had not. */
  readonly before: string | null;
  /** Its snapshots that count on. */
  readonly counts: number;
  readonly last: {
    readonly id: string;
    readonly time: string;
    readonly install: string;
  } | null;
  /** Snapshots of it that are there and do not count. */
  readonly leftAside: number;
  /** Revoked by this run. */
  readonly isNew: boolean;
};

export type RevokePlanShown = Omit<RevokedShown, 'isNew'> & {
  readonly verb: 'revoke';
  /** It is the machine that this runs on. */
  readonly isThis: boolean;
};

export type MachinesSummary = {
  readonly verb: 'machines';
  readonly repository: string;
  /** null: they were only listed. */
  readonly revoked: RevokedShown | null;
  /** As they are now, oldest first. */
  readonly machines: readonly (MachineLine & { readonly isThis: boolean })[];
};
