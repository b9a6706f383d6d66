/** What a repack is about to move, and what it moved. */
import type { RepackPlanShown, RepackSummary } from './repack-summary.ts';
import { bytesText, countText } from '../text/words.ts';

export function repackPlanLines(plan: RepackPlanShown): string[] {
  const { packs, deadPercent, readBytes, writtenBytes, freedBytes, isLimited, lockDays } = plan;
  const share = `${deadPercent.toFixed(1)} % of what is stored for snapshots`;
  const dead = `${share} lies dead beside what they need`;
  if (packs === 0) return [dead];
  return [
    dead,
    `  repack ${countText(packs, 'pack')}: read ${bytesText(readBytes)}, store about ` +
      `${bytesText(writtenBytes)}, free ${bytesText(freedBytes)} a grace period later`,
    ...(isLimited ? ['  more would be worth it: the next run goes on, or give --max-repack'] : []),
    ...(lockDays === null ? [] : [`  the bucket keeps the old packs until their lock ends`]),
  ];
}

export function repackLines(repack: RepackSummary | null): string[] {
  if (!repack || repack.emptied === 0) return [];
  const { emptied, made, bytesRead, bytesStored } = repack;
  const moved = `read ${bytesText(bytesRead)}, stored ${bytesText(bytesStored)}`;
  return [`repacked ${countText(emptied, 'pack')} into ${made}: ${moved}`];
}
