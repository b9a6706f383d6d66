/**
 * The header of a sealed object: one X-Wing encapsulation gives an object key, and a commitment binds the
 * header to that key, checked before any frame.
 */
import type { ObjectKey } from './frames.ts';
import { kdf } from './kdf.ts';
import { COMMITMENT_BYTES, KEM_CIPHERTEXT_BYTES } from './sizes.ts';
import {
  blake2b256,
  sameBytes,
  xwingDecapsulate,
  xwingEncapsulate,
  xwingEncapsulateWith,
  type Encapsulation,
} from './sodium.ts';

export type SealedHeader = { readonly header: Uint8Array; readonly objectKey: ObjectKey };

/**
 * Makes the sealed header: `prefix` ‖ KEM ciphertext ‖ commitment.
 * @param randomness 64 bytes for reproducible vectors; fresh randomness otherwise
 */
export function sealHeader(
  recipientPublic: Uint8Array,
  prefix: Uint8Array,
  randomness?: Uint8Array,
): SealedHeader {
  const kem: Encapsulation = randomness
    ? xwingEncapsulateWith(recipientPublic, randomness)
    : xwingEncapsulate(recipientPublic);
  const uncommitted = Buffer.concat([prefix, kem.ciphertext]);
  const hash = blake2b256(uncommitted);
  const key = kdf(kem.sharedSecret, 'object', hash);
  const header = Buffer.concat([uncommitted, kdf(key, 'commit', hash)]);
  return { header, objectKey: { key, headerHash: blake2b256(header) } };
}

/** The object key of a sealed header, or undefined when it was not sealed to this key or was changed. */
export function openHeader(
  recipientSecret: Uint8Array,
  header: Uint8Array,
  prefixBytes: number,
): ObjectKey | undefined {
  const uncommitted = header.subarray(0, prefixBytes + KEM_CIPHERTEXT_BYTES);
  const ciphertext = uncommitted.subarray(prefixBytes);
  const hash = blake2b256(uncommitted);
  const key = kdf(xwingDecapsulate(ciphertext, recipientSecret), 'object', hash);
  const commitment = header.subarray(uncommitted.length, uncommitted.length + COMMITMENT_BYTES);
  if (!sameBytes(kdf(key, 'commit', hash), commitment)) return undefined;
  return { key, headerHash: blake2b256(header) };
}
