/** A page that is written again and again, and never over a file of somebody else. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { bytePathFromText } from '../base/byte-path.ts';
import { FerryError, systemCode } from '../base/errors.ts';
import { asOwnerOf } from '../fs/own-file.ts';
import { writeFileDurable } from '../fs/sync.ts';
import type { Environment } from './environment.ts';
import { fileFailure } from './file-failure.ts';

export type ReportFile = {
  readonly path: string;
  write(text: string): void;
};

/**
 * @param title what such a page begins with: a file that begins otherwise is somebody else's
 * @throws usage, before anything else is done
 */
export function reportFile(typed: string, title: string, environment: Environment): ReportFile {
  const path = resolve(environment.workingFolder, typed);
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new FerryError('usage', `--report: there is no folder for ${path}`, {
      hint: 'Name a file in a folder that is there: --report FILE',
    });
  }
  if (!beginsWith(path, title)) {
    throw new FerryError('usage', `--report: ${path} is another file, and is not written over`, {
      hint: 'Name a new file, or one that an earlier drill wrote: --report FILE',
    });
  }
  return {
    path,
    write: (text) => {
      try {
        const write = (): void => writeFileDurable(bytePathFromText(path), text, 0o600);
        // Root at work for somebody writes with no more rights than they have.
        if (environment.actsForOther) asOwnerOf(bytePathFromText(environment.home), write);
        else write();
      } catch (error) {
        throw fileFailure(`cannot write ${path}`, error, 'Name another one: --report FILE');
      }
    },
  };
}

/** Also one that is not there, or empty. */
function beginsWith(path: string, title: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const wanted = Buffer.from(title);
    const head = Buffer.alloc(wanted.length);
    const got = readSync(fd, head, 0, head.length, 0);
    return got === 0 || head.equals(wanted);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return systemCode(error) === 'ENOENT';
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
