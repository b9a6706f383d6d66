/** The lengths of format 1, but that an encapsulated key is as short as the stand-in for X-Wing makes it. */
export * from '../../../src/crypto/sizes.ts';
export const KEM_CIPHERTEXT_BYTES = 32;
