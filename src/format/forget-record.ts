/**
 * A forget record `forgets/<id>`: header (writer: whose snapshots they were) ‖ u32 count ‖ for each u64 sequence ‖
 * digest ‖ root signature. It says which snapshots of one machine were deleted on purpose; whatever else is missing
 * from that machine's chain was not. A digest of zeros stands for a snapshot that nobody deleted and nobody has: the
 * owner has accepted that its number stays empty.
 */
import { ByteReader, ByteWriter, fromHex, toHex } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { SIGNATURE_BYTES } from '../crypto/sizes.ts';
import { checkHeader, encodeHeader, HEADER_BYTES } from './header.ts';
import { ID_BYTES, idFromBytes, type ObjectId, type WriterId } from './names.ts';

const DIGEST_BYTES = 32;
const SNAPSHOT_BYTES = 8 + DIGEST_BYTES;
const WRITER_OFFSET = 32;
/** In place of a digest: it is lost, so it names nothing that could be deleted, here or in a mirror that has it. */
export const LOST_DIGEST = '00'.repeat(DIGEST_BYTES);
/** Far more than a machine makes; an object of this many is still read whole. */
export const FORGOTTEN_MAX = 1_000_000;
export const FORGET_RECORD_BYTES_MAX =
  HEADER_BYTES + 4 + FORGOTTEN_MAX * SNAPSHOT_BYTES + SIGNATURE_BYTES;

/** A snapshot by its place in its writer's chain and by its stored bytes. */
export type ForgottenSnapshot = {
  readonly sequence: number;
  /** BLAKE2b-256 of the stored bytes, hex; or LOST_DIGEST. */
  readonly digest: string;
};

export type ForgetRecord = {
  readonly writer: WriterId;
  /** Ascending by sequence, then by digest. */
  readonly snapshots: readonly ForgottenSnapshot[];
};

/** Everything before the signature. */
export function encodeForgetRecord(
  repository: Uint8Array,
  object: ObjectId,
  { writer, snapshots }: ForgetRecord,
): Uint8Array {
  assert(snapshots.length > 0 && snapshots.length <= FORGOTTEN_MAX, 'a record has a size');
  const bytes = new ByteWriter(HEADER_BYTES + 4 + snapshots.length * SNAPSHOT_BYTES)
    .bytes(encodeHeader({ kind: 'forget record', repository, writer, object }))
    .u32(snapshots.length);
  for (const { sequence, digest } of snapshots.toSorted(byPlace)) {
    bytes.u64(sequence).bytes(fromHex(digest));
  }
  return bytes.take();
}

export type SignedForgetRecord = ForgetRecord & {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
};

/** Reads without judging the signature: the caller holds the root key. */
export function decodeForgetRecord(
  bytes: Uint8Array,
  repository: Uint8Array,
  object: ObjectId,
  name: string,
): SignedForgetRecord {
  const reader = new ByteReader(bytes, name);
  const header = reader.bytes(HEADER_BYTES);
  const writer = idFromBytes<WriterId>(header.subarray(WRITER_OFFSET, WRITER_OFFSET + ID_BYTES));
  checkHeader(bytes, { kind: 'forget record', repository, writer, object }, name);
  const count = reader.u32();
  if (count === 0) throw reader.damaged('it names nothing');
  if (count > FORGOTTEN_MAX) throw reader.damaged('too many snapshots');
  const snapshots: ForgottenSnapshot[] = [];
  for (let index = 0; index < count; index++) {
    const one = { sequence: reader.u64(), digest: toHex(reader.bytes(DIGEST_BYTES)) };
    const before = snapshots.at(-1);
    if (one.sequence === 0) throw reader.damaged('a snapshot has the number 0');
    if (before && byPlace(before, one) >= 0) throw reader.damaged('its snapshots are not in order');
    snapshots.push(one);
  }
  const signed = bytes.subarray(0, reader.position);
  const signature = reader.bytes(SIGNATURE_BYTES);
  reader.end();
  return { writer, snapshots, signed, signature };
}

/** Two may have one number: those of two machines with the same settings. */
const byPlace = (a: ForgottenSnapshot, b: ForgottenSnapshot): number =>
  a.sequence - b.sequence || (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0);
