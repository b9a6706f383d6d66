import { concatBytes, u32le, utf8 } from '../base/bytes.ts';
import { blake2b256 } from './sodium.ts';

/** Every use of a key has a label of its own, listed here and in FORMAT.md. */
export type KdfLabel =
  | 'xwing'
  | 'root'
  | 'object'
  | 'commit'
  | 'index'
  | 'pack list'
  | 'cover'
  | 'drill record'
  | 'chunk id'
  | 'page cut'
  | 'box commit'
  | 'slot'
  | 'grant name'
  | 'grant'
  | 'claim'
  | 'receipt';

/**
 * The one key derivation: BLAKE2b-256 keyed with `key` over length-prefixed parts, the first two of which are
 * the format's name and the label. Answers 32 bytes.
 */
export function kdf(key: Uint8Array, label: KdfLabel, ...parts: readonly Uint8Array[]): Uint8Array {
  return blake2b256(lengthPrefixed(utf8('stateferry/1'), utf8(label), ...parts), key);
}

/** Each part as u32le length ‖ bytes, so that no two lists of parts give the same bytes. */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...parts.flatMap((part) => [u32le(part.length), part]));
}
