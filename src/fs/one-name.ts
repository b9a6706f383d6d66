/** Whether a file system takes two names for one: it may ignore case, or how letters are composed, or neither. */
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { asBytePath, joinBytes, toFsPath, type BytePath } from '../base/byte-path.ts';
import { removeFolder } from './private-folder.ts';

/** Asked of the file system itself, in a folder of its own that is gone afterwards. */
export function isOneName(folder: BytePath, first: BytePath, second: BytePath): boolean {
  const probe = joinBytes(folder, asBytePath('.stateferry-names'));
  // A run that was killed may have left it.
  removeFolder(probe);
  mkdirSync(toFsPath(probe), { mode: 0o700 });
  try {
    writeFileSync(toFsPath(joinBytes(probe, first)), '');
    return lstatSync(toFsPath(joinBytes(probe, second)), { throwIfNoEntry: false }) !== undefined;
  } finally {
    removeFolder(probe);
  }
}
