/** The worker's half of reading ahead: chunks out of a part of a pack, for whoever asked or to be stored anew. */
import { FerryError } from '../base/errors.ts';
import { CHUNK_KINDS, chunkIdKey } from '../crypto/chunk-id.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import type { PackPart, ReadSetup } from './messages.ts';
import { PackOpener } from './pack-opener.ts';
import { PackPool } from './pack-pool.ts';

export class ReadTask {
  readonly #pool: PackPool;
  readonly #opener: PackOpener;

  constructor({ pool, chunkIdKey: key }: ReadSetup) {
    this.#pool = new PackPool(pool);
    this.#opener = new PackOpener(chunkIdKey(key));
  }

  /** The chunks one after the other, and how long each is; -1: it could not be had. */
  read(part: PackPart): { bytes: Uint8Array<ArrayBuffer>; lengths: Int32Array } {
    const bytes = new Uint8Array(part.places.reduce((sum, { length }) => sum + length, 0));
    const lengths = new Int32Array(part.places.length).fill(-1);
    let used = 0;
    this.visit(part, (index, chunk) => {
      bytes.set(chunk, used);
      lengths[index] = chunk.length;
      used += chunk.length;
    });
    return { bytes, lengths };
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
