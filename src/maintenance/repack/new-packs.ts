/** Fills new packs with frames of old ones. */
import { fromHex } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import { sealFrameInto, type ObjectKey } from '../../crypto/frames.ts';
import { sealHeader } from '../../crypto/sealing.ts';
import type { Random } from '../../crypto/sodium.ts';
import { encodeHeader, SEALED_HEADER_BYTES } from '../../format/header.ts';
import type { IndexedPack } from '../../format/index-object.ts';
import { idFromBytes, type ObjectId, type WriterId } from '../../format/names.ts';
import { DIRECTORY_SIZES, PACK_LIMITS, type DirectoryFrame } from '../../format/pack.ts';
import { closePack, closingBytes } from '../../workers/close-pack.ts';
import { PIPELINE } from '../../workers/limits.ts';
import type { LivingFrame } from './emptied-pack.ts';

export type BuiltPack = {
  readonly pack: IndexedPack;
  readonly bytes: Uint8Array;
  readonly crc32: number;
  /** Of the plaintext of each frame. */
  readonly frameCrcs: readonly number[];
};

export type PackPlace = {
  readonly repository: string;
  readonly writer: WriterId;
  /** What packs are sealed to. */
  readonly recipient: Uint8Array;
};

export class NewPack {
  readonly id: ObjectId;
  readonly #place: PackPlace;
  readonly #objectKey: ObjectKey;
  readonly #out: Uint8Array;
  readonly #frames: DirectoryFrame[] = [];
  readonly #frameCrcs: number[] = [];
  #used: number = SEALED_HEADER_BYTES;
  #directoryBytes: number = DIRECTORY_SIZES.base;
  #chunks = 0;

  /** @param out at least PIPELINE.packBytes; nobody else's until the pack was stored */
  constructor(place: PackPlace, out: Uint8Array, random: Random) {
    this.#place = place;
    this.#out = out;
    this.id = idFromBytes<ObjectId>(random(16));
    const { repository, writer, recipient } = place;
    const common = { repository: fromHex(repository), writer, object: this.id };
    const sealed = sealHeader(recipient, encodeHeader({ kind: 'pack', ...common }));
    this.#out.set(sealed.header);
    this.#objectKey = sealed.objectKey;
  }

  /** False: it is full. A frame fits every empty pack. */
  add({ entry, plaintext, crc32 }: LivingFrame): boolean {
    const chunks = entry.segments.reduce((sum, segment) => sum + segment.chunks.length, 0);
    const directoryBytes =
      DIRECTORY_SIZES.frame +
      entry.segments.length * DIRECTORY_SIZES.segment +
      chunks * DIRECTORY_SIZES.chunk;
    const size = this.#used + entry.storedLength + this.#directoryBytes + directoryBytes;
    const isFull =
      size + closingBytes(0) > PIPELINE.packBytes ||
      this.#chunks + chunks > PIPELINE.chunksPerPackMax ||
      this.#frames.length >= PACK_LIMITS.framesMax;
    if (isFull && this.#frames.length > 0) return false;
    assert(size + closingBytes(0) <= PIPELINE.packBytes, 'a frame fits an empty pack');
    sealFrameInto(this.#objectKey, this.#frames.length, false, plaintext, this.#out, this.#used);
    this.#frames.push(entry);
    this.#frameCrcs.push(crc32);
    this.#used += entry.storedLength;
    this.#directoryBytes += directoryBytes;
    this.#chunks += chunks;
    return true;
  }

  close(): BuiltPack {
    const end = { objectKey: this.#objectKey, frames: this.#frames, used: this.#used };
    const { length, directory, crc32 } = closePack(end, this.#out, PIPELINE.packBytes);
    const bytes = this.#out.subarray(0, length);
    const { writer } = this.#place;
    const pack = { writer, pack: this.id, size: length, directory };
    return { pack, bytes, crc32, frameCrcs: this.#frameCrcs };
  }
}
