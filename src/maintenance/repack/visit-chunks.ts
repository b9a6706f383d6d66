/** Every chunk that a snapshot consists of: pages of its trees, lists of ids, and what is in its files. */
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';

export type ChunkVisit = {
  /** Hears ids, 32 bytes each; some more than once. */
  use(ids: Buffer): void;
  /** Pages that were visited before, with all below them. */
  isKnown(page: string): boolean;
  /** Those that were visited now. */
  readonly seen: Set<string>;
};

/** @throws object-missing, object-damaged, target-unsafe (a hostile path) */
export async function visitChunks(
  snapshot: SnapshotReader,
  { use, isKnown, seen }: ChunkVisit,
): Promise<void> {
  const visit = {
    isKnown: (page: string): boolean => {
      use(Buffer.from(page, 'hex'));
      return isKnown(page);
    },
    seen: (page: string): void => void seen.add(page),
  };
  for (const root of snapshot.body.roots) {
    for await (const entry of snapshot.entries(root, undefined, visit)) {
      if (entry.type === 'file') use(await snapshot.chunkIds(entry, use));
    }
  }
}
