import { closeSync } from 'node:fs';
import type { BytePath } from '../base/byte-path.ts';

export type OpenFiles = {
  readonly get: (path: BytePath) => number;
  /** Closes this one, when open. */
  readonly forget: (path: BytePath) => void;
  readonly closeAll: () => void;
};

/** A few descriptors kept open, so that a chunk costs one write; the one unused for longest goes first. */
export function openFiles(countMax: number, open: (path: BytePath) => number): OpenFiles {
  const descriptors = new Map<BytePath, number>();
  const forget = (path: BytePath): void => {
    const fd = descriptors.get(path);
    if (fd === undefined) return;
    descriptors.delete(path);
    closeSync(fd);
  };
  const get = (path: BytePath): number => {
    const known = descriptors.get(path);
    if (known !== undefined) {
      // A Map remembers the order of insertion: back to its end.
      descriptors.delete(path);
      descriptors.set(path, known);
      return known;
    }
    const [oldest] = descriptors.keys();
    if (oldest !== undefined && descriptors.size >= countMax) forget(oldest);
    const fd = open(path);
    descriptors.set(path, fd);
    return fd;
  };
  return {
    get,
    forget,
    closeAll: () => {
      for (const path of descriptors.keys()) forget(path);
    },
  };
}
