import { utf8 } from '../base/bytes.ts';
import { lengthPrefixed } from './kdf.ts';
import { blake2b256, ed25519Sign, ed25519Verify } from './sodium.ts';

/** What is signed, so that a signature of one kind never passes for another. */
export type SignaturePurpose =
  | 'snapshot'
  | 'writer record'
  | 'revocation'
  | 'forget record'
  | 'repack record'
  | 'tombstone'
  | 'drill record';

/** Ed25519 over the purpose and the BLAKE2b-256 of `bytes`; 64 bytes. */
export function sign(
  purpose: SignaturePurpose,
  bytes: Uint8Array,
  secretKey: Uint8Array,
): Uint8Array {
  return ed25519Sign(signedMessage(purpose, bytes), secretKey);
}

export function verify(
  purpose: SignaturePurpose,
  bytes: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  return ed25519Verify(signature, signedMessage(purpose, bytes), publicKey);
}

const signedMessage = (purpose: SignaturePurpose, bytes: Uint8Array): Uint8Array =>
  lengthPrefixed(utf8('stateferry/1'), utf8(purpose), blake2b256(bytes));
