/** Files that hold a secret, and the one file that a secret is written to. */
import {
  lchownSync,
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { FerryError, systemCode } from '../base/errors.ts';
import type { Environment } from './environment.ts';
import { fileFailure, reasonOf } from './file-failure.ts';

/** A passphrase is a line; a recovery kit is a page. */
const SECRET_FILE_BYTES_MAX = 64 * 1024;

/** @throws secret-needed when it is not there or not readable; the content is never part of an error */
export function readSecretFile(path: string, option: string, environment: Environment): string {
  const full = resolve(environment.workingFolder, path);
  try {
    const stats = statSync(full);
    // A pipe (`<(pass show ferry)`) has no size, and is as good as a file.
    if (stats.isDirectory() || stats.size > SECRET_FILE_BYTES_MAX) {
      throw new FerryError('secret-needed', `${option}: ${path} is no file with a secret`);
    }
    return readFileSync(full, 'utf8');
  } catch (error) {
    if (error instanceof FerryError) throw error;
    throw new FerryError('secret-needed', `${option}: cannot read ${path}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

export type NewFile = {
  write(text: string): void;
  /** Removes it again, unless it was written. */
  discard(): void;
};

/** Longer than a recovery kit, or a ticket with the token of a session. */
const RESERVED_BYTES = 16 * 1024;

/**
 * Created before anything else happens (0600, never over another file), written when there is something to write. The
 * room for it is taken at once: what is lost when the disk is full by then cannot be made again.
 */
export function createSecretFile(path: string, option: string, environment: Environment): NewFile {
  const full = resolve(environment.workingFolder, path);
  const fd = createExclusively(full, path, option);
  reserve(fd, full, option);
  if (environment.actsForOther) lchownSync(full, environment.owner.uid, environment.owner.gid);
  let isWritten = false;
  return {
    write: (text) => {
      try {
        writeSync(fd, text, 0);
        ftruncateSync(fd, Buffer.byteLength(text));
        fsyncSync(fd);
      } catch (error) {
        throw fileFailure(`${option}: cannot write ${path}`, error, 'Name a file on another disk.');
      }
      closeSync(fd);
      isWritten = true;
    },
    discard: () => {
      if (isWritten) return;
      closeSync(fd);
      rmSync(full, { force: true });
    },
  };
}

/** Not a hole, which takes no room. */
function reserve(fd: number, full: string, option: string): void {
  try {
    writeSync(fd, Buffer.alloc(RESERVED_BYTES, ' '), 0);
    fsyncSync(fd);
  } catch (error) {
    closeSync(fd);
    rmSync(full, { force: true });
    throw fileFailure(`${option}: cannot write ${full}`, error, 'Name a file on another disk.');
  }
}

function createExclusively(full: string, path: string, option: string): number {
  try {
    return openSync(full, 'wx', 0o600);
  } catch (error) {
    const hint = 'Name a file that does not exist yet, in a folder that does.';
    const what = `${option}: cannot create ${path}`;
    if (systemCode(error) !== 'EEXIST') throw fileFailure(what, error, hint);
    throw new FerryError('usage', `${option}: ${path} is already there`, { hint, cause: error });
  }
}
