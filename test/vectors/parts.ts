/**
 * How a vector is put together: the same steps that a writer takes, but with every nonce and every encapsulation from a
 * fixed stream, and with a handle on each part, so that bad vectors can have exactly one thing wrong.
 */
import { concatBytes, fromHex } from '../../src/base/bytes.ts';
import { sealBox } from '../../src/crypto/box.ts';
import { CHUNK_KINDS, chunkId, chunkIdKey, type ChunkKind } from '../../src/crypto/chunk-id.ts';
import { sealBody, sealFrameInto, type ObjectKey } from '../../src/crypto/frames.ts';
import { sealHeader, type SealedHeader } from '../../src/crypto/sealing.ts';
import { sign, type SignaturePurpose } from '../../src/crypto/signature.ts';
import { TAG_BYTES } from '../../src/crypto/sizes.ts';
import { encodeHeader, type ObjectKind } from '../../src/format/header.ts';
import type { ObjectId } from '../../src/format/names.ts';
import {
  CODECS,
  encodeDirectory,
  encodePaddedDirectory,
  encodeTrailer,
  TRAILER_FRAME,
  TRAILER_STORED_BYTES,
  type Codec,
  type DirectoryFrame,
} from '../../src/format/pack.ts';
import { CHUNK_ID_KEY, OWNER, REPOSITORY, WRITER, type Writer } from './keys.ts';
import { fixedBytes, fixedRandom } from './stream.ts';

export type Place = { readonly kind: ObjectKind; readonly object: ObjectId; readonly who?: Writer };

export const plainHeader = (place: Place, repository = REPOSITORY): Uint8Array =>
  encodeHeader({
    kind: place.kind,
    repository: fromHex(repository),
    writer: (place.who ?? WRITER).id,
    object: place.object,
  });

/** @param label names the stream that the encapsulation's randomness comes from */
export const sealFor = (prefix: Uint8Array, label: string, recipient = OWNER): SealedHeader =>
  sealHeader(recipient.recipient.publicKey, prefix, fixedBytes(`encapsulation ${label}`, 64));

/** Header ‖ box: an index or a pack list. */
export function boxed(
  place: Place,
  key: Uint8Array,
  plaintext: Uint8Array,
  label: string,
): Uint8Array {
  const header = plainHeader(place);
  return concatBytes(header, sealBox(key, header, plaintext, fixedRandom(`nonce ${label}`)));
}

export const signed = (
  purpose: SignaturePurpose,
  bytes: Uint8Array,
  secretKey: Uint8Array,
): Uint8Array => concatBytes(bytes, sign(purpose, bytes, secretKey));

export const sealedBody = (key: ObjectKey, plaintext: Uint8Array): Uint8Array =>
  sealBody(key, plaintext);

export function sealFrame(
  key: ObjectKey,
  frame: number,
  last: boolean,
  plaintext: Uint8Array,
): Uint8Array {
  const out = Buffer.alloc(plaintext.length + TAG_BYTES);
  sealFrameInto(key, frame, last, plaintext, out, 0);
  return out;
}

export type VectorChunk = { readonly kind: ChunkKind; readonly content: Uint8Array };
export type VectorSegment = {
  readonly chunks: readonly VectorChunk[];
  /** The segment as one zstd frame; as it is when left out. */
  readonly zstd?: Uint8Array;
};

export const idOf = (chunk: VectorChunk): Uint8Array =>
  chunkId(chunkIdKey(CHUNK_ID_KEY), chunk.kind, chunk.content);

export const dataChunk = (content: Uint8Array): VectorChunk => ({
  kind: CHUNK_KINDS.data,
  content,
});
export const pageChunk = (content: Uint8Array): VectorChunk => ({
  kind: CHUNK_KINDS.page,
  content,
});
export const listChunk = (content: Uint8Array): VectorChunk => ({
  kind: CHUNK_KINDS.list,
  content,
});

export type PackFrame = { readonly plaintext: Uint8Array; readonly entry: DirectoryFrame };

export function packFrame(segments: readonly VectorSegment[]): PackFrame {
  const parts = segments.map((segment) => {
    const raw = concatBytes(...segment.chunks.map((chunk) => chunk.content));
    const codec: Codec = segment.zstd ? CODECS.zstd : CODECS.stored;
    return { segment, raw, codec, stored: segment.zstd ?? raw };
  });
  const plaintext = concatBytes(...parts.map((part) => part.stored));
  const entry = {
    storedLength: plaintext.length + TAG_BYTES,
    segments: parts.map(({ segment, raw, codec, stored }) => ({
      codec,
      storedLength: stored.length,
      rawLength: raw.length,
      chunks: segment.chunks.map((chunk) => ({ id: idOf(chunk), length: chunk.content.length })),
    })),
  };
  return { plaintext, entry };
}

/** What may be wrong with a pack. */
export type PackEdits = {
  readonly directory?: (directory: Uint8Array) => Uint8Array;
  readonly paddedDirectory?: (padded: Uint8Array) => Uint8Array;
  readonly trailer?: (trailer: Uint8Array) => Uint8Array;
  readonly isTrailerLast?: boolean;
  readonly directoryFrame?: number;
};

/** @param packBytes the size to fill up to; without it the pack has no padding, as bad vectors need none */
export function sealPack(
  sealed: SealedHeader,
  frames: readonly PackFrame[],
  packBytes: number | undefined,
  edits: PackEdits = {},
): Uint8Array {
  const { header, objectKey } = sealed;
  const data = frames.map((frame, index) => sealFrame(objectKey, index, false, frame.plaintext));
  const directory = change(edits.directory, encodeDirectory(frames.map((frame) => frame.entry)));
  const used = data.reduce((sum, frame) => sum + frame.length, header.length);
  const room =
    packBytes === undefined
      ? directory.length + 4 + 32
      : packBytes - used - TAG_BYTES - TRAILER_STORED_BYTES;
  const padded = change(edits.paddedDirectory, encodePaddedDirectory(directory, room));
  const number = edits.directoryFrame ?? frames.length;
  const directoryFrame = sealFrame(objectKey, number, false, padded);
  const trailer = change(
    edits.trailer,
    encodeTrailer({
      frames: frames.length,
      directoryOffset: used,
      directoryStoredLength: directoryFrame.length,
    }),
  );
  const trailerFrame = sealFrame(objectKey, TRAILER_FRAME, edits.isTrailerLast ?? true, trailer);
  return concatBytes(header, ...data, directoryFrame, trailerFrame);
}

const change = (
  edit: ((bytes: Uint8Array) => Uint8Array) | undefined,
  bytes: Uint8Array,
): Uint8Array => edit?.(bytes) ?? bytes;

/** A copy with one bit changed; a negative offset counts from the end. */
export function flipBit(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = offset < 0 ? bytes.length + offset : offset;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** A copy with other bytes at an offset. */
export function overwrite(bytes: Uint8Array, offset: number, replacement: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.set(replacement, offset);
  return copy;
}
