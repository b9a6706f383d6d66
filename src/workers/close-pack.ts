/** The end of a pack: its directory, padded, and its trailer. */
import { crc32 } from 'node:zlib';
import { assert } from '../base/errors.ts';
import { padme, paddedSize } from '../codec/padding.ts';
import { sealFrameInto, type ObjectKey } from '../crypto/frames.ts';
import { TAG_BYTES } from '../crypto/sizes.ts';
import {
  encodeDirectory,
  encodePaddedDirectory,
  encodeTrailer,
  TRAILER_FRAME,
  TRAILER_STORED_BYTES,
  type DirectoryFrame,
} from '../format/pack.ts';

export type OpenFrames = {
  readonly objectKey: ObjectKey;
  readonly frames: readonly DirectoryFrame[];
  /** Bytes up to the end of the last frame. */
  readonly used: number;
};

export type ClosedPack = {
  /** Of the whole pack. */
  readonly length: number;
  readonly crc32: number;
  readonly directory: Uint8Array;
};

/** Bytes that closing a pack adds: length and tag of the directory, and the trailer. */
export const closingBytes = (directoryBytes: number): number =>
  4 + directoryBytes + TAG_BYTES + TRAILER_STORED_BYTES;

/** Writes the end behind the frames. */
export function closePack(
  { objectKey, frames, used }: OpenFrames,
  out: Uint8Array,
  packBytes: number,
): ClosedPack {
  const directory = encodeDirectory(frames);
  const length = paddedPackSize(used + closingBytes(directory.length), packBytes);
  const paddedDirectory = length - used - TAG_BYTES - TRAILER_STORED_BYTES;
  const plaintext = encodePaddedDirectory(directory, paddedDirectory);
  const { length: number } = frames;
  const directoryStoredLength = sealFrameInto(objectKey, number, false, plaintext, out, used);
  const trailer = encodeTrailer({ frames: number, directoryOffset: used, directoryStoredLength });
  sealFrameInto(objectKey, TRAILER_FRAME, true, trailer, out, used + directoryStoredLength);
  return { length, directory, crc32: crc32(out.subarray(0, length)) };
}

/** The size that hides how full a pack is. A pack with many tiny chunks may be full before its bytes are. */
function paddedPackSize(size: number, packBytes: number): number {
  assert(padme(packBytes) === packBytes, 'a full pack has a Padmé size');
  return Math.min(packBytes, paddedSize(size));
}
