/** What of a restored entry is not as the snapshot has it; its content apart. */
import { toFsPath, type BytePath } from '../base/byte-path.ts';
import type { Entry, FileEntry } from '../format/entry.ts';
import { lstatIfAny, readLinkIfAny } from '../gateway/disk/read.ts';

type Stat = NonNullable<ReturnType<typeof lstatIfAny>>;

/** Nobody here is to have the rights of its owner by running it: those bits are not restored. */
const MODE_BITS = { file: 0o1777, dir: 0o3777 } as const;

export function differenceOf(entry: Entry, path: BytePath): string | undefined {
  const stat = lstatIfAny(toFsPath(path));
  if (!stat) return 'is missing';
  switch (entry.type) {
    case 'symlink':
      if (!stat.isSymbolicLink()) return 'is no link';
      return readLinkIfAny(path) === entry.target ? undefined : 'leads elsewhere';
    case 'dir':
      if (!stat.isDirectory()) return 'is no folder';
      return modeDifference(stat.mode, entry.mode, MODE_BITS.dir);
    case 'hardlink':
      return stat.isFile() && stat.nlink > 1 ? undefined : 'is a file of its own';
    case 'file':
      return fileDifference(stat, entry);
  }
}

const TIME_MS = 1;

function fileDifference(stat: Stat, { size, mode, mtimeNs }: FileEntry): string | undefined {
  if (!stat.isFile()) return 'is no file';
  if (stat.size !== size) return `has ${stat.size} bytes instead of ${size}`;
  if (Math.abs(stat.mtimeMs - Number(mtimeNs / 1000n) / 1000) > TIME_MS) return 'has another time';
  return modeDifference(stat.mode, mode, MODE_BITS.file);
}

const modeDifference = (mode: number, wanted: number, bits: number): string | undefined =>
  (mode & bits) === (wanted & bits)
    ? undefined
    : `has mode ${(mode & bits).toString(8)} instead of ${(wanted & bits).toString(8)}`;
