/** What the file system said about one of our own files, in words. */
import { FerryError, messageOf, systemCode, type ErrorCode } from '../base/errors.ts';
import { isOutOfSpace } from '../fs/out-of-space.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  ENOTDIR: 'a part of the path is no folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  EEXIST: 'it is already there',
  ENOTEMPTY: 'it is already there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
};

export const reasonOf = (error: unknown): string =>
  REASONS[systemCode(error) ?? ''] ?? messageOf(error);

/** @param what what could not be done, without the reason: `cannot write FILE` */
export function fileFailure(
  what: string,
  error: unknown,
  hint: string,
  code: ErrorCode = 'file-write',
): FerryError {
  if (error instanceof FerryError) return error;
  // What is written to is made new: only its folder can be missing.
  const isWithoutFolder = systemCode(error) === 'ENOENT';
  const message = `${what}: ${isWithoutFolder ? 'its folder is not there' : reasonOf(error)}`;
  if (isOutOfSpace(error)) {
    return new FerryError('no-space', message, {
      hint: 'Make room there and run the same again: what was done is not done twice.',
      cause: error,
    });
  }
  return new FerryError(code, message, { hint, cause: error });
}
