/**
 * Copying the files of a database when SQLite itself cannot be asked for a backup.
 */
import { chmodSync, constants, copyFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { asBytePath, dirNameBytes, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { messageOf, systemCode } from '../base/errors.ts';
import { statFile } from './file-stat.ts';
import { isOutOfSpace, outOfSpace } from './out-of-space.ts';
import { errcodeOf, isSqliteError } from './sqlite-error.ts';
import { setFingerprint, statSet } from './sqlite-file.ts';
import type { SqliteSet } from './sqlite-file.ts';
import { describeSystemCode } from './system-problem.ts';

export type SqlitePart = {
  /** Belongs behind the database's name: '' is the database itself. */
  readonly suffix: '' | '-wal' | '-journal';
  readonly file: BytePath;
  readonly size: number;
};

export type NotCopied =
  | { readonly kind: 'vanished' }
  | { readonly kind: 'problem'; readonly code: string; readonly message: string };

export type SetCopy =
  | {
      readonly kind: 'copied';
      readonly set: SqliteSet;
      /** Nothing of the set changed while it was copied. */
      readonly unchanged: boolean;
      readonly parts: readonly SqlitePart[];
    }
  | NotCopied;

/** Copies the database, its -wal and its -journal beside `tempPath`; again, a few times, when one changed meanwhile. */
export async function copySet(path: BytePath, tempPath: BytePath): Promise<SetCopy> {
  for (let attempt = 1; ; attempt++) {
    const set = statSet(path);
    if (!set) return { kind: 'vanished' };
    try {
      const parts = copyParts(path, tempPath, set);
      const now = statSet(path);
      const unchanged = now !== undefined && setFingerprint(now) === setFingerprint(set);
      if (unchanged || attempt === ATTEMPTS_MAX) return { kind: 'copied', set, unchanged, parts };
    } catch (error) {
      if (isOutOfSpace(error)) throw outOfSpace(dirNameBytes(tempPath), error);
      const failed = notCopied(error);
      // A -wal or -journal that went away means a commit or a checkpoint just ended.
      if (failed.kind === 'problem' || attempt === ATTEMPTS_MAX) return failed;
    }
    await sleep(attempt * PAUSE_MS);
  }
}

const ATTEMPTS_MAX = 5;
const PAUSE_MS = 20;

function copyParts(path: BytePath, tempPath: BytePath, set: SqliteSet): SqlitePart[] {
  removeTemp(tempPath);
  const suffixes: SqlitePart['suffix'][] = [''];
  if (set.wal) suffixes.push('-wal');
  if (set.journal) suffixes.push('-journal');
  return suffixes.map((suffix) => {
    const file = toFsPath(asBytePath(tempPath + suffix));
    copyFileSync(toFsPath(asBytePath(path + suffix)), file, COPY_FLAGS);
    chmodSync(file, 0o600);
    return partAt(tempPath, suffix);
  });
}

const COPY_FLAGS = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;

export function partAt(tempPath: BytePath, suffix: SqlitePart['suffix']): SqlitePart {
  const file = asBytePath(tempPath + suffix);
  return { suffix, file, size: statFile(file)?.size ?? 0 };
}

/** Everything that SQLite or a copy may have left at and beside a temporary database. */
export function removeTemp(tempPath: BytePath): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    rmSync(toFsPath(asBytePath(tempPath + suffix)), { force: true });
  }
}

/**
 * Lets SQLite finish what the copied -wal or -journal says, so that the database alone is whole. Undefined when
 * done, else what SQLite said.
 */
export function settleCopy(tempPath: BytePath, trusted: boolean): string | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(toFsPath(tempPath));
    database.exec('PRAGMA wal_checkpoint(TRUNCATE); SELECT count(*) FROM sqlite_schema;');
    if (trusted) return undefined;
    const row = database.prepare('PRAGMA quick_check(1)').get();
    return row?.['quick_check'] === 'ok' ? undefined : 'its pages contradict each other';
  } catch (error) {
    if (isFull(error)) throw outOfSpace(dirNameBytes(tempPath), error);
    if (!isSqliteError(error)) throw error;
    return messageOf(error);
  } finally {
    database?.close();
  }
}

const SQLITE_FULL = 13;

/** The disk is full, in the words of the system or of SQLite. */
export const isFull = (error: unknown): boolean =>
  isOutOfSpace(error) || errcodeOf(error) === SQLITE_FULL;

/** A failed system call on the source as an answer; anything else is thrown on. */
export function notCopied(error: unknown): NotCopied {
  const code = systemCode(error);
  if (code === 'ENOENT') return { kind: 'vanished' };
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
  return { kind: 'problem', code, message: describeSystemCode(code) };
}
