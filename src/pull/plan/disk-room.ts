/** Room on a disk, asked for before anything is written to it. */
import { showPath, type BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { bytesText } from '../../base/quantity-text.ts';
import { diskSpace } from '../../fs/disk-space.ts';

/** A twentieth is kept for what the file system itself needs. */
export const SPACE_FACTOR = 1.05;

/** @throws no-space when the file system that holds `at`, or will hold it, has less than `neededBytes` free */
export function requireRoom(at: BytePath, neededBytes: number, hint: string): void {
  const needed = Math.ceil(neededBytes);
  const { freeBytes: free } = diskSpace(at);
  if (free >= needed) return;
  throw new FerryError(
    'no-space',
    `${bytesText(needed)} are needed at ${showPath(at)}, ${bytesText(free)} are free`,
    { hint, details: { needed, free } },
  );
}
