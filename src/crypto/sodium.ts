/**
 * The door to libsodium: the authority for key encapsulation (X-Wing), signatures (Ed25519), hashing
 * (BLAKE2b), XChaCha20-Poly1305 and randomness. Call `cryptoReady` once before anything else here.
 */
import sodium from 'libsodium-wrappers';

export const cryptoReady = (): Promise<void> => sodium.ready;

export type KeyPair = { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };

/** `length` bytes from the system's random generator. */
export type Random = (length: number) => Uint8Array;
export const systemRandom: Random = (length) => sodium.randombytes_buf(length);

/** BLAKE2b with a 32-byte output, keyed when a key is given (RFC 7693). */
export function blake2b256(message: Uint8Array, key: Uint8Array | null = null): Uint8Array {
  return sodium.crypto_generichash(32, message, key);
}

/** X-Wing (draft-connolly-cfrg-xwing-kem) from a 32-byte seed. */
export function xwingKeyPair(seed: Uint8Array): KeyPair {
  const pair = sodium.crypto_kem_xwing_seed_keypair(seed);
  return { publicKey: pair.publicKey, secretKey: pair.privateKey };
}

export type Encapsulation = { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array };

/** A fresh shared secret for `publicKey`; the ciphertext is 1 120 bytes. */
export const xwingEncapsulate = (publicKey: Uint8Array): Encapsulation =>
  sodium.crypto_kem_xwing_enc(publicKey);

/** The same with the 64 bytes of randomness given: for vectors only. */
export const xwingEncapsulateWith = (publicKey: Uint8Array, seed: Uint8Array): Encapsulation =>
  sodium.crypto_kem_xwing_enc_deterministic(publicKey, seed);

/** Never fails: a wrong key or a changed ciphertext gives another secret, which the commitment catches. */
export const xwingDecapsulate = (ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array =>
  sodium.crypto_kem_xwing_dec(ciphertext, secretKey);

/** Ed25519 (RFC 8032) from a 32-byte seed. */
export function ed25519KeyPair(seed: Uint8Array): KeyPair {
  const pair = sodium.crypto_sign_seed_keypair(seed);
  return { publicKey: pair.publicKey, secretKey: pair.privateKey };
}

export const ed25519Sign = (message: Uint8Array, secretKey: Uint8Array): Uint8Array =>
  sodium.crypto_sign_detached(message, secretKey);

export const ed25519Verify = (
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean => sodium.crypto_sign_verify_detached(signature, message, publicKey);

export const xchachaSeal = (
  plaintext: Uint8Array,
  associated: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): Uint8Array =>
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, null, nonce, key);

/** The plaintext, or undefined when anything was changed. */
export function xchachaOpen(
  ciphertext: Uint8Array,
  associated: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): Uint8Array | undefined {
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      null,
      ciphertext,
      associated,
      nonce,
      key,
    );
  } catch {
    // libsodium says only "cannot be decrypted"; the caller knows which object it was.
    return undefined;
  }
}

/** Constant-time comparison of equally long byte strings. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && sodium.memcmp(a, b);
