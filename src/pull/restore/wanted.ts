/**
 * Which chunks of which pack go where: columns per pack, filled by the plan, emptied by the downloads. An id is told by
 * where it stands in the pack's directory: ten gigabytes are half a million chunks.
 */
import { CHUNK_ID_BYTES } from '../../crypto/sizes.ts';

export type WantedColumns = {
  readonly ids: Uint8Array;
  readonly files: Uint32Array;
  readonly chunks: Uint32Array;
};

/** From which of the wanted chunks on they stand in this directory; one may turn out to be wrong. */
type Stretch = { readonly from: number; readonly directory: Uint8Array };

export class Wanted {
  readonly #stretches: Stretch[] = [];
  #offsets = new Uint32Array(64);
  #files = new Uint32Array(64);
  #chunks = new Uint32Array(64);
  length = 0;

  /** @param offset where in the directory the id stands */
  add(directory: Uint8Array, offset: number, file: number, chunk: number): void {
    if (this.length === this.#files.length) this.#grow();
    if (this.#stretches.at(-1)?.directory !== directory) {
      this.#stretches.push({ from: this.length, directory });
    }
    this.#offsets[this.length] = offset;
    this.#files[this.length] = file;
    this.#chunks[this.length] = chunk;
    this.length += 1;
  }

  columns(): WantedColumns {
    const ids = new Uint8Array(this.length * CHUNK_ID_BYTES);
    for (const [at, { from, directory }] of this.#stretches.entries()) {
      const end = this.#stretches[at + 1]?.from ?? this.length;
      for (let index = from; index < end; index++) {
        const offset = this.#offsets[index] ?? 0;
        const id = directory.subarray(offset, offset + CHUNK_ID_BYTES);
        ids.set(id, index * CHUNK_ID_BYTES);
      }
    }
    return {
      ids,
      files: this.#files.subarray(0, this.length),
      chunks: this.#chunks.subarray(0, this.length),
    };
  }

  #grow(): void {
    this.#offsets = grown(this.#offsets);
    this.#files = grown(this.#files);
    this.#chunks = grown(this.#chunks);
  }
}

function grown(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(column.length * 2);
  larger.set(column);
  return larger;
}
