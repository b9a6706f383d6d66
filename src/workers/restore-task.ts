/** The worker's half of a pull: unseal, decompress, check every chunk against its id, write it where it belongs. */
import type { BytePath } from '../base/byte-path.ts';
import { view } from '../base/bytes.ts';
import { assert, FerryError, messageOf } from '../base/errors.ts';
import { decompressInto } from '../codec/zstd.ts';
import { CHUNK_KINDS, chunkId, chunkIdKey, type ChunkIdKey } from '../crypto/chunk-id.ts';
import { openFrameInto } from '../crypto/frames.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import { CODECS, PACK_LIMITS, visitDirectory, type Codec } from '../format/pack.ts';
import { createPlacer, type PlaceAttributes, type Placer } from '../fs/place.ts';
import type { RestoreFailure, RestorePack, RestoreSetup, StageFile } from './messages.ts';
import { PackPool } from './pack-pool.ts';
import { verifyStageFile } from './stage-task.ts';

/** A file that chunks are written into. */
export type RestoreFile = {
  /** Index into the setup's stages. */
  readonly stage: number;
  readonly path: BytePath;
  readonly size: number;
  readonly chunkBytes: number;
  readonly sparse: boolean;
  readonly attributes: PlaceAttributes;
};

/** Where a wanted chunk lies, by the directory that came with the job. */
type Located = {
  /** Its number in that directory. */
  readonly number: number;
  readonly frame: number;
  readonly offset: number;
  readonly storedLength: number;
  readonly codec: Codec;
  readonly offsetInFrame: number;
  readonly segmentStored: number;
  readonly segmentRaw: number;
  readonly offsetInSegment: number;
  readonly length: number;
  readonly wanted: readonly number[];
};

/** Chunks that follow each other in memory as they do in their file: one write. */
type Run = { readonly file: RestoreFile; readonly position: number; bytes: Buffer };

/** The pages of a database are segments of 16 KiB each; so many bytes of them are decompressed side by side. */
const SIDE_BY_SIDE_BYTES = 256 * 1024;

export class RestoreTask {
  readonly #chunkIdKey: ChunkIdKey;
  readonly #pool: PackPool;
  readonly #placers: readonly Placer[];
  /** The frame that `#plain` holds and the segment of it that was decompressed last; -1: none. */
  #frame = -1;
  #segmentAt = -1;
  readonly #plain = Buffer.allocUnsafe(PACK_LIMITS.frameBytesMax);
  readonly #raw = Buffer.allocUnsafe(PACK_LIMITS.segmentBytesMax);
  #segment = this.#raw;
  #rawUsed = 0;
  #run: Run | undefined;

