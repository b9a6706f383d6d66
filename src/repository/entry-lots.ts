/** The entries of a tree in lots, each with the chunks of its content: what is read ahead goes by them. */
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import type { Entry } from '../format/entry.ts';
import type { WantedChunk } from './pack-parts.ts';
import type { SnapshotReader } from './snapshot-reader.ts';

/** An entry, or of a large file one part after the other. */
export type EntryPart = {
  readonly entry: Entry;
  /** The number of the first of the chunks. */
  readonly first: number;
  readonly chunks: readonly WantedChunk[];
  /** Nothing of the entry follows. */
  readonly isLast: boolean;
};

export const LOT_BYTES = 4 * 1024 * 1024;
const LOT_ENTRIES = 1024;

/**
 * The content of a lot is at most `LOT_BYTES`.
 * @throws object-missing, object-damaged: a list of chunks, or what `entries` throws
 */
export async function* inLots(
  snapshot: SnapshotReader,
  entries: AsyncIterable<Entry>,
): AsyncGenerator<readonly EntryPart[], void> {
  let lot: EntryPart[] = [];
  let bytes = 0;
  for await (const entry of entries) {
    for await (const part of partsOf(snapshot, entry)) {
      const more = part.chunks.reduce((sum, { length }) => sum + length, 0);
      if (bytes + more > LOT_BYTES || lot.length === LOT_ENTRIES) {
        yield lot;
        [lot, bytes] = [[], 0];
      }
      lot.push(part);
      bytes += more;
    }
  }
  if (lot.length > 0) yield lot;
}

async function* partsOf(snapshot: SnapshotReader, entry: Entry): AsyncGenerator<EntryPart, void> {
  if (entry.type !== 'file' || entry.size === 0) {
    yield { entry, first: 0, chunks: [], isLast: true };
    return;
  }
  const ids = await snapshot.chunkIds(entry);
  const count = ids.length / CHUNK_ID_BYTES;
  const perPart = Math.max(1, Math.floor(LOT_BYTES / entry.chunkBytes));
  for (let first = 0; first < count; first += perPart) {
    const end = Math.min(count, first + perPart);
    const chunks = Array.from({ length: end - first }, (_, at) => ({
      id: ids.subarray((first + at) * CHUNK_ID_BYTES, (first + at + 1) * CHUNK_ID_BYTES),
      length: Math.min(entry.chunkBytes, entry.size - (first + at) * entry.chunkBytes),
    }));
    yield { entry, first, chunks, isLast: end === count };
  }
}
