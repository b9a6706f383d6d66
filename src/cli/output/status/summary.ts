/** What gateways and status answer with. */
import type { GatewayLine } from './gateway-line.ts';
import type { HandoffLine } from '../handoff/summary.ts';
import type { LastDrill } from '../keeping/drill-summary.ts';
import type { HoleLine } from '../push/summary.ts';
import type { UnfinishedPull, WayBack } from '../pull/summary.ts';
import type { ScheduleShown } from '../schedule/summary.ts';

export type GatewaysSummary = {
  readonly verb: 'gateways';
  readonly installs: readonly GatewayLine[];
};

export type Attention = {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
};

export type StatusSummary = {
  readonly verb: 'status';
  readonly installs: readonly GatewayLine[];
  readonly repositories: readonly {
    readonly location: string;
    readonly isDefault: boolean;
    readonly joined: boolean;
    readonly machine: string | null;
    /** When this machine was revoked there; null: it was not, as far as can be seen. */
    readonly revoked: string | null;
    readonly reachable: boolean;
    /** How long the bucket keeps what is pushed from being deleted, as `init --lock` set it. */
    readonly lockDays: number | null;
    /** That this machine ran; null: none, or it cannot be seen now. */
    readonly lastDrill: LastDrill | null;
    /** Numbers of this machine's snapshots that are gone for good, as its owner has accepted. */
    readonly lost: readonly HoleLine[];
    readonly lastPush: readonly {
      readonly install: string;
      readonly snapshot: string;
      readonly time: string;
      readonly files: number;
      readonly bytes: number;
    }[];
    /** Of snapshots of another repository into this one, by this machine; null: none. */
    readonly lastCopy: { readonly time: string; readonly from: string } | null;
  }[];
  readonly handoffs: readonly HandoffLine[];
  readonly lastPull: {
    readonly time: string;
    readonly install: string;
    readonly snapshot: string;
    readonly ok: boolean;
  } | null;
  /** What happens by itself here; null: nothing does. */
  readonly schedule: ScheduleShown | null;
  /** Pulls that have fetched something and put nothing in its place yet. */
  readonly unfinished: readonly UnfinishedPull[];
  /** What pulls have moved aside and can put back, the last one first. */
  readonly kept: readonly WayBack[];
  readonly attention: readonly Attention[];
};
