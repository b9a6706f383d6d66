/** Where in a pack the chunks lie, as its directory tells. */
import { SEALED_HEADER_BYTES } from './header.ts';
import { visitDirectory, type Codec } from './pack.ts';

export type ChunkPlace = {
  readonly frame: number;
  readonly frameOffset: number;
  readonly frameStored: number;
  readonly codec: Codec;
  readonly segmentOffset: number;
  readonly segmentStored: number;
  readonly segmentRaw: number;
  readonly offset: number;
  readonly length: number;
};

/**
 * Visits the chunks in the order they lie in.
 * @param visit is given what makes the place: most who look want few
 * @throws object-damaged
 */
export function visitPlaces(
  directory: Uint8Array,
  name: string,
  visit: (id: Buffer, place: () => ChunkPlace) => void,
): void {
  let frame = { frame: 0, frameOffset: 0, frameStored: 0 };
  let segment = { codec: 0 as Codec, segmentOffset: 0, segmentStored: 0, segmentRaw: 0 };
  visitDirectory(directory, SEALED_HEADER_BYTES, `the directory of ${name}`, {
    frame: (number, frameOffset, frameStored) => {
      frame = { frame: number, frameOffset, frameStored };
    },
    segment: (codec, segmentOffset, segmentStored, segmentRaw) => {
      segment = { codec, segmentOffset, segmentStored, segmentRaw };
    },
    chunk: (id, offset, length) => visit(id, () => ({ ...frame, ...segment, offset, length })),
  });
}
