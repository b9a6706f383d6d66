/** The worker's half of reading ahead: chunks out of a part of a pack, for whoever asked or to be stored anew. */
import { assert, FerryError } from '../base/errors.ts';
import { CHUNK_KINDS, chunkIdKey } from '../crypto/chunk-id.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import type { PackPart, ReadSetup } from './messages.ts';
import { PackOpener } from './pack-opener.ts';
import { PackPool } from './pack-pool.ts';

export class ReadTask {
  readonly #pool: PackPool;
  readonly #lots: PackPool | undefined;
  readonly #opener: PackOpener;

  constructor({ pool, lots, chunkIdKey: key }: ReadSetup) {
    this.#pool = new PackPool(pool);
    this.#lots = lots && new PackPool(lots);
    this.#opener = new PackOpener(chunkIdKey(key));
  }

  /** Puts the chunks into a lot. Answers 1 for each that is there. */
  read(part: PackPart, lot: number, at: Uint32Array): Uint8Array {
    assert(this.#lots, 'there are lots to read into');
    const into = this.#lots.bytes(lot);
    const found = new Uint8Array(part.places.length);
    this.visit(part, (index, chunk) => {
      into.set(chunk, at[index]);
      found[index] = 1;
    });
    return found;
  }

  /** Calls back with every chunk that is what its id says, in the order of `places`. */
  visit(part: PackPart, onChunk: (index: number, chunk: Buffer) => void): void {
    const { buffer, from, objectKey, places, ids } = part;
    this.#opener.begin({ bytes: this.#pool.bytes(buffer), from, objectKey });
    for (const [index, place] of places.entries()) {
      const id = ids.subarray(index * CHUNK_ID_BYTES, (index + 1) * CHUNK_ID_BYTES);
      let chunk: Buffer;
      try {
        chunk = this.#opener.chunk(place, id, [CHUNK_KINDS.data]);
      } catch (error) {
        if (!(error instanceof FerryError) || error.code !== 'object-damaged') throw error;
        continue;
      }
      onChunk(index, chunk);
    }
  }
}
