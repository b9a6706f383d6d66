/** Where in a pack the chunks lie, as its directory tells. */
import { assert } from '../base/errors.ts';
import { SEALED_HEADER_BYTES } from './header.ts';
import { visitDirectory, type Codec } from './pack.ts';

/** Chunks that were compressed together, and the frame that they were sealed in. */
export type SegmentPlace = {
  readonly frame: number;
  readonly frameOffset: number;
  readonly frameStored: number;
  readonly codec: Codec;
  readonly segmentOffset: number;
  readonly segmentStored: number;
  readonly segmentRaw: number;
};

/** `offset` is that in the segment. */
export type ChunkPlace = SegmentPlace & { readonly offset: number; readonly length: number };

/**
 * Visits the chunks in the order they lie in; those of one segment with one and the same object for it.
 * @throws object-damaged
 */
export function visitPlaces(
  directory: Uint8Array,
  name: string,
  visit: (id: Buffer, segment: SegmentPlace, offset: number, length: number) => void,
): void {
  let frame = { frame: 0, frameOffset: 0, frameStored: 0 };
  let place: SegmentPlace | undefined;
  visitDirectory(directory, SEALED_HEADER_BYTES, `the directory of ${name}`, {
    frame: (number, frameOffset, frameStored) => {
      frame = { frame: number, frameOffset, frameStored };
    },
    segment: (codec, segmentOffset, segmentStored, segmentRaw) => {
      place = { ...frame, codec, segmentOffset, segmentStored, segmentRaw };
    },
    chunk: (id, offset, length) => {
      assert(place, 'a chunk lies in a segment');
      visit(id, place, offset, length);
    },
  });
}
