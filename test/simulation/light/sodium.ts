/**
 * libsodium with cheap stand-ins for what takes most of a small push's time and decides nothing: X-Wing, Ed25519,
 * BLAKE2b and XChaCha20. Same answers for right and wrong keys, no secrecy. For simulated worlds, which make millions.
 */
import sodium from 'libsodium-wrappers';
import { digestOf } from './digest.ts';
import { KEM_CIPHERTEXT_BYTES } from './sizes.ts';

const KEM_PUBLIC_BYTES = 1216;
const SALTS = { hash: 1, keyed: 2, kem: 3, pair: 4, signature: 5, tag: 6 } as const;

const filled = (start: Uint8Array, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes.set(start);
  return bytes;
};
let encapsulations = 0;

const kem = {
  crypto_kem_xwing_seed_keypair(seed: Uint8Array) {
    const publicKey = filled(digestOf(SALTS.kem, seed), KEM_PUBLIC_BYTES);
    return { publicKey, privateKey: Uint8Array.from(seed), keyType: 'x-wing' };
  },
  crypto_kem_xwing_enc(publicKey: Uint8Array) {
    const fresh = digestOf(encapsulations++);
    return {
      ciphertext: filled(fresh, KEM_CIPHERTEXT_BYTES),
      sharedSecret: digestOf(SALTS.kem, publicKey.subarray(0, 32), fresh),
    };
  },
  crypto_kem_xwing_dec: (ciphertext: Uint8Array, secretKey: Uint8Array) =>
    digestOf(SALTS.kem, digestOf(SALTS.kem, secretKey), ciphertext.subarray(0, 32)),
};

const signatureOf = (message: Uint8Array, publicKey: Uint8Array): Uint8Array => {
  const digest = digestOf(SALTS.signature, publicKey, message);
  return Buffer.concat([digest, digest]);
};
const signatures = {
  crypto_sign_seed_keypair(seed: Uint8Array) {
    const publicKey = digestOf(SALTS.pair, seed);
    return { publicKey, privateKey: Buffer.concat([seed, publicKey]), keyType: 'ed25519' };
  },
  crypto_sign_detached: (message: Uint8Array, secretKey: Uint8Array) =>
    signatureOf(message, secretKey.subarray(32)),
  crypto_sign_verify_detached: (
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ) => Buffer.compare(signature, signatureOf(message, publicKey)) === 0,
};

const hashing = {
  crypto_generichash: (_length: number, message: Uint8Array, key: Uint8Array | null) =>
    key ? digestOf(SALTS.keyed, key, message) : digestOf(SALTS.hash, message),
  memcmp: (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0,
};

const TAG_BYTES = 16;
const boxes = {
  crypto_aead_xchacha20poly1305_ietf_encrypt(
    plaintext: Uint8Array,
    associated: Uint8Array,
    _secretNonce: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ) {
    const tag = digestOf(SALTS.tag, key, nonce, associated, plaintext).subarray(0, TAG_BYTES);
    return Buffer.concat([plaintext, tag]);
  },
  crypto_aead_xchacha20poly1305_ietf_decrypt(
    _secretNonce: null,
    sealed: Uint8Array,
    associated: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ) {
    const plaintext = sealed.subarray(0, sealed.length - TAG_BYTES);
    const tag = digestOf(SALTS.tag, key, nonce, associated, plaintext).subarray(0, TAG_BYTES);
    if (!tag.equals(sealed.subarray(plaintext.length))) throw new Error('it cannot be decrypted');
    return plaintext;
  },
};

/** libsodium fills itself in when it is ready: whatever is not replaced is looked up then. */
const standIn: unknown = Object.assign(Object.create(sodium), {
  ...kem,
  ...signatures,
  ...hashing,
  ...boxes,
});

// The default export is what `src/crypto/sodium.ts` imports.
// oxlint-disable-next-line import/no-default-export
export default standIn;
