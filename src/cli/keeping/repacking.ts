/** `prune --repack`: what lives in packs that are mostly dead moves before the prune, which then announces them. */
import { FerryError } from '../../base/errors.ts';
import type { DryRun } from '../../maintenance/prune/store-look.ts';
import type { RepackChoice } from '../../maintenance/repack/repack-plan.ts';
import { repack, REPACK_LIMITS, type Repacked } from '../../maintenance/repack/repack.ts';
import type { MachineState } from '../../repository/machine.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { flag, textOption } from '../call.ts';
import { confirm } from '../confirm.ts';
import type { LockDays, RepackPlanShown, RepackSummary } from '../output/keeping/repack-summary.ts';
import { bytesText, countText } from '../output/text/words.ts';
import type { Session } from '../session.ts';
import type { Call } from '../verb.ts';

export type Repacking = {
  /** undefined: nobody asked for it. */
  readonly movedBytesMax: number | undefined;
  readonly repository: ReaderRepository;
  readonly location: string;
  readonly graceMs: number;
  readonly dryRun: DryRun | undefined;
  readonly seen: { readonly seen?: MachineState['highWater'] };
  readonly lockDays: LockDays;
};

/** How many bytes may be moved; undefined: nobody asked for it. @throws usage */
export function repackLimit(call: Call): number | undefined {
  const limit = textOption(call, 'maxRepack');
  if (flag(call, 'repack'))
    return limit === undefined ? REPACK_LIMITS.movedBytesMax : bytesOf(limit);
  if (limit === undefined) return undefined;
  throw new FerryError('usage', '--max-repack limits what --repack moves', {
    hint: `Give both: stateferry prune --repack --max-repack ${limit}`,
  });
}

/** Null: nobody asked for it. */
export async function repackFirst(
  { movedBytesMax, repository, location, graceMs, dryRun, seen, lockDays }: Repacking,
  session: Session,
): Promise<RepackSummary | null> {
  if (movedBytesMax === undefined) return null;
  const { emit, random, signal, output } = session;
  const shown = (plan: RepackChoice): RepackPlanShown => ({
    verb: 'repack',
    repository: location,
    ...planShown(plan, lockDays),
  });
  const approve = async (plan: RepackChoice): Promise<void> => {
    output.plan(shown(plan));
    await confirm(session, questionFor(plan));
  };
  const request = { ...REPACK_LIMITS, movedBytesMax, graceMs, dryRun, ...seen };
  const repacked = await repack(request, { repository, random, emit, approve }, signal);
  if (dryRun || repacked.plan.chosen.length === 0) output.plan(shown(repacked.plan));
  return summaryOf(repacked, lockDays);
}

function questionFor({ chosen, readBytes, writtenBytes }: RepackChoice): string {
  const moved = `read ${bytesText(readBytes)} and store ${bytesText(writtenBytes)}`;
  return `Repack ${countText(chosen.length, 'pack')} (${moved})?`;
}

function planShown(plan: RepackChoice, lockDays: LockDays) {
  const { chosen, deadBytes, storedBytes, readBytes, writtenBytes, freedBytes, isLimited } = plan;
  const deadPercent = storedBytes === 0 ? 0 : Math.round((1000 * deadBytes) / storedBytes) / 10;
  const packs = chosen.length;
  return { packs, deadPercent, readBytes, writtenBytes, freedBytes, isLimited, lockDays };
}

const summaryOf = ({ plan, ...done }: Repacked, lockDays: LockDays): RepackSummary => ({
  ...planShown(plan, lockDays),
  ...done,
});

const UNITS: Readonly<Record<string, number>> = {
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** @throws usage */
function bytesOf(typed: string): number {
  const { number, unit } = /^(?<number>\d{1,6})(?<unit>[KMGT])$/i.exec(typed)?.groups ?? {};
  const bytes = Number(number) * (UNITS[unit?.toUpperCase() ?? ''] ?? 0);
  if (bytes > 0) return bytes;
  throw new FerryError('usage', `--max-repack ${typed} is no size`, {
    hint: 'Give a number with K, M, G or T: --max-repack 500M',
  });
}
