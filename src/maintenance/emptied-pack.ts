/**
 * One pack read whole, and of it what somebody needs, as frames for new packs: each from one old frame, with the
 * segments that hold a living chunk, as they are. Every living chunk is opened and compared with its id.
 */
import { messageOf } from '../base/errors.ts';
import { decompress } from '../codec/zstd.ts';
import { CHUNK_KINDS, chunkId, type ChunkIdKey } from '../crypto/chunk-id.ts';
import { openFrame, type ObjectKey } from '../crypto/frames.ts';
import { CHUNK_ID_BYTES, TAG_BYTES } from '../crypto/sizes.ts';
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import {
  CODECS,
  visitDirectory,
  type DirectoryChunk,
  type DirectoryFrame,
  type DirectorySegment,
} from '../format/pack.ts';
import { bothVouched, isVouched } from '../format/vouched-directory.ts';
import { damaged } from '../repository/objects.ts';

export type LivingFrame = {
  readonly entry: DirectoryFrame;
  readonly plaintext: Buffer;
};

export type ReadPack = {
  readonly name: string;
  /** All of it. */
  readonly bytes: Uint8Array;
  readonly objectKey: ObjectKey;
  readonly directory: Uint8Array;
};

/**
 * @param keys under which the ids of living chunks are
 * @throws object-damaged when a living chunk is not what its id says
 */
export function* livingFrames(
  { name, bytes, objectKey, directory }: ReadPack,
  isLiving: (id: Buffer) => boolean,
  keys: readonly ChunkIdKey[],
): Generator<LivingFrame> {
  const wanted = (segment: DirectorySegment): boolean =>
    segment.chunks.some(({ id }) => isLiving(Buffer.from(id)));
  for (const { number, offset, entry } of framesIn(directory, name)) {
    if (!entry.segments.some(wanted)) continue;
    const stored = bytes.subarray(offset, offset + entry.storedLength);
    const plain = openFrame(objectKey, number, false, stored);
    if (!plain) throw damaged(name, `its frame ${number} does not open`);
    const kept: { readonly segment: DirectorySegment; readonly stored: Buffer }[] = [];
    let at = 0;
    for (const segment of entry.segments) {
      const part = plain.subarray(at, at + segment.storedLength);
      at += segment.storedLength;
      if (!wanted(segment)) continue;
      const chunks = verified(segment, part, isLiving, keys, name);
      kept.push({ segment: { ...segment, chunks }, stored: part });
    }
    const plaintext = Buffer.concat(kept.map((one) => one.stored));
    const segments = kept.map(({ segment }) => segment);
    yield { entry: { storedLength: plaintext.length + TAG_BYTES, segments }, plaintext };
  }
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
  stored: Buffer,
  isLiving: (id: Buffer) => boolean,
  keys: readonly ChunkIdKey[],
  name: string,
): DirectoryChunk[] {
  const raw = codec === CODECS.stored ? stored : unpacked(stored, rawLength, name);
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

function unpacked(stored: Buffer, rawLength: number, name: string): Buffer {
  try {
    return decompress(stored, rawLength);
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
