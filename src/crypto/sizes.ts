/** Lengths in bytes that the algorithms of format 1 fix. */
export const KEM_CIPHERTEXT_BYTES = 1120;
export const COMMITMENT_BYTES = 32;
export const TAG_BYTES = 16;
export const SIGNATURE_BYTES = 64;
export const CHUNK_ID_BYTES = 32;
