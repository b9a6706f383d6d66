/**
 * What a snapshot needs whose pack list is damaged or gone, for who must be sure: every pack of its machine and those
 * that it adopted, once each chunk of the whole tree was found in one of them. That is more than it needs, and lasts
 * until the snapshot is forgotten.
 */
import { FerryError, throwIfAborted } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import type { ListedPack } from '../format/pack-list.ts';
import type { ReaderRepository } from './open.ts';
import { openSnapshot, type SnapshotReader } from './snapshot-reader.ts';
import type { OpenedCover } from './snapshots.ts';

/** @throws object-missing, object-damaged when the tree is not whole: then nobody can tell what it needs */
export async function unlistedPacks(
  repository: ReaderRepository,
  cover: OpenedCover,
  emit: Emit,
  signal: AbortSignal,
): Promise<readonly ListedPack[]> {
  const snapshot = await openSnapshot(repository, cover, () => undefined, signal);
  // What indexes say is not enough here: whoever took that machine can have written lies into them.
  await snapshot.rebuild();
  for (const root of snapshot.body.roots) {
    for await (const entry of snapshot.entries(root)) {
      throwIfAborted(signal);
      if (entry.type === 'file') refuseLost(snapshot, await snapshot.chunkIds(entry));
    }
  }
  emit({
    type: 'notice',
    code: 'pack-list-unusable',
    message:
      `snapshot ${cover.id.slice(0, 8)} has no usable pack list; ` +
      `every pack of ${cover.machine} stays until it is forgotten`,
  });
  return snapshot.packs;
}

function refuseLost({ cover, chunks }: SnapshotReader, ids: Buffer): void {
  const { table } = chunks;
  for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) {
    if (table.find(ids.subarray(at, at + CHUNK_ID_BYTES)) >= 0) continue;
    throw new FerryError(
      'object-missing',
      `${cover.name} has no usable pack list, and is not whole`,
      {
        details: { object: cover.name },
      },
    );
  }
}
