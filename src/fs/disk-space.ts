import { statfsSync } from 'node:fs';
import { asBytePath, dirNameBytes, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { systemCode } from '../base/errors.ts';

export type DiskSpace = { readonly freeBytes: number; readonly totalBytes: number };

/** Of the file system that holds the absolute `path`, or will hold it once it is made; free for this user. */
export function diskSpace(path: BytePath): DiskSpace {
  try {
    const stat = statfsSync(toFsPath(path), { bigint: true });
    return {
      freeBytes: Number(stat.bavail * stat.bsize),
      totalBytes: Number(stat.blocks * stat.bsize),
    };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || path === '/' || path === '') throw error;
    const parent = dirNameBytes(path);
    return diskSpace(parent === '' ? asBytePath('/') : parent);
  }
}
