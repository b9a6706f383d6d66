/** Object Lock of single versions: which there are, until when they are kept, and keeping them for longer. */
import type { ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3';
import { isObjectName } from './names.ts';
import type { Retentions, StoredVersion } from './object-store.ts';
import { request, type S3Door } from './s3-client.ts';
import { s3CodeOf } from './s3-errors.ts';

/** @param head the repository's prefix with its slash, or '' */
export function retentionsOf(door: S3Door, bucket: string, head: string): Retentions {
  return {
    firstVersions: (signal) => firstVersions(door, bucket, head, signal),
    find: ({ name, version }, signal) =>
      request(door, `read the lock of ${name}`, signal, async () => {
        const where = { Bucket: bucket, Key: head + name, VersionId: version };
        try {
          const command = new door.sdk.GetObjectRetentionCommand(where);
          const { Retention } = await door.client.send(command, { abortSignal: signal });
          const { Mode: mode, RetainUntilDate: until } = Retention ?? {};
          return mode && until ? { mode, untilMs: until.getTime() } : undefined;
        } catch (error) {
          if (s3CodeOf(error) === 'NoSuchObjectLockConfiguration') return undefined;
          throw error;
        }
      }),
    set: ({ name, version }, { mode, untilMs }, signal) =>
      request(door, `lock ${name}`, signal, async () => {
        const command = new door.sdk.PutObjectRetentionCommand({
          Bucket: bucket,
          Key: head + name,
          VersionId: version,
          Retention: { Mode: mode, RetainUntilDate: new Date(untilMs) },
        });
        await door.client.send(command, { abortSignal: signal });
      }),
  };
}

/** Page by page; the versions of one name stand together, the newest first. */
async function* firstVersions(
  door: S3Door,
  bucket: string,
  head: string,
  signal: AbortSignal,
): AsyncGenerator<StoredVersion> {
  let last: StoredVersion | undefined;
  let place: Place | undefined = {};
  while (place) {
    const page: ListObjectVersionsCommandOutput = await versionsPage(
      door,
      bucket,
      head,
      place,
      signal,
    );
    for (const { Key, VersionId: version, Size: size = 0, IsLatest } of page.Versions ?? []) {
      const name = Key?.slice(head.length) ?? '';
      if (version === undefined || !isObjectName(name)) continue;
      const later = last?.name === name ? last : undefined;
      if (last && !later) yield last;
      const replacements: number = later ? later.replacements + 1 : 0;
      const isHidden: boolean = IsLatest !== true && (later?.isHidden ?? true);
      last = { name, version, size, replacements, isHidden };
    }
    place = placeAfter(page);
  }
  if (last) yield last;
}

type Place = { readonly KeyMarker?: string; readonly VersionIdMarker?: string };

const versionsPage = (
  door: S3Door,
  bucket: string,
  head: string,
  place: Place,
  signal: AbortSignal,
): Promise<ListObjectVersionsCommandOutput> =>
  request(door, 'list the versions', signal, () => {
    const command = new door.sdk.ListObjectVersionsCommand({
      Bucket: bucket,
      Prefix: head,
      ...place,
    });
    return door.client.send(command, { abortSignal: signal });
  });

function placeAfter(page: ListObjectVersionsCommandOutput): Place | undefined {
  const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
  if (IsTruncated !== true || NextKeyMarker === undefined) return undefined;
  return {
    KeyMarker: NextKeyMarker,
    ...(NextVersionIdMarker !== undefined && { VersionIdMarker: NextVersionIdMarker }),
  };
}
