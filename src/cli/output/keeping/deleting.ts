/** What is said of objects that were deleted, or were not. */
import type { OldVersions } from '../../../store/object-store.ts';
import type { Paint } from '../text/paint.ts';
import { printableLine } from '../text/printable.ts';
import { countText } from '../text/words.ts';

const REFUSED_LISTED_MAX = 5;

export function refusedLines(
  refused: readonly { readonly object: string; readonly message: string }[],
  paint: Paint,
): string[] {
  const more = refused.length - REFUSED_LISTED_MAX;
  return [
    ...refused
      .slice(0, REFUSED_LISTED_MAX)
      .map(({ object, message }) => `${paint.bad('refused')} ${object}: ${printableLine(message)}`),
    ...(more > 0 ? [`and ${more} more that the store refused to delete`] : []),
  ];
}

/** What is deleted is not always gone. */
export function versionsLines(old: OldVersions | null): string[] {
  if (old === null || old.kept === 'off') return [];
  if (old.kept === 'unknown') {
    return ['whether the bucket keeps old versions of what is deleted could not be found out'];
  }
  const { lockDays, goneAfterDays } = old;
  const locked =
    lockDays === null || lockDays === 'unknown'
      ? []
      : [`Object Lock keeps each for ${countText(lockDays, 'day')} from when it was stored`];
  const gone =
    goneAfterDays === 'unknown'
      ? ['whether the bucket removes old versions by itself could not be found out']
      : goneAfterDays === null
        ? ['nothing removes old versions by itself: give the bucket a lifecycle rule for them']
        : [
            `the bucket removes an old version ${countText(goneAfterDays, 'day')} later, not before`,
          ];
  const hides =
    old.kept === 'on'
      ? 'the bucket keeps old versions: what is deleted is hidden, and its space is freed later'
      : 'the bucket may keep old versions from before its versioning was suspended';
  return [hides, ...gone, ...locked];
}
