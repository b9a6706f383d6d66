/** Which chunks of which pack go where: columns per pack, filled by the plan, emptied by the downloads. */
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';

export type WantedColumns = {
  readonly ids: Uint8Array;
  readonly files: Uint32Array;
  readonly chunks: Uint32Array;
};

export class Wanted {
  #ids = Buffer.allocUnsafe(64 * CHUNK_ID_BYTES);
  #files = new Uint32Array(64);
  #chunks = new Uint32Array(64);
  length = 0;

  add(id: Uint8Array, file: number, chunk: number): void {
    if (this.length === this.#files.length) this.#grow();
    this.#ids.set(id, this.length * CHUNK_ID_BYTES);
    this.#files[this.length] = file;
    this.#chunks[this.length] = chunk;
    this.length += 1;
  }

  columns(): WantedColumns {
    return {
      ids: this.#ids.subarray(0, this.length * CHUNK_ID_BYTES),
      files: this.#files.subarray(0, this.length),
      chunks: this.#chunks.subarray(0, this.length),
    };
  }

  #grow(): void {
    const ids = Buffer.allocUnsafe(this.#ids.length * 2);
    this.#ids.copy(ids);
    const files = new Uint32Array(this.#files.length * 2);
    files.set(this.#files);
    const chunks = new Uint32Array(this.#chunks.length * 2);
    chunks.set(this.#chunks);
    [this.#ids, this.#files, this.#chunks] = [ids, files, chunks];
  }
}
