import {
  FerryError,
  messageOf,
  openFilesLimit,
  systemCode,
  type ErrorCode,
} from '../base/errors.ts';

/** What an error of the file system means for whoever uses the folder as a store. */
export function folderError(error: unknown, root: string, action: string): FerryError {
  const known = error instanceof FerryError ? error : openFilesLimit(error);
  if (known) return known;
  const system = systemCode(error) ?? '';
  const code = CODES[system] ?? 'store-refused';
  return new FerryError(code, `cannot ${action} in ${root}: ${messageOf(error)}`, {
    ...hintOf(code),
    details: { location: root, system },
    cause: error,
  });
}

export function folderMissing(root: string, cause?: unknown): FerryError {
  return new FerryError('repository-missing', `there is no folder ${root}`, {
    hint: 'Is the disk or share connected? If it is, check the spelling of the location.',
    details: { location: root },
    cause,
  });
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EFBIG: 'no-space',
  EACCES: 'store-denied',
  EPERM: 'store-denied',
  EROFS: 'store-denied',
  EIO: 'store-unreachable',
  ESTALE: 'store-unreachable',
  ENXIO: 'store-unreachable',
  ENODEV: 'store-unreachable',
  EHOSTDOWN: 'store-unreachable',
  ETIMEDOUT: 'store-unreachable',
  EBUSY: 'store-busy',
  EAGAIN: 'store-busy',
};

function hintOf(code: ErrorCode): { hint?: string } {
  if (code === 'no-space')
    return { hint: 'Free some space there, then run the same command again.' };
  if (code === 'store-denied') {
    return { hint: 'Check who owns the folder and whether it is mounted read-only.' };
  }
  return {};
}
