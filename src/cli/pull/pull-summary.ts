/** What a pull did, as the fields that stay. */
import { assert } from '../../base/errors.ts';
import { SECRET_KINDS } from '../../gateway/contents/secrets-inventory.ts';
import type { PulledInto } from '../../pull/into.ts';
import type { Pulled } from '../../pull/pull.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { adviceFor, secretFor } from '../output/pull/after-pull.ts';
import { wayBack } from './way-back.ts';
import type { Cost } from '../output/summary-parts.ts';
import type { PulledInstall, PullSummary } from '../output/pull/summary.ts';
import type { Report } from '../verb.ts';

/** Of several installs the sums, and each of them by itself. */
export function pulledSummary(all: readonly Pulled[], join: string | null, cost: Cost): Report {
  const [first] = all;
  assert(first, 'something was pulled');
  const { plan, kept, undone, isNew, downtimeMs } = first;
  const installs = all.map(ofInstall);
  const sum = (of: (one: PulledInstall) => number): number =>
    installs.reduce((total, one) => total + of(one), 0);
  const isRehearsal = all.every(({ restored }) => restored === undefined);
  const doctors = installs.map(({ doctor }) => doctor);
  return {
    exit: all.every(({ landed }) => landed === undefined || landed.ok) ? 0 : 20,
    summary: {
      verb: 'pull',
      snapshot: plan.snapshot,
      install: plan.install,
      source: plan.source,
      files: sum(({ files }) => files),
      bytes: sum(({ bytes }) => bytes),
      bytesFetched: sum(({ bytesFetched }) => bytesFetched),
      placed: installs.flatMap(({ placed }) => placed),
      relocated: installs.flatMap(({ relocated }) => relocated),
      doctor: {
        ran: doctors.some(({ ran }) => ran),
        exit: doctors.find(({ exit }) => exit !== 0)?.exit ?? doctors[0]?.exit ?? null,
        findings: doctors.flatMap(({ findings }) => findings),
      },
      checklist: checklistOf(all),
      warnings: installs.flatMap(({ warnings = [] }) => warnings),
      secrets: secretsOf(all),
      undo: kept && !undone ? wayBack(kept) : null,
      ...(undone && { undone: { pulled: undone.pulled, putBack: undone.putBack } }),
      ...(!isNew && !isRehearsal && { alreadyInPlace: true as const }),
      downtimeMs,
      join,
      problems: all.flatMap(({ restored }) => restored?.problems ?? []),
      ...(all.length > 1 && { installs }),
      ...(isRehearsal && { dryRun: true as const }),
      ...cost,
    },
  };
}

function ofInstall(pulled: Pulled): PulledInstall {
  const { plan, restored, relocated, landed } = pulled;
  return {
    snapshot: plan.snapshot,
    install: plan.install,
    source: plan.source,
    files: restored?.files ?? plan.files,
    bytes: restored?.bytes ?? plan.bytes,
    bytesFetched: restored?.bytesFetched ?? 0,
    placed: plan.placed,
    relocated,
    doctor: landed?.doctor ?? { ran: false, exit: null, findings: [] },
    checklist: checklistOf([pulled]),
    warnings: (landed?.needs ?? []).map(adviceFor),
    secrets: (landed?.secrets ?? []).map(secretFor),
  };
}

/** Of several installs the sums. */
function secretsOf(all: readonly Pulled[]): NonNullable<PullSummary['secrets']> {
  const counts = all.flatMap(({ landed }) => landed?.secrets ?? []);
  return SECRET_KINDS.flatMap((kind) => {
    const same = counts.filter((one) => one.kind === kind);
    const count = same.reduce((sum, one) => sum + one.count, 0);
    return count === 0 ? [] : [secretFor({ kind, count })];
  });
}

/** Lines of several installs say whose they are. */
export function checklistOf(all: readonly Pulled[]): PullSummary['checklist'][number][] {
  return all.flatMap(({ plan, landed }) =>
    (landed?.checklist ?? []).map(({ check, ok, expected, found }) => {
      const name = all.length > 1 ? `${plan.install}: ${check}` : check;
      return { check: name, ok, expected, found };
    }),
  );
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
