/**
 * The 64 bytes at the front of every binary object, and the two longer headers built on it: sealed to the
 * identity (1 216 bytes) and boxed under a writer's subkey (64 bytes, then the box).
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { COMMITMENT_BYTES, KEM_CIPHERTEXT_BYTES } from '../crypto/sizes.ts';
import { ID_BYTES, idBytes, idFromBytes, type ObjectId, type WriterId } from './names.ts';

export const FORMAT_VERSION = 1;
const MAGIC = 'stferry';
export const HEADER_BYTES = 64;
export const SEALED_HEADER_BYTES = HEADER_BYTES + KEM_CIPHERTEXT_BYTES + COMMITMENT_BYTES;

export const OBJECT_KINDS = {
  pack: 1,
  index: 2,
  'pack list': 3,
  snapshot: 4,
  'writer record': 5,
  tombstone: 6,
  grant: 7,
  claim: 8,
  receipt: 9,
  revocation: 10,
  'forget record': 11,
  'drill record': 12,
  'repack record': 13,
} as const;
export type ObjectKind = keyof typeof OBJECT_KINDS;

export type Header = {
  readonly kind: ObjectKind;
  readonly repository: Uint8Array;
  readonly writer: WriterId;
  readonly object: ObjectId;
};

/** magic (7) ‖ version ‖ kind ‖ zeros (7) ‖ repository id ‖ writer id ‖ object id. */
export function encodeHeader(header: Header): Uint8Array {
  return new ByteWriter(HEADER_BYTES)
    .latin1(MAGIC)
    .u8(FORMAT_VERSION)
    .u8(OBJECT_KINDS[header.kind])
    .bytes(new Uint8Array(7))
    .bytes(header.repository)
    .bytes(idBytes(header.writer))
    .bytes(idBytes(header.object))
    .take();
}

/**
 * Checks that an object is what its place says it is.
 * @throws object-damaged (not one of ours), format-too-new, object-foreign (another kind, repository, writer or
 * id than expected: a moved, swapped or foreign object)
 */
export function checkHeader(bytes: Uint8Array, expected: Header, name: string): void {
  const reader = new ByteReader(bytes, name);
  if (reader.latin1(MAGIC.length) !== MAGIC) throw reader.damaged('it does not begin like ours');
  checkVersion(reader.u8(), name);
  const kind = reader.u8();
  if (kind !== OBJECT_KINDS[expected.kind]) {
    throw foreign(name, `it is not a ${expected.kind}`);
  }
  if (reader.bytes(7).some((byte) => byte !== 0))
    throw reader.damaged('its header is not one of ours');
  if (!reader.bytes(ID_BYTES).equals(expected.repository)) {
    throw foreign(name, 'it belongs to another repository');
  }
  if (idFromBytes<WriterId>(reader.bytes(ID_BYTES)) !== expected.writer) {
    throw foreign(name, 'it was written by another machine than its name says');
  }
  if (idFromBytes<ObjectId>(reader.bytes(ID_BYTES)) !== expected.object) {
    throw foreign(name, 'it is another object than its name says');
  }
}

export function checkVersion(version: number, name: string): void {
  if (version === FORMAT_VERSION) return;
  if (version > FORMAT_VERSION) {
    throw new FerryError(
      'format-too-new',
      `${name} has format ${version}; this is format ${FORMAT_VERSION}`,
      {
        hint: 'Install a newer stateferry: npm install -g stateferry@latest',
      },
    );
  }
  throw new FerryError('object-damaged', `${name} has the unknown format ${version}`);
}

function foreign(name: string, why: string): FerryError {
  return new FerryError('object-foreign', `${name} was swapped: ${why}`);
}
