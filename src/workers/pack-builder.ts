/**
 * Fills packs: chunks into segments, segments into frames, frames sealed into a buffer of the pool. Runs on a
 * worker thread. What shares a compression context is decided here and nowhere else (see FORMAT.md, "Segments").
 */
import { compress } from '../codec/zstd.ts';
import { assert } from '../base/errors.ts';
import { sealFrameInto, type ObjectKey } from '../crypto/frames.ts';
import { TAG_BYTES } from '../crypto/sizes.ts';
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import {
  CODECS,
  DIRECTORY_SIZES,
  PACK_LIMITS,
  type Codec,
  type DirectoryChunk,
  type DirectoryFrame,
  type DirectorySegment,
} from '../format/pack.ts';
import { closePack, closingBytes } from './close-pack.ts';
import type { ChunkTable } from './chunk-table.ts';
import { PIPELINE } from './limits.ts';
import type { PackPool } from './pack-pool.ts';

/** A pack that is ready to be stored; its bytes are the first `length` of the pool's buffer. */
export type BuiltPack = {
  readonly buffer: number;
  readonly ordinal: number;
  readonly length: number;
  readonly crc32: number;
  readonly directory: Uint8Array;
};

type PendingChunk = DirectoryChunk & { readonly slot: number };
type OpenPack = {
  readonly buffer: number;
  readonly objectKey: ObjectKey;
  readonly ordinal: number;
  used: number;
  directoryBytes: number;
  chunks: number;
  readonly frames: DirectoryFrame[];
};
type OpenSegment = { readonly segment: DirectorySegment; readonly slots: readonly number[] };

/** The pool was stopped: the run is over, and what was claimed will not be stored. */
export class PoolStopped extends Error {}

export class PackBuilder {
  readonly #pool: PackPool;
  readonly #table: ChunkTable;
  readonly #onPack: (pack: BuiltPack) => void;
  readonly #frame = Buffer.allocUnsafe(2 * PIPELINE.frameTargetBytes + 64 * 1024);
  #frameUsed = 0;
  #segments: OpenSegment[] = [];
  readonly #group = Buffer.allocUnsafe(PIPELINE.groupBytesMax);
  #groupUsed = 0;
  #groupChunks: PendingChunk[] = [];
  #groupName: string | undefined;
  #pack: OpenPack | undefined;

  constructor(pool: PackPool, table: ChunkTable, onPack: (pack: BuiltPack) => void) {
    this.#pool = pool;
    this.#table = table;
    this.#onPack = onPack;
  }

  /** A small chunk; shares its compression context with the others of the same `group`. */
  addGrouped(group: string, id: Uint8Array, slot: number, bytes: Uint8Array): void {
    const full =
      this.#groupUsed + bytes.length > PIPELINE.groupBytesMax ||
      this.#groupChunks.length >= PIPELINE.groupChunksMax;
    if (group !== this.#groupName || full) this.#flushGroup();
    this.#groupName = group;
    this.#group.set(bytes, this.#groupUsed);
    this.#groupUsed += bytes.length;
    this.#groupChunks.push({ id, length: bytes.length, slot });
  }

  /** A chunk in a context of its own. Answers whether compression helped. */
  addSingle(id: Uint8Array, slot: number, bytes: Uint8Array, mayCompress: boolean): boolean {
    const chunk = [{ id, length: bytes.length, slot }];
    return this.#addSegment(bytes, chunk, mayCompress);
  }

  /** A chunk of a secret file: never compressed, in a frame of its own. */
  addSecret(id: Uint8Array, slot: number, bytes: Uint8Array): void {
    this.#flushGroup();
    this.#sealFrame();
    this.#addSegment(bytes, [{ id, length: bytes.length, slot }], false);
    this.#sealFrame();
  }

  /** Closes everything, a part-filled pack too. */
  finish(): void {
    this.#flushGroup();
    this.#sealFrame();
    this.#finishPack();
  }

  #flushGroup(): void {
    if (this.#groupChunks.length > 0) {
      const bytes = this.#group.subarray(0, this.#groupUsed);
      this.#addSegment(bytes, this.#groupChunks, true);
    }
    this.#groupChunks = [];
    this.#groupUsed = 0;
    this.#groupName = undefined;
  }

