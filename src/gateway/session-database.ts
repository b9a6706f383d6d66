/**
 * The newest generation keeps an agent's sessions and transcripts in one SQLite database. Counted by opening it read
 * only, in the one way that leaves nothing behind: a database in WAL mode without its -wal is opened as immutable
 * (a plain open would leave files beside it), one with a -wal never is (its rows would be missing).
 */
import { DatabaseSync } from 'node:sqlite';
import { asBytePath, showPath, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { FerryError, messageOf } from '../base/errors.ts';
import { isSqliteError } from '../fs/sqlite-error.ts';
import { lstatIfAny, statIfAny } from './read.ts';

export type DatabaseSessions = { readonly sessions: number; readonly transcripts: number };

/** Undefined when there is no database, or none with sessions in it. */
export function countDatabaseSessions(path: BytePath): DatabaseSessions | undefined {
  if ((statIfAny(toFsPath(path))?.size ?? 0) === 0) return undefined;
  return askDatabase(path, (database) => {
    const tables = tablesOf(database);
    if (!tables.has('session_nodes')) return undefined;
    const transcripts = ['transcript_events', 'session_transcript_cold_archives'].filter((table) =>
      tables.has(table),
    );
    return {
      sessions: countOf(database, 'SELECT count(*) AS n FROM session_nodes'),
      transcripts: countOf(database, distinctSessions(transcripts)),
    };
  });
}

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

function distinctSessions(tables: readonly string[]): string {
  if (tables.length === 0) return 'SELECT 0 AS n';
  const ids = tables.map((table) => `SELECT session_id FROM ${table}`).join(' UNION ');
  return `SELECT count(*) AS n FROM (${ids})`;
}

const countOf = (database: DatabaseSync, sql: string): number =>
  Number(database.prepare(sql).get()?.['n'] ?? 0);
