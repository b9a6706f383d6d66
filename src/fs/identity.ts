/** Whether what stands somewhere is the very thing that was put there, whatever has happened in it since. */
import { lstatSync, type BigIntStats } from 'node:fs';
import { toFsPath, type BytePath } from '../base/byte-path.ts';
import { systemCode } from '../base/errors.ts';

/** Inode and time of birth: an inode alone is given to the next folder that is made. Renaming changes neither. */
export type Identity = {
  readonly kind: 'folder' | 'file' | 'other';
  readonly inode: string;
  /** In ns; '0' where the file system does not know. */
  readonly born: string;
};

/** Of what lies there (a link itself); undefined when nothing does. */
export function identityOf(path: BytePath): Identity | undefined {
  const stat = lstatOrNothing(path);
  if (stat === undefined) return undefined;
  const kind = stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other';
  // Without a time of birth, some systems answer that of the last change, which a rename is.
  const born = stat.birthtimeNs === stat.ctimeNs ? 0n : stat.birthtimeNs;
  return { kind, inode: `${stat.ino}`, born: `${born}` };
}

/** A folder is told by its identity; a file is replaced by whoever writes it anew, so that any file will do. */
export function standsThere(identity: Identity, path: BytePath): boolean {
  const found = identityOf(path);
  if (found === undefined || found.kind !== identity.kind) return false;
  if (found.kind !== 'folder') return true;
  const isBornThen = [found.born, identity.born].includes('0') || found.born === identity.born;
  return found.inode === identity.inode && isBornThen;
}

function lstatOrNothing(path: BytePath): BigIntStats | undefined {
  try {
    return lstatSync(toFsPath(path), { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A file is where a folder above it should be.
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
