/** The worker's half of a pull: unseal, decompress, check every chunk against its id, write it where it belongs. */
import type { BytePath } from '../base/byte-path.ts';
import { view } from '../base/bytes.ts';
import { assert, FerryError, messageOf } from '../base/errors.ts';
import { CHUNK_KINDS, chunkIdKey, type ChunkIdKey } from '../crypto/chunk-id.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { visitPlaces, type ChunkPlace } from '../format/chunk-place.ts';
import { createPlacer, type PlaceAttributes, type Placer } from '../fs/place.ts';
import type { RestoreFailure, RestorePack, RestoreSetup, StageFile } from './messages.ts';
import { damagedChunk, PackOpener } from './pack-opener.ts';
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

/** A wanted chunk of a pack. */
type Located = {
  /** Its number in the directory that came with the job. */
  readonly number: number;
  readonly place: ChunkPlace;
  readonly wanted: readonly number[];
};

/** Chunks that follow each other in memory as they do in their file: one write. */
type Run = { readonly file: RestoreFile; readonly position: number; bytes: Buffer };

export class RestoreTask {
  readonly #chunkIdKey: ChunkIdKey;
  readonly #pool: PackPool;
  readonly #placers: readonly Placer[];
  readonly #opener: PackOpener;
  #run: Run | undefined;

  constructor(setup: RestoreSetup) {
    this.#chunkIdKey = chunkIdKey(setup.chunkIdKey);
    this.#opener = new PackOpener(this.#chunkIdKey, () => this.#writeRun());
    this.#pool = new PackPool(setup.pool);
    this.#placers = setup.stages.map((stage) =>
      createPlacer({ ...stage, setIdAllowed: setup.setIdAllowed }),
    );
  }

  /**
   * Positions in the wanted columns that were not delivered; everything else is verified and written. `verified` has a
   * number for each chunk of the directory: 1 where just that place was opened and holds what its id says.
   */
  restore(pack: RestorePack): { failures: RestoreFailure[]; bytes: number; verified: Uint8Array } {
    this.#run = undefined;
    const { objectKey } = pack;
    this.#opener.begin({ bytes: this.#pool.bytes(pack.buffer), from: 0, objectKey });
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

  /** @throws object-damaged */
  #chunk(pack: RestorePack, { place, wanted: [first = 0] }: Located): Buffer {
    const expected = pack.wantedIds.subarray(first * CHUNK_ID_BYTES, (first + 1) * CHUNK_ID_BYTES);
    // A check reads whole packs and cannot know which chunk is of which kind.
    return this.#opener.chunk(place, expected, pack.files ? [CHUNK_KINDS.data] : EVERY_KIND);
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

const EVERY_KIND = Object.values(CHUNK_KINDS);

/** The wanted chunks in the order they lie in the pack, and how many chunks it has at all. */
function locate(pack: RestorePack): { found: Located[]; chunks: number } {
  const wanted = wantedById(pack);
  const found: Located[] = [];
  let chunks = 0;
  visitPlaces(pack.directory, pack.name, (id, segment, offset, length) => {
    const number = chunks++;
    const key = id.toString('latin1');
    const indexes = wanted.get(key);
    if (!indexes) return;
    wanted.delete(key);
    found.push({ number, place: { ...segment, offset, length }, wanted: indexes });
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
