/**
 * A box: bytes under a symmetric key that its holder can open again (covers, indexes, pack lists, key slots).
 * nonce (24) ‖ commitment (32) ‖ XChaCha20-Poly1305 ciphertext. The commitment binds key, nonce and associated
 * data, so that one box cannot open under two keys.
 */
import { release, view } from '../base/bytes.ts';
import { kdf } from './kdf.ts';
import { sameBytes, xchachaOpen, xchachaSeal, type Random } from './sodium.ts';

export const BOX_OVERHEAD_BYTES = 24 + 32 + 16;

export function sealBox(
  key: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): Uint8Array {
  const nonce = random(24);
  const commitment = kdf(key, 'box commit', nonce, associated);
  const sealed = xchachaSeal(plaintext, associated, nonce, key);
  const box = Buffer.concat([nonce, commitment, sealed]);
  release(view(sealed));
  return box;
}

/** The plaintext, or undefined when the key is another one or anything was changed. */
export function openBox(
  key: Uint8Array,
  associated: Uint8Array,
  box: Uint8Array,
): Uint8Array | undefined {
  if (box.length < BOX_OVERHEAD_BYTES) return undefined;
  const nonce = box.subarray(0, 24);
  if (!sameBytes(kdf(key, 'box commit', nonce, associated), box.subarray(24, 56))) return undefined;
  return xchachaOpen(box.subarray(56), associated, nonce, key);
}
