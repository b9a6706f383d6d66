/**
 * One pack read whole, and of it what somebody needs, as frames for new packs: each from one old frame, with the
 * segments that hold a living chunk, as they are. Every living chunk is opened and compared with its id.
 */
import { messageOf } from '../../base/errors.ts';
import { crc32 } from '../../codec/checksum.ts';
import { decompressInto } from '../../codec/zstd.ts';
import { CHUNK_KINDS, chunkId, type ChunkIdKey } from '../../crypto/chunk-id.ts';
import { openFrameInto, type ObjectKey } from '../../crypto/frames.ts';
import { CHUNK_ID_BYTES, TAG_BYTES } from '../../crypto/sizes.ts';
import { SEALED_HEADER_BYTES } from '../../format/header.ts';
import {
  CODECS,
  PACK_LIMITS,
  visitDirectory,
  type DirectoryChunk,
  type DirectoryFrame,
  type DirectorySegment,
} from '../../format/pack.ts';
import { bothVouched, isVouched } from '../../format/vouched-directory.ts';
import { damaged } from '../../repository/objects.ts';

export type LivingFrame = {
  readonly entry: DirectoryFrame;
  /** Valid until the next one is made. */
  readonly plaintext: Uint8Array;
  /** Of the plaintext, taken before anything else was done with it. */
  readonly crc32: number;
};

export type ReadPack = {
  readonly name: string;
  /** All of it. */
  readonly bytes: Uint8Array;
  readonly objectKey: ObjectKey;
  readonly directory: Uint8Array;
};

/** Memory for one frame and one segment: made anew for each, most of the time would go into collecting it. */
export class Scratch {
  readonly frame = Buffer.alloc(PACK_LIMITS.frameBytesMax);
  readonly segment = Buffer.alloc(PACK_LIMITS.segmentBytesMax);
}

/**
 * @param keys under which the ids of living chunks are
 * @throws object-damaged when a living chunk is not what its id says
 */
export function* livingFrames(
  pack: ReadPack,
  isLiving: (id: Buffer) => boolean,
  keys: readonly ChunkIdKey[],
  scratch: Scratch,
): Generator<LivingFrame> {
  const wanted = (segment: DirectorySegment): boolean =>
    segment.chunks.some(({ id }) => isLiving(Buffer.from(id)));
  for (const frame of framesIn(pack.directory, pack.name)) {
    const segments = frame.entry.segments.filter(wanted);
    if (segments.length === 0) continue;
    const opened = openedFrame(pack, frame, scratch);
    const plaintext = gathered(opened, frame.entry.segments, segments);
    const crc = crc32(plaintext);
    const kept: DirectorySegment[] = [];
    let at = 0;
    for (const segment of segments) {
      const stored = plaintext.subarray(at, at + segment.storedLength);
      at += segment.storedLength;
      const chunks = verified(segment, stored, isLiving, keys, pack.name, scratch);
      kept.push({ ...segment, chunks });
    }
    const entry = { storedLength: plaintext.length + TAG_BYTES, segments: kept };
    yield { entry, plaintext, crc32: crc };
  }
}

/**
 * Whether a pack opens for whoever reads it and holds what was put in.
 * @param crcs of the plaintext of its frames
 */
export function holds(pack: ReadPack, crcs: readonly number[], scratch: Scratch): boolean {
  const frames = framesIn(pack.directory, pack.name);
  return (
    frames.length === crcs.length &&
    frames.every((frame, number) => crc32(openedFrame(pack, frame, scratch)) === crcs[number])
  );
}

function openedFrame(
  { name, bytes, objectKey }: ReadPack,
  { number, offset, entry }: PlacedFrame,
  scratch: Scratch,
): Uint8Array {
  const stored = bytes.subarray(offset, offset + entry.storedLength);
  const isOpen = openFrameInto(objectKey, number, false, stored, scratch.frame);
  if (!isOpen) throw damaged(name, `its frame ${number} does not open`);
  return scratch.frame.subarray(0, entry.storedLength - TAG_BYTES);
}

/** Some segments of a frame, moved to its beginning. */
function gathered(
  frame: Uint8Array,
  all: readonly DirectorySegment[],
  some: readonly DirectorySegment[],
): Uint8Array {
  const isWanted = new Set(some);
  let [from, to] = [0, 0];
  for (const segment of all) {
    const end = from + segment.storedLength;
    if (isWanted.has(segment)) {
      frame.copyWithin(to, from, end);
      to += segment.storedLength;
    }
    from = end;
  }
  return frame.subarray(0, to);
}

/** What all of these say of one pack; undefined: somebody lies about it, or nobody knows it. */
export function agreedDirectory(directories: readonly Uint8Array[]): Uint8Array | undefined {
  let [all] = directories;
  for (const one of directories) all = all && bothVouched(all, one);
  return all;
}

/** What is dead beside something living stays where it is, under its id only if that was verified too. */
function verified(
  { codec, rawLength, chunks }: DirectorySegment,
  stored: Uint8Array,
  isLiving: (id: Buffer) => boolean,
  keys: readonly ChunkIdKey[],
  name: string,
  scratch: Scratch,
): DirectoryChunk[] {
  const raw =
    codec === CODECS.stored
      ? stored
      : unpacked(stored, scratch.segment.subarray(0, rawLength), name);
  let at = 0;
  return chunks.map((chunk) => {
    const content = raw.subarray(at, at + chunk.length);
    at += chunk.length;
    const id = Buffer.from(chunk.id);
    if (isVouched(id) && isItsId(id, content, keys)) return chunk;
    if (isLiving(id)) throw damaged(name, 'a chunk that is needed is not what its id says');
    return { ...chunk, id: Buffer.alloc(CHUNK_ID_BYTES) };
  });
}

function unpacked(stored: Uint8Array, into: Uint8Array, name: string): Uint8Array {
  try {
    decompressInto(stored, into);
    return into;
  } catch (error) {
    throw damaged(name, messageOf(error));
  }
}

const KINDS = [CHUNK_KINDS.data, CHUNK_KINDS.page, CHUNK_KINDS.list];

const isItsId = (id: Buffer, content: Uint8Array, keys: readonly ChunkIdKey[]): boolean =>
  keys.some((key) => KINDS.some((kind) => chunkId(key, kind, content).equals(id)));

type PlacedFrame = {
  readonly number: number;
  readonly offset: number;
  readonly entry: DirectoryFrame;
};

function framesIn(directory: Uint8Array, what: string): PlacedFrame[] {
  const frames: (PlacedFrame & { readonly entry: { readonly segments: DirectorySegment[] } })[] =
    [];
  let chunks: DirectoryChunk[] = [];
  visitDirectory(directory, SEALED_HEADER_BYTES, what, {
    frame: (number, offset, storedLength) => {
      frames.push({ number, offset, entry: { storedLength, segments: [] } });
    },
    segment: (codec, _offset, storedLength, rawLength) => {
      chunks = [];
      frames.at(-1)?.entry.segments.push({ codec, storedLength, rawLength, chunks });
    },
    chunk: (id, _offset, length) => void chunks.push({ id: Buffer.from(id), length }),
  });
  return frames;
}
