/**
 * A database of the product, opened without changing anything on the disk: in WAL mode without its -wal as immutable (a
 * plain open would leave files beside it), with one never so (its rows would be missing).
 */
import { DatabaseSync } from 'node:sqlite';
import { asBytePath, showPath, toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { FerryError, messageOf } from '../../base/errors.ts';
import { isSqliteError } from '../../fs/sqlite-error.ts';
import { lstatIfAny } from './read.ts';

/**
 * Opens, asks, closes: nothing is changed on disk.
 * @throws file-unreadable where it is damaged, or only others may read it
 */
export function askDatabase<T>(path: BytePath, count: (database: DatabaseSync) => T): T {
  let database: DatabaseSync | undefined;
  try {
    database = openToCount(path);
    return count(database);
  } catch (error) {
    if (!isSqliteError(error) || isInUse(error)) throw error;
    throw new FerryError('file-unreadable', `cannot read ${showPath(path)}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    database?.close();
  }
}

/** Whole, and counted as nothing it would seem to have lost everything. */
const isInUse = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && IN_USE.has(Number(error.errcode) & 0xff);

/** SQLITE_BUSY, SQLITE_LOCKED. */
const IN_USE = new Set([5, 6]);

export const tablesOf = (database: DatabaseSync): Set<string> =>
  new Set(
    database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all()
      .map((row) => String(row['name'])),
  );

/** A database may be a stranger's: what its schema calls gets nothing that could reach beyond it. */
export function distrust(database: DatabaseSync): DatabaseSync {
  database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
  return database;
}

/** Opens a database for reading without changing anything on disk. */
function openToCount(path: BytePath): DatabaseSync {
  const url = fileUrl(path);
  if (lstatIfAny(toFsPath(asBytePath(`${path}-wal`))) === undefined)
    url.searchParams.set('immutable', '1');
  return distrust(new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS }));
}

/** A URL names bytes, whatever they are. */
function fileUrl(path: BytePath): URL {
  const escaped = path.replaceAll(
    /[^A-Za-z0-9/._-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return new URL(`file://${escaped}`);
}

const BUSY_TIMEOUT_MS = 5_000;
