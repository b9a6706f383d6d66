import type { DefaultRetention } from '@aws-sdk/client-s3';
import { FerryError } from '../base/errors.ts';
import { openS3Door, request, type S3ClientOptions, type S3Door } from './s3-client.ts';
import { s3CodeOf } from './s3-errors.ts';

/** A hundred years; servers refuse more. */
export const LOCK_DAYS_MAX = 36_500;

/**
 * Makes the bucket keep every new object from being deleted for so many days (GOVERNANCE: who holds a permission of
 * its own may lift it), by its default retention. It counts for the whole bucket, not for a prefix. A rule that is
 * stricter already is not weakened.
 * @throws store-refused when the bucket was made without Object Lock, or has a stricter rule
 */
export async function lockNewObjects(
  options: S3ClientOptions,
  days: number,
  signal: AbortSignal,
): Promise<void> {
  const door = await openS3Door(options);
  try {
    const bucket = options.bucket;
    const rule = await lockRule(door, bucket, signal);
    if (!rule.isEnabled) throw withoutLock(bucket);
    const { Mode, Days, Years } = rule.retention;
    const knownDays = Days ?? (Years ?? 0) * 365;
    if (Mode === 'GOVERNANCE' && knownDays === days) return;
    if (Mode === 'COMPLIANCE' || knownDays > days) throw stricter(bucket, Mode ?? '', knownDays);
    await request(door, 'set the Object Lock', signal, () => {
      const retention: DefaultRetention = { Mode: 'GOVERNANCE', Days: days };
      const command = new door.sdk.PutObjectLockConfigurationCommand({
        Bucket: bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: retention },
        },
      });
      return door.client.send(command, { abortSignal: signal });
    });
  } finally {
    door.client.destroy();
  }
}

type LockRule = { readonly isEnabled: boolean; readonly retention: DefaultRetention };

/** What the bucket does by itself; asked by the probe too. */
export function lockRule(door: S3Door, bucket: string, signal: AbortSignal): Promise<LockRule> {
  return request(door, 'read the Object Lock', signal, async () => {
    const command = new door.sdk.GetObjectLockConfigurationCommand({ Bucket: bucket });
    try {
      const { ObjectLockConfiguration: found } = await door.client.send(command, {
        abortSignal: signal,
      });
      const isEnabled = found?.ObjectLockEnabled === 'Enabled';
      return { isEnabled, retention: found?.Rule?.DefaultRetention ?? {} };
    } catch (error) {
      if (!s3CodeOf(error).startsWith('ObjectLockConfigurationNotFound')) throw error;
      return { isEnabled: false, retention: {} };
    }
  });
}

function withoutLock(bucket: string): FerryError {
  return new FerryError('store-refused', `the bucket ${bucket} was made without Object Lock`, {
    hint:
      'Make one that has it, and run init there: aws s3api create-bucket --bucket NAME ' +
      '--object-lock-enabled-for-bucket (with --endpoint-url for other servers).',
  });
}

function stricter(bucket: string, mode: string, days: number): FerryError {
  return new FerryError(
    'store-refused',
    `the bucket ${bucket} locks new objects for ${days} days already (${mode})`,
    { hint: 'It stays as it is: run init without --lock, or with at least as many days.' },
  );
}
