/** Reading a range of a file that nobody writes to: a database at rest, or our own private copy of one. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { toFsPath, type BytePath } from '../base/byte-path.ts';
import { assert, systemCode } from '../base/errors.ts';

export type StaticRange = {
  /** A multiple of `chunkBytes`. */
  readonly offset: number;
  readonly length: number;
  readonly chunkBytes: number;
  /** A multiple of `chunkBytes`; overwritten as soon as `onChunk` returns. */
  readonly buffer: Uint8Array;
};

/** Answers the bytes read: fewer than asked for at the end of the file, or where it cannot be read. */
export function readStatic(
  path: BytePath,
  range: StaticRange,
  onChunk: (bytes: Uint8Array) => void,
): number {
  const { offset, length, chunkBytes, buffer } = range;
  assert(buffer.length % chunkBytes === 0 && offset % chunkBytes === 0, 'whole chunks');
  let fd: number | undefined;
  let done = 0;
  try {
    fd = openSync(toFsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
    while (done < length) {
      const got = fill(fd, buffer, offset + done, Math.min(buffer.length, length - done));
      if (got === 0) break;
      for (let at = 0; at < got; at += chunkBytes) {
        onChunk(buffer.subarray(at, Math.min(at + chunkBytes, got)));
      }
      done += got;
    }
  } catch (error) {
    // What has no system code came out of `onChunk`.
    if (!/^E[A-Z0-9]+$/.test(systemCode(error) ?? '')) throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  return done;
}

function fill(fd: number, buffer: Uint8Array, position: number, wanted: number): number {
  let done = 0;
  while (done < wanted) {
    const got = readSync(fd, buffer, done, wanted - done, position + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}
