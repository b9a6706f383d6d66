/**
 * An index: which chunks lie in which packs, as the directories of those packs. A hint only: every chunk is
 * checked against its id, and a reader can rebuild all of it from the packs.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { decodePadded, encodePadded } from './padded.ts';
import { ID_BYTES, idBytes, idFromBytes, type ObjectId, type WriterId } from './names.ts';
import { PACK_LIMITS } from './pack.ts';

export type IndexedPack = {
  readonly writer: WriterId;
  readonly pack: ObjectId;
  /** Stored size of the pack in bytes. */
  readonly size: number;
  /** The pack's directory, encoded. */
  readonly directory: Uint8Array;
};

export const INDEX_LIMITS = { packsMax: 65_536, indexBytesMax: 64 * 1024 * 1024 } as const;

export function encodeIndex(packs: readonly IndexedPack[]): Uint8Array {
  const bytes = packs.reduce((sum, { directory }) => sum + PACK_HEAD_BYTES + directory.length, 4);
  const writer = new ByteWriter(bytes).u32(packs.length);
  for (const pack of packs) {
    writer.bytes(idBytes(pack.writer)).bytes(idBytes(pack.pack)).u32(pack.size);
    writer.u32(pack.directory.length).bytes(pack.directory);
  }
  const padded = encodePadded(writer.view());
  writer.release();
  return padded;
}

/** Two ids, the pack's size and the length of its directory. */
const PACK_HEAD_BYTES = 2 * ID_BYTES + 8;

/** Directories are not looked into here: `visitDirectory` reads them strictly. */
export function decodeIndex(plaintext: Uint8Array, what: string): IndexedPack[] {
  const reader = new ByteReader(decodePadded(plaintext, what), what);
  const count = reader.u32();
  if (count > INDEX_LIMITS.packsMax) throw reader.damaged('too many packs');
  const packs: IndexedPack[] = [];
  for (let index = 0; index < count; index++) {
    const writer = idFromBytes<WriterId>(reader.bytes(ID_BYTES));
    const pack = idFromBytes<ObjectId>(reader.bytes(ID_BYTES));
    const size = reader.u32();
    if (size > PACK_LIMITS.packBytesMax) throw reader.damaged('a pack has an impossible size');
    packs.push({ writer, pack, size, directory: reader.bytes(reader.u32()) });
  }
  reader.end();
  return packs;
}
