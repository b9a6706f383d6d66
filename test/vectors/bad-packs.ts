import { concatBytes, u32le } from '../../src/base/bytes.ts';
import type { SealedHeader } from '../../src/crypto/sealing.ts';
import type { DirectorySegment } from '../../src/format/pack.ts';
import { badHeaders, badOf, type Bad, type BadVector } from './bad-headers.ts';
import { STRANGER } from './keys.ts';
import {
  dataChunk,
  flipBit,
  idOf,
  overwrite,
  packFrame,
  plainHeader,
  sealFor,
  sealPack,
  type PackEdits,
  type PackFrame,
} from './parts.ts';
import { PACK, PACK_FRAMES, SAMPLE } from './sample.ts';

/** Bytes of the sealed header; the first frame begins here. */
const FRAMES_AT = 1216;
const TRAILER_BYTES = 32;

/** All without padding, so that they stay small. */
export function badPacks(): BadVector[] {
  const bad = badOf('pack');
  const good = pack();
  return [
    ...badHeaders('pack', good),
    bad('cut inside the sealed header', 'object-damaged', good.slice(0, 1000)),
    bad('no frames', 'object-damaged', good.slice(0, FRAMES_AT)),
    bad('cut by one byte', 'object-damaged', good.slice(0, -1)),
    bad('one byte more', 'object-damaged', concatBytes(good, new Uint8Array(1))),
    bad('a flipped bit in the header’s zeros', 'object-damaged', flipBit(good, 9)),
    bad('a changed encapsulation', 'object-damaged', flipBit(good, 64)),
    bad('a changed X25519 half', 'object-damaged', flipBit(good, 64 + 1088)),
    bad('a wrong commitment', 'object-damaged', flipBit(good, FRAMES_AT - 1)),
    bad('sealed to another identity', 'object-damaged', pack({}, sealed(STRANGER))),
    bad('a flipped bit in a frame', 'object-damaged', flipBit(good, FRAMES_AT)),
    bad('a flipped bit in the directory', 'object-damaged', flipBit(good, -TRAILER_BYTES - 1)),
    bad('a flipped bit in the trailer', 'object-damaged', flipBit(good, -1)),
    bad('two frames of one length swapped', 'object-damaged', swappedFrames()),
    bad('a trailer that is not the last frame', 'object-damaged', pack({ isTrailerLast: false })),
    bad('a directory under another number', 'object-damaged', pack({ directoryFrame: 0 })),
    ...badTrailers(bad),
    ...badDirectories(bad),
    ...badSegments(bad),
  ];
}

function badTrailers(bad: Bad): BadVector[] {
  const trailer = (offset: number, value: number): Uint8Array =>
    pack({ trailer: (plain) => overwrite(plain, offset, u32le(value)) });
  return [
    bad('a trailer with another number of frames', 'object-damaged', trailer(0, 7)),
    bad('a trailer that points elsewhere', 'object-damaged', trailer(4, FRAMES_AT)),
    bad('a directory of four gigabytes', 'object-damaged', trailer(8, 0xffff_ffff)),
    bad('a trailer whose end is not zero', 'object-damaged', trailer(12, 1)),
  ];
}

function badDirectories(bad: Bad): BadVector[] {
  const directory = (edit: (plain: Uint8Array) => Uint8Array): Uint8Array =>
    pack({ directory: edit });
  return [
    bad(
      'padding that is not zero',
      'object-damaged',
      pack({ paddedDirectory: (plain) => flipBit(plain, -1) }),
    ),
    bad(
      'a directory longer than its frame',
      'object-damaged',
      pack({ paddedDirectory: (plain) => overwrite(plain, 0, u32le(plain.length)) }),
    ),
    bad(
      'a directory cut short',
      'object-damaged',
      directory((plain) => plain.slice(0, -1)),
    ),
    bad(
      'a directory with a byte more',
      'object-damaged',
      directory((plain) => concatBytes(plain, new Uint8Array(1))),
    ),
    bad(
      '65 537 frames',
      'object-damaged',
      directory((plain) => overwrite(plain, 0, u32le(65_537))),
    ),
    bad(
      'a frame without a tag',
      'object-damaged',
      directory((plain) => overwrite(plain, 4, u32le(15))),
    ),
    bad(
      'a frame of four gigabytes',
      'object-damaged',
      directory((plain) => overwrite(plain, 4, u32le(0xffff_ffff))),
    ),
  ];
}

