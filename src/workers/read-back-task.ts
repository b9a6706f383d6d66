/** Whether restored files are on the disk as their ids say. */
import type { BytePath } from '../base/byte-path.ts';
import { CHUNK_KINDS, chunkId, chunkIdKey } from '../crypto/chunk-id.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { readFileChunks } from '../fs/read-chunks.ts';

export type RestoredFile = {
  /** Absolute. */
  readonly path: BytePath;
  readonly size: number;
  readonly chunkBytes: number;
  /** 32 bytes each. */
  readonly ids: Uint8Array;
};

export type ReadBack = 'same' | 'different' | 'unreadable';

/** @param buffer to read into: whole chunks */
export function readBack(
  files: readonly RestoredFile[],
  key: Uint8Array,
  buffer: Buffer,
): ReadBack[] {
  const idKey = chunkIdKey(key);
  return files.map(({ path, size, chunkBytes, ids }) => {
    let isSame = true;
    const onChunk = (position: number, bytes: Uint8Array): void => {
      const at = (position / chunkBytes) * CHUNK_ID_BYTES;
      const expected = ids.subarray(at, at + CHUNK_ID_BYTES);
      isSame &&= chunkId(idKey, CHUNK_KINDS.data, bytes).equals(expected);
    };
    const there = readFileChunks(path, size, { buffer, chunkBytes, onChunk });
    if (there === undefined) return 'unreadable';
    return isSame && there === size ? 'same' : 'different';
  });
}
