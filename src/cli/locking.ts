/** `init --lock DAYS`: objects that nobody deletes by mistake, by the bucket's own means. */
import { FerryError } from '../base/errors.ts';
import { LOCK_DAYS_MAX, lockNewObjects } from '../store/object-lock.ts';
import { printLocation, type Location, type S3Location } from '../store/location.ts';
import type { Session } from './session.ts';

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
