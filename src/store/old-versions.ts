import { FerryError } from '../base/errors.ts';
import { lockRule } from './object-lock.ts';
import type { OldVersions } from './object-store.ts';
import { request, type S3Door } from './s3-client.ts';
import { s3CodeOf } from './s3-errors.ts';

/** What becomes of an object below `head` that is deleted. Whoever may not ask is answered `unknown`. */
export async function oldVersions(
  door: S3Door,
  bucket: string,
  head: string,
  signal: AbortSignal,
): Promise<OldVersions> {
  const kept = await unlessRefused(() => versioning(door, bucket, signal), 'unknown');
  if (kept === 'off') return { kept, lockDays: null, goneAfterDays: null };
  const lockDays = await unlessRefused(() => lockedDays(door, bucket, signal), 'unknown');
  const goneAfterDays = await unlessRefused(() => expiry(door, bucket, head, signal), 'unknown');
  return { kept, lockDays, goneAfterDays };
}

/** Half of the servers know nothing of lifecycles, and many credentials may not read them: nothing fails for that. */
async function unlessRefused<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof FerryError && error.code !== 'interrupted') return otherwise;
    throw error;
  }
}

async function versioning(
  door: S3Door,
  bucket: string,
  signal: AbortSignal,
): Promise<OldVersions['kept']> {
  return request(door, 'read the versioning', signal, async () => {
    const command = new door.sdk.GetBucketVersioningCommand({ Bucket: bucket });
    const { Status } = await door.client.send(command, { abortSignal: signal });
    // Suspended: what is deleted goes, unless it was stored while versions were kept.
    return Status === 'Enabled' ? 'on' : Status === 'Suspended' ? 'suspended' : 'off';
  });
}

async function lockedDays(
  door: S3Door,
  bucket: string,
  signal: AbortSignal,
): Promise<OldVersions['lockDays']> {
  const { isEnabled, retention } = await lockRule(door, bucket, signal);
  const days = retention.Days ?? (retention.Years ?? 0) * 365;
  return isEnabled && days > 0 ? days : null;
}

/** The soonest rule that covers everything below `head`; one with more conditions may not hold for all of it. */
async function expiry(
  door: S3Door,
  bucket: string,
  head: string,
  signal: AbortSignal,
): Promise<OldVersions['goneAfterDays']> {
  return request(door, 'read the lifecycle', signal, async () => {
    const command = new door.sdk.GetBucketLifecycleConfigurationCommand({ Bucket: bucket });
    try {
      const { Rules = [] } = await door.client.send(command, { abortSignal: signal });
      const days = Rules.flatMap(({ Status, Filter, NoncurrentVersionExpiration: expires }) => {
        const isSimple = Filter?.And === undefined && Filter?.Tag === undefined;
        const covers = isSimple && head.startsWith(Filter?.Prefix ?? '');
        const keepsSome = expires?.NewerNoncurrentVersions !== undefined;
        return Status === 'Enabled' && covers && !keepsSome ? [expires?.NoncurrentDays ?? []] : [];
      }).flat();
      return days.length === 0 ? null : Math.min(...days);
    } catch (error) {
      if (s3CodeOf(error) === 'NoSuchLifecycleConfiguration') return null;
      throw error;
    }
  });
}
