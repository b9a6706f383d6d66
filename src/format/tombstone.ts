/**
 * A tombstone `tombstones/<id>`: header (writer id zero) ‖ u32 count ‖ names ‖ root signature. It announces
 * which packs and pack lists will be deleted once it is old enough; a push must not rely on them any more.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { checkHeader, encodeHeader, HEADER_BYTES } from './header.ts';
import {
  ID_BYTES,
  idBytes,
  idFromBytes,
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterFolder,
  type WriterId,
} from './names.ts';
import { FerryError } from '../base/errors.ts';
import { SIGNATURE_BYTES } from '../crypto/sizes.ts';

const NAMES_MAX = 4_000_000;
const FOLDERS: Readonly<Record<number, WriterFolder>> = { 1: 'packs', 3: 'lists' };
export const NO_WRITER = '0'.repeat(32) as WriterId;

/** Everything before the signature. */
export function encodeTombstone(
  repository: Uint8Array,
  object: ObjectId,
  names: readonly string[],
): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES + 4 + names.length * 33);
  writer.bytes(encodeHeader({ kind: 'tombstone', repository, writer: NO_WRITER, object }));
  writer.u32(names.length);
  for (const name of names.toSorted()) {
    const parsed = parseWriterObjectName(name);
    const folder = Object.entries(FOLDERS).find(([, value]) => value === parsed?.folder)?.[0];
    if (!parsed || !folder) throw new FerryError('bug', `a tombstone cannot name ${name}`);
    writer.u8(Number(folder)).bytes(idBytes(parsed.writer)).bytes(idBytes(parsed.id));
  }
  return writer.take();
}

export type SignedTombstone = {
  readonly names: readonly string[];
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
};

/** Reads without judging the signature: the caller holds the root key. */
export function decodeTombstone(
  bytes: Uint8Array,
  repository: Uint8Array,
  object: ObjectId,
  name: string,
): SignedTombstone {
  checkHeader(bytes, { kind: 'tombstone', repository, writer: NO_WRITER, object }, name);
  const reader = new ByteReader(bytes, name);
  reader.bytes(HEADER_BYTES);
  const count = reader.u32();
  if (count > NAMES_MAX) throw reader.damaged('too many names');
  const names: string[] = [];
  for (let index = 0; index < count; index++) {
    const folder = FOLDERS[reader.u8()];
    if (!folder) throw reader.damaged('it names something that is never deleted');
    const writer = idFromBytes<WriterId>(reader.bytes(ID_BYTES));
    names.push(writerObjectName(folder, writer, idFromBytes<ObjectId>(reader.bytes(ID_BYTES))));
  }
  const signed = bytes.subarray(0, reader.position);
  const signature = reader.bytes(SIGNATURE_BYTES);
  reader.end();
  return { names, signed, signature };
}
