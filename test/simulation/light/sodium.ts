/**
 * libsodium with cheap stand-ins for what takes most of a small push's time and decides nothing: X-Wing, Ed25519,
 * BLAKE2b and XChaCha20. Same sizes, same answers for right and wrong keys, no secrecy. For simulated worlds, which
 * make millions.
 */
import { hash as digest } from 'node:crypto';
import sodium from 'libsodium-wrappers';

const KEM_PUBLIC_BYTES = 1216;
const KEM_CIPHERTEXT_BYTES = 1120;
const ed25519 = { publicBytes: 32, signatureBytes: 64 };

const hash = (...parts: readonly Uint8Array[]): Buffer =>
  digest('sha256', Buffer.concat(parts), 'buffer');
const filled = (start: Uint8Array, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes.set(start);
  return bytes;
};
let encapsulations = 0;

const kem = {
  crypto_kem_xwing_seed_keypair(seed: Uint8Array) {
    const publicKey = filled(hash(seed), KEM_PUBLIC_BYTES);
    return { publicKey, privateKey: Uint8Array.from(seed), keyType: 'x-wing' };
  },
  crypto_kem_xwing_enc(publicKey: Uint8Array) {
    const fresh = hash(Buffer.from(String(encapsulations++)));
    return {
      ciphertext: filled(fresh, KEM_CIPHERTEXT_BYTES),
      sharedSecret: Uint8Array.from(hash(publicKey.subarray(0, 32), fresh)),
    };
  },
  crypto_kem_xwing_dec: (ciphertext: Uint8Array, secretKey: Uint8Array) =>
    Uint8Array.from(hash(hash(secretKey), ciphertext.subarray(0, 32))),
};

const signatureOf = (message: Uint8Array, publicKey: Uint8Array): Uint8Array =>
  filled(hash(publicKey, message), ed25519.signatureBytes);
const signatures = {
  crypto_sign_detached: (message: Uint8Array, secretKey: Uint8Array) =>
    signatureOf(message, secretKey.subarray(ed25519.publicBytes)),
  crypto_sign_verify_detached: (
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ) => Buffer.compare(signature, signatureOf(message, publicKey)) === 0,
};

const NO_KEY = new Uint8Array();
const hashing = {
  crypto_generichash: (_length: number, message: Uint8Array, key: Uint8Array | null) =>
    hash(key ?? NO_KEY, message),
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
    const tag = hash(key, nonce, associated, plaintext).subarray(0, TAG_BYTES);
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
    const tag = hash(key, nonce, associated, plaintext).subarray(0, TAG_BYTES);
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
