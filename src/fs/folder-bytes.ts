import { joinBytes, toFsPath, type BytePath } from '../base/byte-path.ts';
import { lstatSync } from 'node:fs';
import { walkTree } from './walk.ts';

/** What the files below a folder take up on the disk; 0 when it is not there. */
export function folderBytes(folder: BytePath): number {
  if (lstatSync(toFsPath(folder), { throwIfNoEntry: false })?.isDirectory() !== true) return 0;
  let bytes = 0;
  for (const item of walkTree(folder)) {
    if (item.kind !== 'entry' || item.type !== 'file') continue;
    const stat = lstatSync(toFsPath(joinBytes(folder, item.path)), { throwIfNoEntry: false });
    bytes += (stat?.blocks ?? 0) * BLOCK_BYTES;
  }
  return bytes;
}

/** The unit of `blocks`, whatever the file system's own is. */
const BLOCK_BYTES = 512;
