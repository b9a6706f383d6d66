/** Bytes that are the same on every machine: BLAKE2b-256 of a seed and a counter. */
import { concatBytes, u32le, utf8 } from '../../src/base/bytes.ts';
import { blake2b256, type Random } from '../../src/crypto/sodium.ts';

/** A `Random` that anybody can compute again; every label starts an independent stream. */
export function fixedRandom(label: string): Random {
  let pool: Uint8Array = new Uint8Array(0);
  let counter = 0;
  return (length) => {
    while (pool.length < length) {
      pool = concatBytes(pool, blake2b256(concatBytes(utf8(label), u32le(counter))));
      counter += 1;
    }
    const taken = pool.slice(0, length);
    pool = pool.slice(length);
    return taken;
  };
}

export const fixedBytes = (label: string, length: number): Uint8Array => fixedRandom(label)(length);
