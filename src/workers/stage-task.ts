/** What an interrupted pull left: each chunk that is already right need not be fetched again. */
import { CHUNK_KINDS, chunkId, type ChunkIdKey } from '../crypto/chunk-id.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import type { Placer } from '../fs/place.ts';
import { PIPELINE } from './limits.ts';
import type { StageFile } from './messages.ts';

/** The numbers of the chunks whose content already matches its id. */
export function verifyStageFile(
  file: StageFile,
  placer: Placer,
  chunkIdKey: ChunkIdKey,
): Uint32Array {
  const good: number[] = [];
  const buffer = Buffer.allocUnsafe(PIPELINE.readBytes);
  placer.readExisting(file.path, file.size, {
    buffer,
    chunkBytes: file.chunkBytes,
    onChunk: (position, bytes) => {
      const chunk = position / file.chunkBytes;
      const expected = file.ids.subarray(chunk * CHUNK_ID_BYTES, (chunk + 1) * CHUNK_ID_BYTES);
      if (chunkId(chunkIdKey, CHUNK_KINDS.data, bytes).equals(expected)) good.push(chunk);
    },
  });
  return Uint32Array.from(good);
}
