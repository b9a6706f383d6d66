/** The few reads of a gateway's own files, bounded; absence is an answer, every other failure is named. */
import {
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { asBytePath, toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { FerryError, messageOf, systemCode } from '../../base/errors.ts';

/** Larger than any config or session index seen; a file beyond it is not one of ours. */
export const TEXT_FILE_BYTES_MAX = 256 * 1024 * 1024;

/** Reads a file; undefined when there is none (or a directory is in its place). */
export type ReadFile = (path: string | Buffer) => Buffer | undefined;

export const readFileIfAny: ReadFile = (path) =>
  answer(path, () => {
    const stats = statSync(path);
    if (!stats.isFile()) return undefined;
    if (stats.size > TEXT_FILE_BYTES_MAX) {
      throw new FerryError(
        'file-unreadable',
        `${path.toString()} is larger than a gateway ever writes it`,
      );
    }
    return readFileSync(path);
  });

/** Names in a directory, one character per byte, in byte order; [] when there is none. */
export function namesIn(directory: string | Buffer): string[] {
  return answer(directory, () => readdirSync(directory, 'latin1').toSorted(byteOrder)) ?? [];
}

export type FolderEntry = {
  readonly name: BytePath;
  readonly isDirectory: boolean;
  readonly isFile: boolean;
};

/** Entries of a directory with their kind, links not followed; [] when there is none. */
export function entriesIn(directory: BytePath): FolderEntry[] {
  const path = toFsPath(directory);
  const options = { withFileTypes: true, encoding: 'latin1' } as const;
  const entries = answer(path, () => readdirSync(path, options)) ?? [];
  return entries.map((entry) => ({
    name: asBytePath(entry.name),
    isDirectory: entry.isDirectory(),
    isFile: entry.isFile(),
  }));
}

export function statIfAny(path: string | Buffer): Stats | undefined {
  return answer(path, () => statSync(path));
}

export function lstatIfAny(path: string | Buffer): Stats | undefined {
  return answer(path, () => lstatSync(path));
}

/** Where a link leads, as it is written; undefined when none is there. */
export function readLinkIfAny(path: BytePath): BytePath | undefined {
  return answer(path, () => asBytePath(readlinkSync(toFsPath(path), 'latin1')));
}

/** The path with every link followed; itself where nothing is there. */
export function realPath(path: string): string {
  return answer(path, () => realpathSync(path)) ?? path;
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']);

function answer<T>(path: string | Buffer, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? '')) return undefined;
    if (error instanceof FerryError) throw error;
    throw new FerryError('file-unreadable', `cannot read ${path.toString()}: ${messageOf(error)}`, {
      hint: 'Run as the user who runs the gateway, or with sudo.',
      cause: error,
    });
  }
}

const byteOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
