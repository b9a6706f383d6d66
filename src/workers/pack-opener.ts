/** Chunks out of stored packs, or parts of them, that lie in memory: unsealed, decompressed, held against their ids. */
import { assert, FerryError } from '../base/errors.ts';
import { decompressInto } from '../codec/zstd.ts';
import { chunkId, type ChunkIdKey, type ChunkKind } from '../crypto/chunk-id.ts';
import { openFrameInto, type ObjectKey } from '../crypto/frames.ts';
import type { ChunkPlace } from '../format/chunk-place.ts';
import { CODECS, PACK_LIMITS } from '../format/pack.ts';

export type StoredBytes = {
  readonly bytes: Buffer;
  /** Where in its pack the first of them lies. */
  readonly from: number;
  readonly objectKey: ObjectKey;
};

/** The pages of a database are segments of 16 KiB each; so many bytes of them are decompressed side by side. */
const SIDE_BY_SIDE_BYTES = 256 * 1024;

export class PackOpener {
  readonly #chunkIdKey: ChunkIdKey;
  readonly #onReuse: () => void;
  #stored: StoredBytes | undefined;
  /** The frame that `#plain` holds and the segment of it that was decompressed last; -1: none. */
  #frame = -1;
  #segmentAt = -1;
  readonly #plain = Buffer.allocUnsafe(PACK_LIMITS.frameBytesMax);
  readonly #raw = Buffer.allocUnsafe(PACK_LIMITS.segmentBytesMax);
  #segment = this.#raw;
  #rawUsed = 0;

  /** @param onReuse called before chunks that were answered are written over */
  constructor(chunkIdKey: ChunkIdKey, onReuse: () => void = () => undefined) {
    this.#chunkIdKey = chunkIdKey;
    this.#onReuse = onReuse;
  }

  begin(stored: StoredBytes): void {
    this.#stored = stored;
    this.#frame = -1;
  }

  /**
   * The verified content of a chunk, which holds until the next one is asked for, or longer (see `onReuse`).
   * @throws object-damaged
   */
  chunk(place: ChunkPlace, id: Uint8Array, kinds: readonly ChunkKind[]): Buffer {
    const chunk = this.#rawSegment(place).subarray(place.offset, place.offset + place.length);
    if (!kinds.some((kind) => chunkId(this.#chunkIdKey, kind, chunk).equals(id))) {
      throw damagedChunk('its content does not match its id');
    }
    return chunk;
  }

  #rawSegment(place: ChunkPlace): Buffer {
    this.#openFrame(place);
    const { segmentOffset, segmentStored, segmentRaw } = place;
    const stored = this.#plain.subarray(segmentOffset, segmentOffset + segmentStored);
    if (place.codec === CODECS.stored) return stored;
    if (this.#segmentAt !== segmentOffset) {
      this.#segmentAt = -1;
      if (this.#rawUsed + segmentRaw > SIDE_BY_SIDE_BYTES) this.#reuse();
      this.#segment = this.#raw.subarray(this.#rawUsed, this.#rawUsed + segmentRaw);
      decompressInto(stored, this.#segment);
      this.#rawUsed += segmentRaw;
      this.#segmentAt = segmentOffset;
    }
    return this.#segment;
  }

  #openFrame({ frame, frameOffset, frameStored }: ChunkPlace): void {
    if (this.#frame === frame) return;
    this.#frame = -1;
    this.#segmentAt = -1;
    this.#reuse();
    assert(this.#stored, 'a pack was begun');
    const { bytes, from, objectKey } = this.#stored;
    const stored = bytes.subarray(frameOffset - from, frameOffset - from + frameStored);
    const isWhole = openFrameInto(objectKey, frame, false, stored, this.#plain);
    if (!isWhole) throw damagedChunk('its frame does not open');
    this.#frame = frame;
  }

  #reuse(): void {
    this.#onReuse();
    this.#rawUsed = 0;
  }
}

export const damagedChunk = (why: string): FerryError =>
  new FerryError('object-damaged', `a chunk is damaged: ${why}`);
