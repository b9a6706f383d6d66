/** What a pull did, as the fields that stay. */
import type { PulledInto } from '../pull/into.ts';
import type { Pulled } from '../pull/pull.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { wayBack } from './way-back.ts';
import type { Cost } from './output/summary-parts.ts';
import type { Report } from './verb.ts';

export function pulledSummary(pulled: Pulled, join: string | null, cost: Cost): Report {
  const { plan, restored, relocated, landed, kept, undone, downtimeMs } = pulled;
  const isRehearsal = restored === undefined;
  return {
    exit: landed === undefined || landed.ok ? 0 : 20,
    summary: {
      verb: 'pull',
      snapshot: plan.snapshot,
      install: plan.install,
      source: plan.source,
      files: restored?.files ?? plan.files,
      bytes: restored?.bytes ?? plan.bytes,
      bytesFetched: restored?.bytesFetched ?? 0,
      placed: plan.placed,
      relocated,
      doctor: landed?.doctor ?? { ran: false, exit: null, findings: [] },
      checklist: (landed?.checklist ?? []).map(({ check, ok, expected, found }) => ({
        check,
        ok,
        expected,
        found,
      })),
      undo: kept && !undone ? wayBack(kept) : null,
      ...(undone && { undone: { pulled: undone.pulled, putBack: undone.putBack } }),
      downtimeMs,
      join,
      problems: restored?.problems ?? [],
      ...(isRehearsal && { dryRun: true as const }),
      ...cost,
    },
  };
}

export function pulledIntoSummary(
  { body, cover }: SnapshotReader,
  pulled: PulledInto,
  dryRun: boolean,
  cost: Cost,
): Report {
  return {
    exit: pulled.problems.length > 0 ? 3 : 0,
    summary: {
      verb: 'pull',
      snapshot: cover.id,
      install: body.install.install,
      files: pulled.files,
      bytes: pulled.bytes,
      bytesFetched: pulled.bytesFetched,
      placed: pulled.placed,
      relocated: [],
      doctor: { ran: false, exit: null, findings: [] },
      checklist: [],
      undo: null,
      downtimeMs: 0,
      problems: pulled.problems,
      ...(dryRun && { dryRun: true as const }),
      ...cost,
    },
  };
}
