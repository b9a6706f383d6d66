/** Where in a pack each of its chunks lies: in columns, since as objects those of a few packs took 20 MiB. */
import { view } from '../base/bytes.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { visitPlaces, type ChunkPlace, type SegmentPlace } from '../format/chunk-place.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { DIRECTORY_SIZES } from '../format/pack.ts';
import { packName } from './pack-reader.ts';

const COLUMNS = 5;
const [ID_AT, SEGMENT, OFFSET, LENGTH, NEXT] = [0, 1, 2, 3, 4] as const;

export class PackPlaces {
  /** What was learned holds for as long as the pack has this one. */
  readonly directory: Uint8Array;
  readonly #directory: Buffer;
  readonly #segments: SegmentPlace[] = [];
  /** Five numbers for each chunk; the last is the next chunk of its bucket, counted from 1. */
  readonly #chunks: Uint32Array;
  /** By the first bytes of an id, which are as good as random: a chunk, counted from 1; 0 is none. */
  readonly #buckets: Uint32Array;

  /** @throws object-damaged */
  constructor(pack: IndexedPack) {
    this.directory = pack.directory;
    this.#directory = view(pack.directory);
    const chunksMax = Math.floor(pack.directory.length / DIRECTORY_SIZES.chunk);
    this.#chunks = new Uint32Array(chunksMax * COLUMNS);
    this.#buckets = new Uint32Array(2 ** Math.ceil(Math.log2(chunksMax + 1)));
    let number = 0;
    visitPlaces(pack.directory, packName(pack), (id, segment, offset, length) => {
      if (this.#segments.at(-1) !== segment) this.#segments.push(segment);
      const idAt = id.byteOffset - this.#directory.byteOffset;
      const bucket = this.#bucketOf(id);
      const next = this.#buckets[bucket] ?? 0;
      this.#chunks.set([idAt, this.#segments.length - 1, offset, length, next], number * COLUMNS);
      number += 1;
      this.#buckets[bucket] = number;
    });
  }

  /** undefined: the pack does not say that it has it. */
  get(id: Buffer): ChunkPlace | undefined {
    let chunk = this.#buckets[this.#bucketOf(id)] ?? 0;
    while (chunk > 0) {
      const idAt = this.#column(chunk, ID_AT);
      if (id.equals(this.#directory.subarray(idAt, idAt + CHUNK_ID_BYTES))) break;
      chunk = this.#column(chunk, NEXT);
    }
    const segment = chunk > 0 ? this.#segments[this.#column(chunk, SEGMENT)] : undefined;
    if (!segment) return undefined;
    return { ...segment, offset: this.#column(chunk, OFFSET), length: this.#column(chunk, LENGTH) };
  }

  #bucketOf(id: Buffer): number {
    return id.readUInt32LE(0) & (this.#buckets.length - 1);
  }

  #column(chunk: number, column: number): number {
    return this.#chunks[(chunk - 1) * COLUMNS + column] ?? 0;
  }
}
