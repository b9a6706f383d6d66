import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** What a chunk holds; part of what its id covers, so that one kind never passes for another. */
export const CHUNK_KINDS = { data: 1, page: 2, list: 3 } as const;
export type ChunkKind = (typeof CHUNK_KINDS)[keyof typeof CHUNK_KINDS];

const KIND_BYTES = [0, 1, 2, 3].map((kind) => Uint8Array.of(kind));

/** A chunk-id subkey, prepared once: making a key object for every chunk costs as much as hashing a small one. */
export type ChunkIdKey = KeyObject;

export const chunkIdKey = (subkey: Uint8Array): ChunkIdKey => createSecretKey(subkey);

/** HMAC-SHA-256 (RFC 2104) over one byte of kind and the content; 32 bytes. */
export function chunkId(key: ChunkIdKey, kind: ChunkKind, content: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update(KIND_BYTES[kind] ?? Uint8Array.of(kind))
    .update(content)
    .digest();
}
