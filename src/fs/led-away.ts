/**
 * Root reading in folders of somebody: they can put a link in the place of any of them, and what it leads to may be for
 * root alone. The system knows where what was opened really lies (Linux).
 */
import { readlinkSync, realpathSync } from 'node:fs';
import { asBytePath, joinBytes, toFsPath, type BytePath } from '../base/byte-path.ts';
import { systemCode } from '../base/errors.ts';
import { strangerAbove } from './own-file.ts';

/** Whether anybody but root could lead whoever reads below this folder away from it. */
export function mayBeLedAway(folder: BytePath): boolean {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  if (strangerAbove(joinBytes(folder, asBytePath('inside'))) === undefined) return false;
  try {
    // Where links that are meant lead here, nothing lies where its path says.
    return realpathSync(toFsPath(folder), 'latin1') === folder;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return true;
  }
}

/** Whether what was opened lies where its path says; a file that was deleted since did. */
export function isOpenAt(fd: number, path: BytePath): boolean {
  try {
    const at = readlinkSync(`/proc/self/fd/${fd}`, 'latin1');
    return at === path || at === `${path} (deleted)`;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return true;
  }
}