function badSegments(bad: Bad): BadVector[] {
  const { secret, config, zeros } = SAMPLE;
  const length = secret.content.length;
  const chunks = [{ id: idOf(secret), length }];
  const whole = { codec: 0, storedLength: length, rawLength: length, chunks } as const;
  const stored = (change: Partial<DirectorySegment>): Uint8Array =>
    packOf([{ plaintext: secret.content, entry: entryOf([{ ...whole, ...change }], length) }]);
  const zstd = (content: Uint8Array, rawLength: number): Uint8Array => {
    const segment = { codec: 1, storedLength: content.length, rawLength } as const;
    const rawChunks = [{ id: idOf(zeros), length: rawLength }];
    const entry = entryOf([{ ...segment, chunks: rawChunks }], content.length);
    return packOf([{ plaintext: content, entry }]);
  };
  const zeroFrame = Buffer.from('28b52ffd60003f03000200', 'hex');
  return [
    bad('an unknown codec', 'object-damaged', stored({ codec: 2 as 0 })),
    bad('a stored segment with two lengths', 'object-damaged', stored({ rawLength: length - 1 })),
    bad(
      'segments that do not fill their frame',
      'object-damaged',
      stored({ storedLength: 1, rawLength: 1, chunks: [{ id: idOf(secret), length: 1 }] }),
    ),
    bad(
      'chunks that do not fill their segment',
      'object-damaged',
      stored({ chunks: [{ id: idOf(secret), length: length - 1 }] }),
    ),
    bad(
      'chunks that overflow their segment',
      'object-damaged',
      stored({ chunks: [{ id: idOf(secret), length: length + 1 }] }),
    ),
    bad('a segment of two gigabytes', 'object-damaged', zstd(zeroFrame, 0x7fff_ffff)),
    bad('a segment that is no zstd', 'object-damaged', zstd(secret.content, 100)),
    bad('a segment longer than said', 'object-damaged', zstd(zeroFrame, 16_383)),
    bad('a segment shorter than said', 'object-damaged', zstd(zeroFrame, 16_385)),
    bad(
      'content of another id',
      'object-damaged',
      stored({ chunks: [{ id: idOf(config), length }] }),
    ),
    bad(
      'a chunk of another kind',
      'object-damaged',
      stored({ chunks: [{ id: idOf({ ...secret, kind: 2 }), length }] }),
    ),
  ];
}

function swappedFrames(): Uint8Array {
  const [a, b] = [Buffer.alloc(40, 1), Buffer.alloc(40, 2)];
  const bytes = packOf([a, b].map((content) => packFrame([{ chunks: [dataChunk(content)] }])));
  const frameBytes = 40 + 16;
  const first = bytes.slice(FRAMES_AT, FRAMES_AT + frameBytes);
  const second = bytes.slice(FRAMES_AT + frameBytes, FRAMES_AT + 2 * frameBytes);
  return overwrite(bytes, FRAMES_AT, concatBytes(second, first));
}

const entryOf = (
  segments: readonly DirectorySegment[],
  plainBytes: number,
): PackFrame['entry'] => ({
  storedLength: plainBytes + 16,
  segments,
});

const sealed = (recipient?: typeof STRANGER): SealedHeader =>
  sealFor(plainHeader(PACK), 'bad pack', recipient);

const pack = (edits: PackEdits = {}, header = sealed()): Uint8Array =>
  sealPack(header, PACK_FRAMES.slice(0, 2), undefined, edits);

const packOf = (frames: readonly PackFrame[]): Uint8Array => sealPack(sealed(), frames, undefined);
