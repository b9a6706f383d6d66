/** Chunks that the main thread has itself (tree and list pages, copies): named, claimed, handed on in batches. */
import { chunkId, chunkIdKey, type ChunkKind } from '../crypto/chunk-id.ts';
import type { ChunkTable } from '../workers/chunk-table.ts';
import type { Blob, BlobCompany } from '../workers/messages.ts';

export type ChunkSink = {
  /** The chunk's id; stores it if nobody has yet. */
  put(kind: ChunkKind, bytes: Uint8Array, company?: BlobCompany): Buffer;
  /** Marks a data chunk that was stored by an earlier push; false when it is not known (any more). */
  reuse(id: Buffer): boolean;
  /** What was put since the last call. */
  takeBlobs(): Blob[];
  readonly blobBytes: number;
};

export function chunkSink(table: ChunkTable, idSubkey: Uint8Array): ChunkSink {
  const key = chunkIdKey(idSubkey);
  let blobs: Blob[] = [];
  let blobBytes = 0;
  return {
    put(kind, bytes, company) {
      const id = chunkId(key, kind, bytes);
      const slot = table.claim(id);
      if (slot < 0) {
        blobs.push({ id, slot: ~slot, bytes, company });
        blobBytes += bytes.length;
      }
      return id;
    },
    reuse(id) {
      const slot = table.find(id);
      if (slot >= 0) table.markUsed(slot);
      return slot >= 0;
    },
    takeBlobs() {
      const taken = blobs;
      blobs = [];
      blobBytes = 0;
      return taken;
    },
    get blobBytes() {
      return blobBytes;
    },
  };
}
