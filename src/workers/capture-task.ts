/** The worker's half of a push: read, cut, name, store what is new. */
import { view } from '../base/bytes.ts';
import { CHUNK_KINDS, chunkId, chunkIdKey, type ChunkIdKey } from '../crypto/chunk-id.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { readLive } from '../fs/read-live.ts';
import { readStatic } from '../fs/read-static.ts';
import { ChunkTable } from './chunk-table.ts';
import { PIPELINE } from './limits.ts';
import type {
  Blob,
  BlobCompany,
  CaptureFile,
  CaptureResult,
  CaptureSetup,
  DatabaseRange,
  PackPart,
} from './messages.ts';
import { PackBuilder, PoolStopped, type BuiltPack } from './pack-builder.ts';
import { PackPool } from './pack-pool.ts';
import type { ReadTask } from './read-task.ts';

export class CaptureTask {
  readonly #chunkIdKey: ChunkIdKey;
  readonly #table: ChunkTable;
  readonly #pool: PackPool;
  readonly #builder: PackBuilder;
  readonly #counters: BigInt64Array;
  readonly #buffer = Buffer.allocUnsafe(PIPELINE.readBytes);
  #ids = Buffer.allocUnsafe(64 * 1024);
  #idsUsed = 0;

  constructor(setup: CaptureSetup, onPack: (pack: BuiltPack) => void) {
    this.#chunkIdKey = chunkIdKey(setup.chunkIdKey);
    this.#table = new ChunkTable(setup.table);
    this.#pool = new PackPool(setup.pool);
    this.#builder = new PackBuilder(this.#pool, this.#table, onPack);
    this.#counters = new BigInt64Array(setup.counters);
  }

  /** The results in order, and the ids of all files one after the other. */
  capture(files: readonly CaptureFile[]): { results: CaptureResult[]; ids: Uint8Array } {
    this.#idsUsed = 0;
    const results = files.map((file) => this.#captureFile(file));
    return { results, ids: Uint8Array.from(this.#ids.subarray(0, this.#idsUsed)) };
  }

  store(blobs: readonly Blob[]): void {
    for (const { id, slot, bytes, company } of blobs) this.#store(id, slot, bytes, company);
  }

  /** What lies in a part of another pack, under the ids that it has here. */
  copy(
    from: ReadTask,
    part: PackPart,
    companies: readonly (BlobCompany | undefined)[],
  ): Uint8Array {
    const ids = new Uint8Array(part.places.length * CHUNK_ID_BYTES);
    from.visit(part, (index, chunk) => {
      this.#idsUsed = 0;
      const { id, slot } = this.#claim(chunk);
      ids.set(id, index * CHUNK_ID_BYTES);
      if (slot < 0) this.#store(id, ~slot, chunk, companies[index]);
    });
    return ids;
  }

  finish(): void {
    this.#builder.finish();
  }

  /** A range of a database: every chunk compressed by itself, or not at all (see FORMAT.md, "Segments"). */
  captureRange(range: DatabaseRange): { bytes: number; ids: Uint8Array } {
    this.#idsUsed = 0;
    const bytes = readStatic(range.path, { ...range, buffer: this.#buffer }, (chunk) => {
      const { id, slot } = this.#claim(chunk);
      if (slot >= 0) return;
      if (range.secret) this.#builder.addSecret(id, ~slot, chunk);
      else this.#builder.addSingle(id, ~slot, chunk, true);
    });
    return { bytes, ids: Uint8Array.from(this.#ids.subarray(0, this.#idsUsed)) };
  }

  #store(id: Uint8Array, slot: number, bytes: Uint8Array, company: BlobCompany | undefined): void {
    if (company === 'secret') this.#builder.addSecret(id, slot, bytes);
    else if (company) this.#builder.addGrouped(company.group, id, slot, bytes);
    else this.#builder.addSingle(id, slot, bytes, true);
  }

  #captureFile(file: CaptureFile): CaptureResult {
    const idsBefore = this.#idsUsed;
    let incompressible = 0;
    const onChunk = (bytes: Uint8Array): void => {
      const { id, slot } = this.#claim(bytes);
      if (slot >= 0) return;
      if (file.secret) return this.#builder.addSecret(id, ~slot, bytes);
      const isFirst = this.#idsUsed - idsBefore === CHUNK_ID_BYTES;
      if (isFirst && bytes.length <= PIPELINE.groupedChunkBytesMax) {
        return this.#builder.addGrouped(file.group, id, ~slot, bytes);
      }
      const helped = this.#builder.addSingle(id, ~slot, bytes, incompressible < 2);
      incompressible = helped ? 0 : incompressible + 1;
    };
    const onRestart = (): void => {
      this.#idsUsed = idsBefore;
    };
    const { chunkBytes, expected, mayBeLedAway } = file;
    const options = { buffer: this.#buffer, chunkBytes, sqliteApart: true, mayBeLedAway };
    const result = readLive(file.path, expected ? { ...options, expected } : options, {
      onChunk,
      onRestart,
    });
    if (result.kind !== 'read') this.#idsUsed = idsBefore;
    return { ...result, ids: (this.#idsUsed - idsBefore) / CHUNK_ID_BYTES };
  }

  #claim(bytes: Uint8Array): { id: Buffer; slot: number } {
    if (this.#pool.stopped) throw new PoolStopped();
    Atomics.add(this.#counters, 0, BigInt(bytes.length));
    const id = chunkId(this.#chunkIdKey, CHUNK_KINDS.data, bytes);
    this.#appendId(id);
    const slot = this.#table.claim(id);
    if (slot < 0) Atomics.add(this.#counters, 1, BigInt(bytes.length));
    return { id, slot };
  }

  #appendId(id: Buffer): void {
    if (this.#idsUsed + id.length > this.#ids.length) {
      const grown = Buffer.allocUnsafe(this.#ids.length * 2);
      this.#ids.copy(grown, 0, 0, this.#idsUsed);
      this.#ids = grown;
    }
    view(this.#ids).set(id, this.#idsUsed);
    this.#idsUsed += id.length;
  }
}
