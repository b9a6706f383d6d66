/**
 * A database that nobody writes to is its own consistent copy: it can be read where it lies, which spares writing all
 * of it once more and deleting that again.
 */
import { DatabaseSync } from 'node:sqlite';
import { toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { isRacyStat } from './file-stat.ts';
import { isSqliteError } from './sqlite-error.ts';
import { isSqliteHead, isWalHead, readHead, setFingerprint, statSet } from './sqlite-file.ts';
import type { SqliteSet } from './sqlite-file.ts';

export type RestingDatabase = {
  readonly set: SqliteSet;
  /** Asked after reading: only then is what was read known to be one state of the database. */
  isUntouched(): boolean;
};

/**
 * Undefined unless the file alone is a whole, committed state at this moment: no -wal, nothing in a -journal, nobody
 * in the middle of writing, as long as its header says. Its stamps are so old that whatever is written from now on
 * changes them.
 */
export function restingDatabase(path: BytePath): RestingDatabase | undefined {
  const set = statSet(path);
  // An empty -journal is what the mode `truncate` leaves after a commit.
  if (!set || set.wal || set.journal?.size || isRacyStat(set.database, Date.now()))
    return undefined;
  const head = readHead(path);
  if (!head || !isSqliteHead(head) || lengthSaid(head) !== set.database.size) return undefined;
  // In WAL mode whoever opens it makes a -wal first; else only a lock tells that somebody is writing.
  if (!isWalHead(head) && !isUnlocked(path)) return undefined;
  const fingerprint = setFingerprint(set);
  const isUntouched = (): boolean => {
    const now = statSet(path);
    return now?.database.ctimeNs === set.database.ctimeNs && setFingerprint(now) === fingerprint;
  };
  return isUntouched() ? { set, isUntouched } : undefined;
}

/** Page size (1 stands for 65 536) times pages; that count holds only when the two change counters agree. */
function lengthSaid(head: Uint8Array): number | undefined {
  const { buffer, byteOffset, byteLength } = head;
  if (byteLength < 96) return undefined;
  const numbers = new DataView(buffer, byteOffset, byteLength);
  if (numbers.getUint32(24) !== numbers.getUint32(92)) return undefined;
  const pageBytes = numbers.getUint16(16);
  return (pageBytes === 1 ? 65_536 : pageBytes) * numbers.getUint32(28);
}

/** SQLite gets its read lock at once, and can read the schema. */
function isUnlocked(path: BytePath): boolean {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(toFsPath(path), { readOnly: true });
    database.exec('SELECT count(*) FROM sqlite_schema');
    return true;
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    return false;
  } finally {
    database?.close();
  }
}