  constructor(setup: RestoreSetup) {
    this.#chunkIdKey = chunkIdKey(setup.chunkIdKey);
    this.#pool = new PackPool(setup.pool);
    this.#placers = setup.stages.map((stage) =>
      createPlacer({ stage, setIdAllowed: setup.setIdAllowed }),
    );
  }

  /**
   * Positions in the wanted columns that were not delivered; everything else is verified and written. `verified` has a
   * number for each chunk of the directory: 1 where just that place was opened and holds what its id says.
   */
  restore(pack: RestorePack): { failures: RestoreFailure[]; bytes: number; verified: Uint8Array } {
    this.#frame = -1;
    this.#run = undefined;
    const failures: RestoreFailure[] = [];
    const missing = new Set<number>(pack.wantedFiles.keys());
    let bytes = 0;
    const { found, chunks } = locate(pack);
    const verified = new Uint8Array(chunks);
    for (const located of found) {
      for (const index of located.wanted) missing.delete(index);
      try {
        const chunk = this.#chunk(pack, located);
        verified[located.number] = 1;
        for (const index of located.wanted) this.#write(pack, index, chunk);
        bytes += chunk.length * located.wanted.length;
      } catch (error) {
        const isDamage = error instanceof FerryError && error.code === 'object-damaged';
        if (!isDamage) throw error;
        for (const wanted of located.wanted) failures.push({ wanted, why: messageOf(error) });
      }
    }
    this.#writeRun();
    for (const wanted of missing) failures.push({ wanted, why: 'it is not in this pack' });
    return { failures, bytes, verified };
  }

  /** The numbers of the chunks that an earlier run already wrote rightly. */
  verify(file: StageFile): Uint32Array {
    const placer = this.#placers[file.stage];
    assert(placer, `no stage ${file.stage}`);
    return verifyStageFile(file, placer, this.#chunkIdKey);
  }

  finish(): void {
    for (const placer of this.#placers) placer.close();
  }

  /** The verified content of a chunk. @throws object-damaged */
  #chunk(pack: RestorePack, located: Located): Buffer {
    const raw = this.#rawSegment(pack, located);
    const from = located.offsetInSegment;
    const chunk = raw.subarray(from, from + located.length);
    const first = located.wanted[0] ?? 0;
    const expected = pack.wantedIds.subarray(first * CHUNK_ID_BYTES, (first + 1) * CHUNK_ID_BYTES);
    // A check reads whole packs and cannot know which chunk is of which kind.
    const kinds = pack.files ? [CHUNK_KINDS.data] : Object.values(CHUNK_KINDS);
    if (!kinds.some((kind) => chunkId(this.#chunkIdKey, kind, chunk).equals(expected))) {
      throw damagedChunk('its content does not match its id');
    }
    return chunk;
  }

  #rawSegment(pack: RestorePack, located: Located): Buffer {
    this.#openFrame(pack, located);
    const from = located.offsetInFrame;
    const stored = this.#plain.subarray(from, from + located.segmentStored);
    if (located.codec === CODECS.stored) return stored;
    if (this.#segmentAt !== from) {
      this.#segmentAt = -1;
      if (this.#rawUsed + located.segmentRaw > SIDE_BY_SIDE_BYTES) this.#reuseRaw();
      this.#segment = this.#raw.subarray(this.#rawUsed, this.#rawUsed + located.segmentRaw);
      decompressInto(stored, this.#segment);
      this.#rawUsed += located.segmentRaw;
      this.#segmentAt = from;
    }
    return this.#segment;
  }

  #reuseRaw(): void {
    this.#writeRun();
    this.#rawUsed = 0;
  }

  #openFrame(pack: RestorePack, located: Located): void {
    if (this.#frame === located.frame) return;
    this.#frame = -1;
    this.#segmentAt = -1;
    this.#reuseRaw();
    const bytes = this.#pool.bytes(pack.buffer);
    const stored = bytes.subarray(located.offset, located.offset + located.storedLength);
    const isWhole = openFrameInto(pack.objectKey, located.frame, false, stored, this.#plain);
    if (!isWhole) throw damagedChunk('its frame does not open');
    this.#frame = located.frame;
  }

  #write(pack: RestorePack, index: number, chunk: Buffer): void {
    const number = pack.wantedFiles[index] ?? 0;
    const file = pack.files?.get(number);
    if (!file) return;
    const placer = this.#placers[file.stage];
    const position = (pack.wantedChunks[index] ?? 0) * file.chunkBytes;
    const expected = Math.min(file.chunkBytes, file.size - position);
    if (chunk.length !== expected)
      throw damagedChunk('it has another length than its place in the file');
    if (file.size <= file.chunkBytes) placer?.placeFile(file.path, chunk, file.attributes);
    else if (file.sparse) placer?.writeChunk(file.path, position, chunk, true);
    else this.#gather(file, position, chunk);
  }

  #gather(file: RestoreFile, position: number, chunk: Buffer): void {
    const run = this.#run;
    if (run && run.file === file && continues(run, position, chunk)) {
      const { buffer, byteOffset, length } = run.bytes;
      run.bytes = Buffer.from(buffer, byteOffset, length + chunk.length);
      return;
    }
    this.#writeRun();
    this.#run = { file, position, bytes: chunk };
  }

  #writeRun(): void {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    const { file, position, bytes } = run;
    this.#placers[file.stage]?.writeChunk(file.path, position, bytes, false);
  }
}

const continues = ({ position, bytes }: Run, next: number, chunk: Buffer): boolean =>
  next === position + bytes.length &&
  chunk.buffer === bytes.buffer &&
  chunk.byteOffset === bytes.byteOffset + bytes.length;

const damagedChunk = (why: string): FerryError =>
  new FerryError('object-damaged', `a chunk is damaged: ${why}`);

/** The wanted chunks in the order they lie in the pack, and how many chunks it has at all. */
function locate(pack: RestorePack): { found: Located[]; chunks: number } {
  const wanted = wantedById(pack);
  const found: Located[] = [];
  let chunks = 0;
  let frame = { number: 0, offset: 0, storedLength: 0 };
  let segment = { codec: 0 as Codec, offsetInFrame: 0, segmentStored: 0, segmentRaw: 0 };
  visitDirectory(pack.directory, SEALED_HEADER_BYTES, `the directory of ${pack.name}`, {
    frame: (number, offset, storedLength) => {
      frame = { number, offset, storedLength };
    },
    segment: (codec, offsetInFrame, segmentStored, segmentRaw) => {
      segment = { codec, offsetInFrame, segmentStored, segmentRaw };
    },
    chunk: (id, offsetInSegment, length) => {
      const number = chunks++;
      const key = id.toString('latin1');
      const indexes = wanted.get(key);
      if (!indexes) return;
      wanted.delete(key);
      const { offset, storedLength } = frame;
      found.push({
        number,
        frame: frame.number,
        offset,
        storedLength,
        ...segment,
        offsetInSegment,
        length,
        wanted: indexes,
      });
    },
  });
  return { found, chunks };
}

function wantedById(pack: RestorePack): Map<string, number[]> {
  const byId = new Map<string, number[]>();
  const ids = view(pack.wantedIds);
  for (let index = 0; index < pack.wantedFiles.length; index++) {
    const from = index * CHUNK_ID_BYTES;
    const key = ids.toString('latin1', from, from + CHUNK_ID_BYTES);
    const known = byId.get(key);
    if (known) known.push(index);
    else byId.set(key, [index]);
  }
  return byId;
}
