/** A pack list: the packs that a snapshot needs, sorted by writer and id. Reused while it stays the same. */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { decodePadded, encodePadded } from './padded.ts';
import { ID_BYTES, idBytes, idFromBytes, type ObjectId, type WriterId } from './names.ts';
import { PACK_LIMITS } from './pack.ts';

export type ListedPack = {
  readonly writer: WriterId;
  readonly pack: ObjectId;
  /** Stored size in bytes. */
  readonly size: number;
};

/** No more of a pack than a list says: what an index knows of a large repository's packs is many megabytes. */
export const listedPack = ({ writer, pack, size }: ListedPack): ListedPack => ({
  writer,
  pack,
  size,
});

const PACKS_MAX = 4_000_000;

export function encodePackList(packs: readonly ListedPack[]): Uint8Array {
  const writer = new ByteWriter(4 + packs.length * 36).u32(packs.length);
  for (const pack of packs.toSorted(byWriterAndId)) {
    writer.bytes(idBytes(pack.writer)).bytes(idBytes(pack.pack)).u32(pack.size);
  }
  return encodePadded(writer.view());
}

export function decodePackList(plaintext: Uint8Array, what: string): ListedPack[] {
  const reader = new ByteReader(decodePadded(plaintext, what), what);
  const count = reader.u32();
  if (count > PACKS_MAX) throw reader.damaged('too many packs');
  const packs: ListedPack[] = [];
  for (let index = 0; index < count; index++) {
    const writer = idFromBytes<WriterId>(reader.bytes(ID_BYTES));
    const pack = idFromBytes<ObjectId>(reader.bytes(ID_BYTES));
    const size = reader.u32();
    if (size > PACK_LIMITS.packBytesMax) throw reader.damaged('a pack has an impossible size');
    const last = packs.at(-1);
    if (last && last.writer + last.pack >= writer + pack)
      throw reader.damaged('it is not in order');
    packs.push({ writer, pack, size });
  }
  reader.end();
  return packs;
}

const byWriterAndId = (a: ListedPack, b: ListedPack): number =>
  a.writer + a.pack < b.writer + b.pack ? -1 : 1;
