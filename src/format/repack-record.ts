/**
 * A repack record `repacks/<id>`: header (writer: whose packs they are) ‖ the snapshots that it is about ‖ new packs ‖
 * emptied packs, each with the new ones that hold what those snapshots need of it ‖ root signature. It takes nothing
 * away from any other snapshot: one that it does not name needs the old packs.
 */
import { ByteReader, ByteWriter, fromHex, toHex } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { SIGNATURE_BYTES } from '../crypto/sizes.ts';
import { checkHeader, encodeHeader, HEADER_BYTES } from './header.ts';
import { ID_BYTES, idBytes, idFromBytes, type ObjectId, type WriterId } from './names.ts';
import { PACK_LIMITS } from './pack.ts';

const DIGEST_BYTES = 32;
const WRITER_OFFSET = 32;
const NAMED_MAX = 1_000_000;
export const REPACK_RECORD_BYTES_MAX = 64 * 1024 * 1024;

export type RepackRecord = {
  /** In whose folder all these packs lie. */
  readonly writer: WriterId;
  /** Digests of stored snapshots, hex: of whichever machine. Ascending. */
  readonly snapshots: readonly string[];
  /** Ascending by id. */
  readonly packs: readonly NewPack[];
  /** Ascending by id. */
  readonly emptied: readonly EmptiedPack[];
};

export type NewPack = {
  readonly pack: ObjectId;
  /** Stored size in bytes. */
  readonly size: number;
};

export type EmptiedPack = {
  readonly pack: ObjectId;
  /** Positions in `packs`, ascending; none where those snapshots need nothing of it. */
  readonly into: readonly number[];
};

/** Everything before the signature. */
export function encodeRepackRecord(
  repository: Uint8Array,
  object: ObjectId,
  { writer, snapshots, packs, emptied }: RepackRecord,
): Uint8Array {
  assert(snapshots.length > 0 && emptied.length > 0, 'a record is about something');
  const bytes = new ByteWriter(4096).bytes(
    encodeHeader({ kind: 'repack record', repository, writer, object }),
  );
  bytes.u32(snapshots.length);
  for (const digest of snapshots) bytes.bytes(fromHex(digest));
  bytes.u32(packs.length);
  for (const { pack, size } of packs) bytes.bytes(idBytes(pack)).u32(size);
  bytes.u32(emptied.length);
  for (const { pack, into } of emptied) {
    bytes.bytes(idBytes(pack)).u32(into.length);
    for (const position of into) bytes.u32(position);
  }
  return bytes.take();
}

export type SignedRepackRecord = RepackRecord & {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
};

/** Reads without judging the signature: the caller holds the root key. */
export function decodeRepackRecord(
  bytes: Uint8Array,
  repository: Uint8Array,
  object: ObjectId,
  name: string,
): SignedRepackRecord {
  const reader = new ByteReader(bytes, name);
  const header = reader.bytes(HEADER_BYTES);
  const writer = idFromBytes<WriterId>(header.subarray(WRITER_OFFSET, WRITER_OFFSET + ID_BYTES));
  checkHeader(bytes, { kind: 'repack record', repository, writer, object }, name);
  const snapshots = ascending(reader, 'snapshots', () => {
    const digest = toHex(reader.bytes(DIGEST_BYTES));
    return { key: digest, value: digest };
  });
  const packs = ascending(reader, 'new packs', () => newPack(reader));
  const emptied = ascending(reader, 'emptied packs', () => emptiedPack(reader, packs.length));
  if (snapshots.length === 0 || emptied.length === 0) throw reader.damaged('it is about nothing');
  const fresh = new Set(packs.map(({ pack }) => pack));
  if (emptied.some(({ pack }) => fresh.has(pack))) {
    throw reader.damaged('a pack is emptied into itself');
  }
  const signed = bytes.subarray(0, reader.position);
  const signature = reader.bytes(SIGNATURE_BYTES);
  reader.end();
  return { writer, snapshots, packs, emptied, signed, signature };
}

type Keyed<T> = { readonly key: string; readonly value: T };

/** A count and as many of one thing, each greater than the one before. */
function ascending<T>(reader: ByteReader, what: string, read: () => Keyed<T>): T[] {
  const count = reader.u32();
  if (count > NAMED_MAX) throw reader.damaged(`too many ${what}`);
  const values: T[] = [];
  let last: string | undefined;
  for (let index = 0; index < count; index++) {
    const { key, value } = read();
    if (last !== undefined && last >= key) throw reader.damaged(`its ${what} are not in order`);
    last = key;
    values.push(value);
  }
  return values;
}

function newPack(reader: ByteReader): Keyed<NewPack> {
  const pack = idFromBytes<ObjectId>(reader.bytes(ID_BYTES));
  const size = reader.u32();
  if (size > PACK_LIMITS.packBytesMax) throw reader.damaged('a pack has an impossible size');
  return { key: pack, value: { pack, size } };
}

function emptiedPack(reader: ByteReader, packs: number): Keyed<EmptiedPack> {
  const pack = idFromBytes<ObjectId>(reader.bytes(ID_BYTES));
  const count = reader.u32();
  if (count > packs) throw reader.damaged('a pack is emptied into more packs than there are');
  const into: number[] = [];
  for (let index = 0; index < count; index++) {
    const position = reader.u32();
    if (position >= packs || position <= (into.at(-1) ?? -1)) {
      throw reader.damaged('a pack is emptied into an impossible one');
    }
    into.push(position);
  }
  return { key: pack, value: { pack, into } };
}
