/** What lies on the disk, in pieces of one size, for the caller to hash. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { toFsPath, type BytePath } from '../base/byte-path.ts';
import { assert, systemCode } from '../base/errors.ts';

export type ChunkReading = {
  readonly buffer: Uint8Array;
  readonly chunkBytes: number;
  readonly onChunk: (position: number, bytes: Uint8Array) => void;
};

/** At most `size` bytes; answers how many there are. */
export function readChunks(fd: number, size: number, reading: ChunkReading): number {
  const { buffer, chunkBytes, onChunk } = reading;
  assert(buffer.length % chunkBytes === 0, 'buffer is a multiple of chunkBytes');
  const end = Math.min(size, fstatSync(fd).size);
  for (let position = 0; position < end;) {
    const got = readSync(fd, buffer, 0, Math.min(buffer.length, end - position), position);
    if (got === 0) return position;
    // A short read in the middle: hand on whole chunks only, and read the rest again.
    const whole = position + got === end ? got : got - (got % chunkBytes);
    if (whole === 0) return position;
    for (let from = 0; from < whole; from += chunkBytes) {
      onChunk(position + from, buffer.subarray(from, Math.min(from + chunkBytes, whole)));
    }
    position += whole;
  }
  return end;
}

/** Of a file by its name, no link followed; undefined where its mode forbids even its owner to read it. */
export function readFileChunks(
  path: BytePath,
  size: number,
  reading: ChunkReading,
): number | undefined {
  let fd: number;
  try {
    fd = openSync(toFsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    return undefined;
  }
  try {
    return readChunks(fd, size, reading);
  } finally {
    closeSync(fd);
  }
}
