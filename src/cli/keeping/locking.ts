/** `init --lock DAYS`: objects that nobody deletes by mistake, by the bucket's own means, and who keeps that up. */
import { DAY_MS } from '../../base/durations.ts';
import { FerryError } from '../../base/errors.ts';
import { extendLocks } from '../../maintenance/extend-locks.ts';
import { timeText } from '../../repository/objects.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import type { RepositorySettings } from '../../settings/schema.ts';
import { LOCK_DAYS_MAX, lockNewObjects } from '../../store/object-lock.ts';
import { printLocation, type Location, type S3Location } from '../../store/location.ts';
import type { Attention } from '../output/status/summary.ts';
import type { LocksSummary } from '../output/keeping/prune-summary.ts';
import { meantLocation, type Session } from '../session.ts';

export type Lock = { readonly bucket: S3Location; readonly days: number };

/** @throws usage */
export function lockWish(location: Location, typed: string | undefined): Lock | undefined {
  if (typed === undefined) return undefined;
  const days = /^\d{1,5}$/.test(typed) ? Number(typed) : 0;
  if (days < 1 || days > LOCK_DAYS_MAX) {
    throw new FerryError('usage', `--lock ${typed}: that is no number of days`, {
      hint: `Give a whole number from 1 to ${LOCK_DAYS_MAX}, as --lock 30`,
    });
  }
  if (location.kind === 's3') return { bucket: location, days };
  throw new FerryError('usage', '--lock is for buckets: a folder cannot lock its files', {
    hint: 'Leave it out, or name a bucket that was made with Object Lock.',
  });
}

export async function lockBucket(session: Session, { bucket, days }: Lock): Promise<void> {
  const { kind: _, ...options } = bucket;
  await lockNewObjects(options, days, session.signal);
}

export function rememberLock(session: Session, { bucket, days }: Lock): void {
  session.settings.updateRepository(printLocation(bucket), (one) => ({ ...one, lockDays: days }));
}

/** @param lockDays as the bucket locks new objects; null where it does not, or nobody may know */
export async function keepLocked(
  session: Session,
  repository: ReaderRepository,
  lockDays: number | 'unknown' | null,
  isDryRun: boolean,
): Promise<LocksSummary | null> {
  if (typeof lockDays !== 'number') return null;
  const { emit, signal } = session;
  const request = { days: lockDays, ownMs: session.clock.nowMs(), isDryRun };
  const { due, untilMs, soonestMs, refused, replaced } = await extendLocks(
    request,
    { repository, emit },
    signal,
  );
  const soonest = soonestMs === undefined ? null : timeText(soonestMs);
  const known = printLocation(meantLocation(session));
  if (soonest !== null && session.settings.repository(known)) {
    const locked = { days: lockDays, soonest };
    session.settings.updateRepository(known, (one) => ({ ...one, locked }));
  }
  return { due, until: timeText(untilMs), soonest, refused, replaced };
}

/** Locks that run out, on a machine that keeps them up. */
export function lockAttention(
  { location, locked }: RepositorySettings,
  nowMs: number,
): Attention[] {
  if (!locked) return [];
  const leftMs = Date.parse(locked.soonest) - nowMs;
  if (leftMs > locked.days * DAY_MS * LATE_PART) return [];
  const when = leftMs > 0 ? 'runs out on' : 'ran out on';
  return [
    {
      code: 'lock-late',
      message: `${location}: the Object Lock of what its snapshots need ${when} ${locked.soonest.slice(0, 10)}`,
      hint: `Keep it up with the maintainer's credentials: stateferry prune -r '${location}'`,
    },
  ];
}

/** A prune extends what has less than half of its days left; with a quarter left it is late. */
const LATE_PART = 1 / 4;
