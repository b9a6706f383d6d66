/** The id of a simulated chunk is its content. */
import type { ChunkIdKey, ChunkKind } from '../../../src/crypto/chunk-id.ts';

export * from '../../../src/crypto/chunk-id.ts';

export const chunkId = (_key: ChunkIdKey, _kind: ChunkKind, content: Uint8Array): Buffer =>
  Buffer.from(content);
