/**
 * A new file for what leaves in plain text: 0600, never over another file, and under its name only once it is whole.
 * Until then it lies beside it; what was not finished is removed.
 */
import {
  createWriteStream,
  lchownSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import type { Writable } from 'node:stream';
import { resolve } from 'node:path';
import { FerryError, systemCode } from '../base/errors.ts';
import type { Environment } from './environment.ts';
import { fileFailure } from './file-failure.ts';

export type PlainFile = {
  /** Made durable when it ends. */
  readonly output: Writable;
  /** @throws usage when something else has its name by now, file-write */
  keep(): void;
  /** Removes what is not to be kept. */
  discard(): void;
};

const HINT = 'Name a file that does not exist yet, in a folder that does.';

/** @throws usage when it is there already, or what is left of it from another time; file-write */
export function createPlainFile(path: string, environment: Environment): PlainFile {
  const full = resolve(environment.workingFolder, path);
  if (isTaken(full)) throw alreadyThere(path, HINT);
  const unfinished = `${full}.unfinished`;
  const fd = create(unfinished, path);
  if (environment.actsForOther) {
    lchownSync(unfinished, environment.owner.uid, environment.owner.gid);
  }
  const output = createWriteStream(unfinished, { fd, flush: true });
  return {
    output,
    keep: () => {
      try {
        moveToNew(unfinished, full);
      } catch (error) {
        if (systemCode(error) === 'EEXIST') throw alreadyThere(path, HINT);
        throw fileFailure(`cannot write ${path}`, error, HINT);
      }
    },
    discard: () => {
      output.destroy();
      rmSync(unfinished, { force: true });
    },
  };
}

function create(unfinished: string, path: string): number {
  try {
    return openSync(unfinished, 'wx', 0o600);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw fileFailure(`cannot create ${path}`, error, HINT);
    const what =
      'It is of an export that was killed, or that still runs: remove it when none does.';
    throw alreadyThere(`${path}.unfinished`, what);
  }
}

/** A link is never made over another file; a disk that has no links gets a look and a rename. */
function moveToNew(from: string, to: string): void {
  try {
    linkSync(from, to);
    rmSync(from);
  } catch (error) {
    if (systemCode(error) === 'EEXIST' || isTaken(to)) throw error;
    renameSync(from, to);
  }
}

/** Also by a link to nothing. */
function isTaken(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // creating it says why
  }
}

function alreadyThere(path: string, hint: string): FerryError {
  return new FerryError('usage', `${path} is already there`, { hint });
}
