/**
 * A pack: sealed header ‖ data frames ‖ directory frame ‖ trailer frame. The plaintext of a data frame is one
 * or more segments; a segment is one or more chunks, stored or compressed as a whole. FORMAT.md has the table.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { CHUNK_ID_BYTES, TAG_BYTES } from '../crypto/sizes.ts';

export const PACK_LIMITS = {
  packBytesMax: 64 * 1024 * 1024,
  framesMax: 65_536,
  chunksMax: 262_144,
  chunkBytesMax: 1024 * 1024,
  segmentBytesMax: 1024 * 1024,
  frameBytesMax: 2 * 1024 * 1024,
} as const;

export const TRAILER_FRAME = 0xffffffff;
export const TRAILER_PLAIN_BYTES = 16;
export const TRAILER_STORED_BYTES = TRAILER_PLAIN_BYTES + TAG_BYTES;

export const CODECS = { stored: 0, zstd: 1 } as const;
export type Codec = (typeof CODECS)[keyof typeof CODECS];

export type DirectoryChunk = { readonly id: Uint8Array; readonly length: number };
export type DirectorySegment = {
  readonly codec: Codec;
  /** Bytes inside the frame's plaintext. */
  readonly storedLength: number;
  /** Bytes once decompressed: the sum of its chunks. */
  readonly rawLength: number;
  readonly chunks: readonly DirectoryChunk[];
};
export type DirectoryFrame = {
  /** Bytes in the pack, authentication tag included. */
  readonly storedLength: number;
  readonly segments: readonly DirectorySegment[];
};

/** Sizes of the parts of an encoded directory, for a builder that must know when a pack is full. */
export const DIRECTORY_SIZES = {
  base: 4,
  frame: 6,
  segment: 11,
  chunk: CHUNK_ID_BYTES + 4,
} as const;

export function encodeDirectory(frames: readonly DirectoryFrame[]): Uint8Array {
  const writer = new ByteWriter(4096).u32(frames.length);
  for (const frame of frames) {
    writer.u32(frame.storedLength).u16(frame.segments.length);
    for (const segment of frame.segments) {
      writer.u8(segment.codec).u32(segment.storedLength).u32(segment.rawLength);
      writer.u16(segment.chunks.length);
      for (const chunk of segment.chunks) writer.bytes(chunk.id).u32(chunk.length);
    }
  }
  return writer.take();
}

/** Walks an encoded directory without building it; offsets are absolute in the pack. */
export type DirectoryVisitor = {
  frame?(frame: number, offset: number, storedLength: number): void;
  segment?(codec: Codec, offsetInFrame: number, storedLength: number, rawLength: number): void;
  chunk?(id: Buffer, offsetInSegment: number, length: number): void;
};

/**
 * Reads a directory strictly and calls the visitor for its parts in order. Lengths are checked against the
 * limits and each other before anybody allocates by them.
 * @param firstOffset where the first frame begins in the pack (the sealed header's length)
 */
export function visitDirectory(
  bytes: Uint8Array,
  firstOffset: number,
  what: string,
  visitor: DirectoryVisitor,
): void {
  const reader = new ByteReader(bytes, what);
  const frames = reader.u32();
  if (frames > PACK_LIMITS.framesMax) throw reader.damaged('too many frames');
  let offset = firstOffset;
  let chunksSeen = 0;
  for (let frame = 0; frame < frames; frame++) {
    const storedLength = reader.u32();
    const segments = reader.u16();
    if (storedLength < TAG_BYTES || storedLength - TAG_BYTES > PACK_LIMITS.frameBytesMax) {
      throw reader.damaged('a frame has an impossible length');
    }
    visitor.frame?.(frame, offset, storedLength);
    let offsetInFrame = 0;
    for (let segment = 0; segment < segments; segment++) {
      const { length, chunks } = visitSegment(reader, offsetInFrame, visitor);
      offsetInFrame += length;
      chunksSeen += chunks;
      if (chunksSeen > PACK_LIMITS.chunksMax) throw reader.damaged('too many chunks');
    }
    if (offsetInFrame !== storedLength - TAG_BYTES) {
      throw reader.damaged('segments do not fill their frame');
    }
    offset += storedLength;
    if (offset > PACK_LIMITS.packBytesMax) throw reader.damaged('it is longer than a pack may be');
  }
  reader.end();
}

function visitSegment(
  reader: ByteReader,
  offsetInFrame: number,
  visitor: DirectoryVisitor,
): { length: number; chunks: number } {
  const codec = reader.u8();
  const storedLength = reader.u32();
  const rawLength = reader.u32();
  const chunks = reader.u16();
  if (codec !== CODECS.stored && codec !== CODECS.zstd) throw reader.damaged('an unknown codec');
  if (rawLength > PACK_LIMITS.segmentBytesMax || storedLength > PACK_LIMITS.frameBytesMax) {
    throw reader.damaged('a segment has an impossible length');
  }
  if (codec === CODECS.stored && storedLength !== rawLength) {
    throw reader.damaged('a stored segment has two lengths');
  }
  visitor.segment?.(codec, offsetInFrame, storedLength, rawLength);
  let offset = 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const id = reader.bytes(CHUNK_ID_BYTES);
    const length = reader.u32();
    if (offset + length > rawLength) throw reader.damaged('chunks do not fit their segment');
    visitor.chunk?.(id, offset, length);
    offset += length;
  }
  if (offset !== rawLength) throw reader.damaged('chunks do not fill their segment');
  return { length: storedLength, chunks };
}

/** The plaintext of the directory frame: u32 length ‖ directory ‖ zeros up to `paddedLength`. */
export function encodePaddedDirectory(directory: Uint8Array, paddedLength: number): Uint8Array {
  const out = Buffer.alloc(paddedLength);
  out.writeUInt32LE(directory.length);
  out.set(directory, 4);
  return out;
}

export function decodePaddedDirectory(plaintext: Uint8Array, what: string): Uint8Array {
  const reader = new ByteReader(plaintext, what);
  const directory = reader.bytes(reader.u32());
  reader.zeros();
  return directory;
}

export type Trailer = {
  /** Number of data frames; the directory is the frame with this number. */
  readonly frames: number;
  readonly directoryOffset: number;
  readonly directoryStoredLength: number;
};

export function encodeTrailer(trailer: Trailer): Uint8Array {
  return new ByteWriter(TRAILER_PLAIN_BYTES)
    .u32(trailer.frames)
    .u32(trailer.directoryOffset)
    .u32(trailer.directoryStoredLength)
    .u32(0)
    .take();
}

export function decodeTrailer(plaintext: Uint8Array, what: string): Trailer {
  const reader = new ByteReader(plaintext, what);
  const trailer = {
    frames: reader.u32(),
    directoryOffset: reader.u32(),
    directoryStoredLength: reader.u32(),
  };
  reader.zeros();
  return trailer;
}
