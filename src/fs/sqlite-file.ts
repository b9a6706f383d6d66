/**
 * What can be known about a SQLite database from its bytes and its neighbours, without opening it as one.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { asBytePath, joinBytes, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { systemCode } from '../base/errors.ts';
import { statFile } from './file-stat.ts';
import type { FileStat } from './file-stat.ts';

/** 'SQLite format 3' and a NUL: every database, and nothing else. */
export function isSqliteHead(head: Uint8Array): boolean {
  return (
    head[0] === MAGIC[0] &&
    head.length >= MAGIC.length &&
    MAGIC.every((byte, at) => head[at] === byte)
  );
}

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
/** Of the header that every database begins with. */
export const SQLITE_HEADER_BYTES = 100;

/** The header says that readers and writers go through a -wal. */
export const isWalHead = (head: Uint8Array): boolean => head[18] === 2 || head[19] === 2;

/** A database and what together with it makes up one state. (-shm is only an index of -wal.) */
export type SqliteSet = {
  readonly database: FileStat;
  readonly wal: FileStat | undefined;
  readonly shm: FileStat | undefined;
  readonly journal: FileStat | undefined;
};

/** The names that belong to the set of the database at `path`. */
export function setFor(path: BytePath): readonly BytePath[] {
  return SET_SUFFIXES.map((suffix) => asBytePath(path + suffix));
}

const SET_SUFFIXES = ['-journal', '-shm', '-wal'] as const;

export function statSet(path: BytePath): SqliteSet | undefined {
  const database = statFile(path);
  if (!database) return undefined;
  const beside = (suffix: string): FileStat | undefined => statFile(asBytePath(path + suffix));
  return { database, wal: beside('-wal'), shm: beside('-shm'), journal: beside('-journal') };
}

/** Equal texts: no commit between the two looks. -shm is left out, readers write to it too. */
export function setFingerprint(set: SqliteSet): string {
  const part = (stat: FileStat | undefined): string =>
    stat ? `${stat.size},${stat.mtimeNs},${stat.ino},${stat.dev}` : '-';
  return [set.database, set.wal, set.journal].map(part).join(' ');
}

/**
 * Of the names in one directory, those that are captured with a database beside them and never by themselves: name →
 * name of the database.
 *
 * Asked when a directory is listed, and not file by file, because opening and closing a database file drops every
 * lock this process holds on it (a rule of POSIX): with a capture of the same database under way that would be fatal.
 */
export function databasesOfSets(
  directory: BytePath,
  names: readonly string[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const members = names.filter((name) => SET_SUFFIXES.some((suffix) => name.endsWith(suffix)));
  if (members.length === 0) return found;
  const present = new Set(names);
  for (const member of members) {
    const database = member.slice(0, member.lastIndexOf('-'));
    if (!present.has(database)) continue;
    const head = readHead(joinBytes(directory, asBytePath(database)));
    if (head && isSqliteHead(head)) found.set(member, database);
  }
  return found;
}

/** The first bytes of a regular file, or undefined when there is none to read. */
export function readHead(path: BytePath): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(toFsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const head = Buffer.alloc(SQLITE_HEADER_BYTES);
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