  #addSegment(raw: Uint8Array, chunks: readonly PendingChunk[], mayCompress: boolean): boolean {
    const packed = mayCompress && raw.length > 64 ? compress(raw) : raw;
    // Less than a sixteenth saved is not worth decompressing on the other side.
    const helped = packed.length < raw.length - (raw.length >>> 4);
    this.#appendSegment(
      helped ? CODECS.zstd : CODECS.stored,
      helped ? packed : raw,
      raw.length,
      chunks,
    );
    return helped;
  }

  #appendSegment(
    codec: Codec,
    stored: Uint8Array,
    rawLength: number,
    chunks: readonly PendingChunk[],
  ): void {
    if (this.#frameUsed + stored.length > this.#frame.length) this.#sealFrame();
    assert(stored.length <= this.#frame.length, 'a segment fits a frame');
    this.#frame.set(stored, this.#frameUsed);
    this.#frameUsed += stored.length;
    this.#segments.push({
      segment: { codec, storedLength: stored.length, rawLength, chunks },
      slots: chunks.map((chunk) => chunk.slot),
    });
    if (this.#frameUsed >= PIPELINE.frameTargetBytes) this.#sealFrame();
  }

  /** A frame that the pack has no room for is cut where a segment ends, so that little of a pack is padding. */
  #sealFrame(): void {
    while (this.#segments.length > 0) {
      const pack = (this.#pack ??= this.#openPack());
      const count = segmentsThatFit(pack, this.#segments, this.#pool.packBytes);
      if (count > 0) this.#sealSegments(pack, count);
      assert(count > 0 || pack.frames.length > 0, 'a segment fits an empty pack');
      if (this.#segments.length > 0) this.#finishPack();
    }
  }

  /** The first `count` segments that wait, as one frame. */
  #sealSegments(pack: OpenPack, count: number): void {
    const sealed = this.#segments.splice(0, count);
    const bytes = sealed.reduce((sum, { segment }) => sum + segment.storedLength, 0);
    const plaintext = this.#frame.subarray(0, bytes);
    const out = this.#pool.bytes(pack.buffer);
    sealFrameInto(pack.objectKey, pack.frames.length, false, plaintext, out, pack.used);
    const storedLength = bytes + TAG_BYTES;
    pack.used += storedLength;
    pack.directoryBytes += directoryBytesOf(sealed);
    pack.chunks += chunksOf(sealed);
    pack.frames.push({ storedLength, segments: sealed.map((open) => open.segment) });
    for (const open of sealed) {
      for (const slot of open.slots) this.#table.setPack(slot, pack.ordinal);
    }
    this.#frame.copyWithin(0, bytes, this.#frameUsed);
    this.#frameUsed -= bytes;
  }

  #openPack(): OpenPack {
    const buffer = this.#pool.takeSync();
    if (buffer < 0) throw new PoolStopped();
    return {
      buffer,
      ...this.#pool.seedOf(buffer),
      used: SEALED_HEADER_BYTES,
      directoryBytes: DIRECTORY_SIZES.base,
      chunks: 0,
      frames: [],
    };
  }

  #finishPack(): void {
    const pack = this.#pack;
    if (!pack) return;
    this.#pack = undefined;
    const out = this.#pool.bytes(pack.buffer);
    const closed = closePack(pack, out, this.#pool.packBytes);
    this.#onPack({ buffer: pack.buffer, ordinal: pack.ordinal, ...closed });
  }
}

const chunksOf = (segments: readonly OpenSegment[]): number =>
  segments.reduce((sum, { slots }) => sum + slots.length, 0);

const directoryBytesOf = (segments: readonly OpenSegment[]): number =>
  DIRECTORY_SIZES.frame +
  segments.length * DIRECTORY_SIZES.segment +
  chunksOf(segments) * DIRECTORY_SIZES.chunk;

/** How many of the segments, from the first on, one more frame of the pack can hold. */
function segmentsThatFit(
  pack: OpenPack,
  segments: readonly OpenSegment[],
  packBytes: number,
): number {
  if (pack.frames.length >= PACK_LIMITS.framesMax) return 0;
  let chunks = pack.chunks;
  let directoryBytes = pack.directoryBytes + DIRECTORY_SIZES.frame;
  let used = pack.used + TAG_BYTES;
  for (const [count, { segment, slots }] of segments.entries()) {
    chunks += slots.length;
    directoryBytes += DIRECTORY_SIZES.segment + slots.length * DIRECTORY_SIZES.chunk;
    used += segment.storedLength;
    const size = used + closingBytes(directoryBytes);
    if (size > packBytes || chunks > PIPELINE.chunksPerPackMax) return count;
  }
  return segments.length;
}
