/** What a bad vector is, and what is wrong with a header in the same way for every kind. */
import { fromHex } from '../../src/base/bytes.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { OTHER_REPOSITORY, OTHER_WRITER } from './keys.ts';
import { flipBit, overwrite } from './parts.ts';

/** Who opens it. */
export type VectorKind =
  | 'repository header'
  | 'key slot'
  | 'writer record'
  | 'pack'
  | 'index'
  | 'pack list'
  | 'snapshot'
  | 'revocation'
  | 'forget record'
  | 'repack record'
  | 'drill record'
  | 'tombstone'
  | 'page';

export type BadVector = {
  readonly kind: VectorKind;
  /** What is wrong. */
  readonly wrong: string;
  readonly code: ErrorCode;
  readonly bytes: Uint8Array;
};

/** What is wrong, and how it is refused. */
export type Bad = (wrong: string, code: ErrorCode, bytes: Uint8Array) => BadVector;

export const badOf =
  (kind: VectorKind): Bad =>
  (wrong, code, bytes) => ({ kind, wrong, code, bytes });

/** What every binary object refuses by its first 64 bytes, whatever follows. */
export function badHeaders(kind: VectorKind, good: Uint8Array): BadVector[] {
  const bad = badOf(kind);
  return [
    bad('another magic', 'object-damaged', flipBit(good, 0)),
    bad('a newer version', 'format-too-new', overwrite(good, 7, Uint8Array.of(2))),
    bad('version 0', 'object-damaged', overwrite(good, 7, Uint8Array.of(0))),
    bad('another kind', 'object-foreign', overwrite(good, 8, Uint8Array.of(9))),
    bad('another repository', 'object-foreign', overwrite(good, 16, fromHex(OTHER_REPOSITORY))),
    bad('another writer', 'object-foreign', overwrite(good, 32, fromHex(OTHER_WRITER.id))),
    bad('another object id', 'object-foreign', flipBit(good, 63)),
    bad('cut inside the header', 'object-damaged', good.slice(0, 63)),
  ];
}
