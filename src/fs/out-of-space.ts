import { showPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { FerryError, systemCode } from '../base/errors.ts';

/** A full disk or quota, named by the folder that is to be cleared or moved. */
export function outOfSpace(directory: BytePath, cause: unknown): FerryError {
  const folder = showPath(directory);
  return new FerryError('no-space', `no space left in ${folder}`, {
    hint: `Free some space on the disk that holds ${folder}.`,
    details: { folder },
    cause,
  });
}

export function isOutOfSpace(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
