/**
 * A revocation `revocations/<writer>`: header ‖ time ‖ u32 count ‖ the snapshots that count ‖ root signature. A machine
 * that may not write any more keeps exactly the snapshots that stand here: what it stores later, before its own past
 * or in place of it, is none of them. By digest, so that it can be held against snapshots that nobody here can open.
 */
import { ByteReader, ByteWriter, fromHex, toHex } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { SIGNATURE_BYTES } from '../crypto/sizes.ts';
import { checkHeader, encodeHeader, HEADER_BYTES } from './header.ts';
import type { ObjectId, WriterId } from './names.ts';

const SNAPSHOTS_MAX = 1_000_000;
const DIGEST_BYTES = 32;
const SNAPSHOT_BYTES = 8 + DIGEST_BYTES;
/** The last moment that a date can be (in milliseconds). */
const TIME_MAX = 8_640_000_000_000_000;
export const REVOCATION_BYTES_MAX =
  HEADER_BYTES + 8 + 4 + SNAPSHOTS_MAX * SNAPSHOT_BYTES + SIGNATURE_BYTES;

/** A snapshot by its place in the chain of its writer and by its stored bytes. */
export type CountedSnapshot = {
  readonly sequence: number;
  /** BLAKE2b-256 of the stored bytes, hex. */
  readonly digest: string;
};

export type RevocationBody = {
  /** The store's, when it was made. */
  readonly timeMs: number;
  /** Ascending; the last one is the last that counts. */
  readonly snapshots: readonly CountedSnapshot[];
};

/** Everything before the signature. */
export function encodeRevocation(
  repository: Uint8Array,
  writer: WriterId,
  { timeMs, snapshots }: RevocationBody,
): Uint8Array {
  assert(snapshots.length <= SNAPSHOTS_MAX, 'no machine makes so many snapshots');
  const bytes = new ByteWriter(HEADER_BYTES + 12 + snapshots.length * SNAPSHOT_BYTES)
    .bytes(encodeHeader({ kind: 'revocation', ...revocationPlace(repository, writer) }))
    .u64(timeMs)
    .u32(snapshots.length);
  for (const { sequence, digest } of snapshots.toSorted(inOrder)) {
    bytes.u64(sequence).bytes(fromHex(digest));
  }
  return bytes.take();
}

export type SignedRevocation = RevocationBody & {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
};

/** Reads without judging the signature: the caller holds the root key. */
export function decodeRevocation(
  bytes: Uint8Array,
  repository: Uint8Array,
  writer: WriterId,
  name: string,
): SignedRevocation {
  checkHeader(bytes, { kind: 'revocation', ...revocationPlace(repository, writer) }, name);
  const reader = new ByteReader(bytes, name);
  reader.bytes(HEADER_BYTES);
  const timeMs = reader.u64();
  if (timeMs > TIME_MAX) throw reader.damaged('its time is none');
  const count = reader.u32();
  if (count > SNAPSHOTS_MAX) throw reader.damaged('too many snapshots');
  const snapshots: CountedSnapshot[] = [];
  for (let index = 0; index < count; index++) {
    const one = { sequence: reader.u64(), digest: toHex(reader.bytes(DIGEST_BYTES)) };
    const before = snapshots.at(-1);
    if (one.sequence === 0) throw reader.damaged('a snapshot has the number 0');
    if (before && inOrder(before, one) >= 0) throw reader.damaged('its snapshots are not in order');
    snapshots.push(one);
  }
  const signed = bytes.subarray(0, reader.position);
  const signature = reader.bytes(SIGNATURE_BYTES);
  reader.end();
  return { timeMs, snapshots, signed, signature };
}

/** Two may have one number: those of two machines with the same settings. */
const inOrder = (a: CountedSnapshot, b: CountedSnapshot): number =>
  a.sequence - b.sequence || (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0);

/** It has no id of its own: its writer's stands in both places. */
const revocationPlace = (
  repository: Uint8Array,
  writer: WriterId,
): { repository: Uint8Array; writer: WriterId; object: ObjectId } => ({
  repository,
  writer,
  object: writer as string as ObjectId,
});
