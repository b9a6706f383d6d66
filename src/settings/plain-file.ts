/** A new file for what leaves in plain text: 0600, never over another file, gone again when it was not finished. */
import { createWriteStream, lchownSync, openSync, rmSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { resolve } from 'node:path';
import { FerryError, systemCode } from '../base/errors.ts';
import type { Environment } from './environment.ts';
import { fileFailure } from './file-failure.ts';

export type PlainFile = {
  /** Made durable when it ends. */
  readonly output: Writable;
  keep(): void;
  /** Removes it, unless it is to be kept. */
  discard(): void;
};

/** @throws usage when it is there already, file-write */
export function createPlainFile(path: string, environment: Environment): PlainFile {
  const full = resolve(environment.workingFolder, path);
  const fd = create(full, path);
  if (environment.actsForOther) lchownSync(full, environment.owner.uid, environment.owner.gid);
  const output = createWriteStream(full, { fd, flush: true });
  let isKept = false;
  return {
    output,
    keep: () => {
      isKept = true;
    },
    discard: () => {
      output.destroy();
      if (!isKept) rmSync(full, { force: true });
    },
  };
}

function create(full: string, path: string): number {
  try {
    return openSync(full, 'wx', 0o600);
  } catch (error) {
    const hint = 'Name a file that does not exist yet, in a folder that does.';
    if (systemCode(error) !== 'EEXIST') throw fileFailure(`cannot create ${path}`, error, hint);
    throw new FerryError('usage', `${path} is already there`, { hint, cause: error });
  }
}
