/**
 * A snapshot: sealed header ‖ u32 cover length ‖ cover ‖ sealed body ‖ signature. The cover is a box under the
 * writer's cover subkey (what that machine needs later); the body is sealed to the identity. The signature is
 * over everything before it, the digest over everything.
 */
import { z } from 'zod';
import { ByteReader, ByteWriter, utf8 } from '../base/bytes.ts';
import { SIGNATURE_BYTES } from '../crypto/sizes.ts';
import { SEALED_HEADER_BYTES } from './header.ts';
import { parseJson } from './json.ts';
import { decodePadded, encodePadded } from './padded.ts';

export const SNAPSHOT_LIMITS = {
  snapshotBytesMax: 64 * 1024 * 1024,
  coverBytesMax: 64 * 1024,
  /** Of what was left out, and of what could not be read: so much is told by name. */
  listBytesMax: 12 * 1024 * 1024,
} as const;

const hex16 = z.string().regex(/^[0-9a-f]{32}$/);
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

/** Characters of the name of the machine that a copy is of. */
export const ORIGIN_MACHINE_MAX = 200;

/** The snapshot of another repository that this one is a copy of. */
const originSchema = z.object({
  repository: hex16,
  /** As that repository called its machine; of a longer one the end. */
  machine: z.string().max(ORIGIN_MACHINE_MAX),
  snapshot: hex16,
  digest: hex32,
  time: z.iso.datetime(),
});
export type Origin = z.infer<typeof originSchema>;

export const coverSchema = z.object({
  /** 1 for a writer's first snapshot. */
  sequence: z.int().positive(),
  /** Digest of the writer's snapshot before this one; null for the first. */
  previous: hex32.nullable(),
  /** The store's Date when the commit began (C1), RFC 3339; of a copy, the time of its origin. */
  time: z.iso.datetime(),
  install: z.string().max(300),
  machine: z.string().max(200),
  label: z.string().max(500).nullable(),
  files: count,
  bytes: count,
  packList: hex16,
  origin: originSchema.optional(),
});
export type Cover = z.infer<typeof coverSchema>;

const rootSchema = z.object({
  /** `state`, `workspace`, …: unique in the snapshot. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  kind: z.string().max(40),
  /** Absolute path on the old machine, escaped as `showPath` does. */
  path: z.string().max(20_000),
  /** Id of the root directory's top page. */
  page: hex32,
  files: count,
  bytes: count,
});

const bodySchema = z.object({
  tool: z.string().max(100),
  install: z.object({
    install: z.string().max(300),
    brand: z.string().max(100),
    profile: z.string().max(200),
    version: z.string().max(100).nullable(),
    platform: z.string().max(40),
    home: z.string().max(20_000),
  }),
  /** Of an install that came from another machine or name: what its chunk ids are under, instead of the derived one. */
  chunkIdKey: hex32.optional(),
  roots: z.array(rootSchema).max(1000),
  omissions: z.array(z.object({ path: z.string(), reason: z.string() })),
  problems: z.array(z.object({ path: z.string(), code: z.string() })),
  /** What the gateway layer counted and needs for landing; its own schema checks it. */
  gateway: z.json(),
});
export type SnapshotBody = z.infer<typeof bodySchema>;
export type SnapshotRoot = z.infer<typeof rootSchema>;

export const encodeCover = (cover: Cover): Uint8Array =>
  encodePadded(utf8(JSON.stringify(coverSchema.parse(cover))));
export const decodeCover = (plaintext: Uint8Array, name: string): Cover =>
  parseJson(coverSchema, decodePadded(plaintext, name), name);

/** However much was left out or could not be read: nobody could read a snapshot that is too long. */
export function encodeSnapshotBody(body: SnapshotBody): Uint8Array {
  const path = (count: number): string => `${count} more`;
  const omissions = abridged(body.omissions, (count) => ({
    path: path(count),
    reason: 'not named here: the list is full',
  }));
  const problems = abridged(body.problems, (count) => ({ path: path(count), code: 'list-full' }));
  return encodePadded(utf8(JSON.stringify(bodySchema.parse({ ...body, omissions, problems }))));
}

function abridged<T>(all: readonly T[], more: (count: number) => T): readonly T[] {
  let bytes = 0;
  const end = all.findIndex((one) => {
    bytes += utf8(JSON.stringify(one)).length + 1;
    return bytes > SNAPSHOT_LIMITS.listBytesMax;
  });
  return end < 0 ? all : [...all.slice(0, end), more(all.length - end)];
}

export const decodeSnapshotBody = (plaintext: Uint8Array, name: string): SnapshotBody =>
  parseJson(bodySchema, decodePadded(plaintext, name), name);

/** Everything before the signature. */
export function assembleSnapshot(
  sealedHeader: Uint8Array,
  coverBox: Uint8Array,
  sealedBody: Uint8Array,
): Uint8Array {
  return new ByteWriter(sealedHeader.length + 4 + coverBox.length + sealedBody.length)
    .bytes(sealedHeader)
    .u32(coverBox.length)
    .bytes(coverBox)
    .bytes(sealedBody)
    .take();
}

export type SnapshotParts = {
  readonly sealedHeader: Uint8Array;
  readonly coverBox: Uint8Array;
  readonly sealedBody: Uint8Array;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
};

export function splitSnapshot(bytes: Uint8Array, name: string): SnapshotParts {
  const reader = new ByteReader(bytes, name);
  const sealedHeader = reader.bytes(SEALED_HEADER_BYTES);
  const coverBytes = reader.u32();
  if (coverBytes > SNAPSHOT_LIMITS.coverBytesMax) throw reader.damaged('its cover is too long');
  const coverBox = reader.bytes(coverBytes);
  const bodyBytes = reader.remaining - SIGNATURE_BYTES;
  if (bodyBytes < 0) throw reader.damaged('it ends too early');
  const sealedBody = reader.bytes(bodyBytes);
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  return { sealedHeader, coverBox, sealedBody, signed, signature: reader.bytes(SIGNATURE_BYTES) };
}
