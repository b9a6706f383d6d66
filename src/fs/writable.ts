import { accessSync, constants, statSync } from 'node:fs';
import { toFsPath, type BytePath } from '../base/byte-path.ts';
import { systemCode } from '../base/errors.ts';

/** Is this a folder in which we may make and rename things? */
export function isWritableFolder(path: BytePath): boolean {
  try {
    accessSync(toFsPath(path), constants.W_OK | constants.X_OK);
    return statSync(toFsPath(path)).isDirectory();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
