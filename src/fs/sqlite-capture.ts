/**
 * A consistent copy of a SQLite database that may be in use, without leaving a trace beside it.
 */
import { backup, DatabaseSync } from 'node:sqlite';
import { closeSync, openSync } from 'node:fs';
import { dirNameBytes, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { messageOf } from '../base/errors.ts';
import { isRacyStat } from './file-stat.ts';
import { outOfSpace } from './out-of-space.ts';
import { copySet, isFull, notCopied, partAt, removeTemp, settleCopy } from './sqlite-copy.ts';
import type { SqlitePart } from './sqlite-copy.ts';
import { errcodeOf, isSqliteError } from './sqlite-error.ts';
import { isSqliteHead, isWalHead, readHead, setFingerprint, statSet } from './sqlite-file.ts';
import type { SqliteSet } from './sqlite-file.ts';

export type SqliteWay =
  /** Online backup through SQLite, with its locks. */
  | 'backup'
  /** Online backup of a database nobody has open (no -wal), with proof that nothing changed meanwhile. */
  | 'immutable'
  /** The files were copied, and SQLite put the copy into one consistent file. */
  | 'settled-copy'
  /** The files were copied as they are. */
  | 'raw-copy';

export type SqliteCapture =
  | {
      readonly kind: 'captured';
      readonly way: SqliteWay;
      /** One part (suffix '') unless `raw-copy`, which brings -wal and -journal along. Removed by the caller. */
      readonly parts: readonly SqlitePart[];
      /** As it was before the capture began. */
      readonly set: SqliteSet;
      /** The same afterwards, and not so fresh that a change could go unseen: may be remembered as captured. */
      readonly stable: boolean;
      /** Why the copy may be not what SQLite would call consistent. The bytes are kept all the same. */
      readonly problem?: { readonly code: string; readonly message: string };
    }
  | { readonly kind: 'not-sqlite' }
  | { readonly kind: 'vanished' }
  | { readonly kind: 'problem'; readonly code: string; readonly message: string };

export type CaptureOptions = {
  /** How long SQLite waits for another process to give up its lock. */
  readonly lockWaitMs?: number;
};

/**
 * Captures the database at `path` into the new file `tempPath` (mode 0600, in a private directory of the caller).
 *
 * One backup step for all pages: with fewer a step, every commit of a busy writer starts it again, and it never ends.
 * The source is opened read-only, since a writable connection would checkpoint into it and delete its -wal. A
 * read-only one would leave an empty -wal and -shm beside a WAL database that has none, so that is opened as
 * immutable, which reads neither locks nor -wal: hence the proof afterwards, and never where a -wal is.
 *
 * While this runs nobody else in this process may open and close the same file: closing any descriptor of it drops
 * the locks that SQLite holds (a rule of POSIX).
 */
export async function captureSqlite(
  path: BytePath,
  tempPath: BytePath,
  options: CaptureOptions = {},
): Promise<SqliteCapture> {
  let capture: SqliteCapture | undefined;
  try {
    capture = await captureSomehow(path, tempPath, options);
    return capture;
  } finally {
    if (capture?.kind !== 'captured') removeTemp(tempPath);
  }
}

async function captureSomehow(
  path: BytePath,
  tempPath: BytePath,
  options: CaptureOptions,
): Promise<SqliteCapture> {
  let refused: string | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const set = statSet(path);
    const head = readHead(path);
    if (!set || !head) return whyNot(path, set);
    if (!isSqliteHead(head)) return { kind: 'not-sqlite' };
    const way = wayFor(set, head);
    if (way === 'settled-copy') break;
    removeTemp(tempPath);
    refused = await backupInto(path, tempPath, way, options);
    if (refused !== undefined) break;
    const unchanged = isUnchanged(path, set);
    if (way === 'immutable' && !unchanged) continue;
    return { ...capturedOf(set, unchanged), way, parts: [partOf(tempPath)] };
  }
  return await captureCopy(path, tempPath, refused);
}

const ATTEMPTS_MAX = 5;
const LOCK_WAIT_MS = 5_000;
/** All pages in one step. */
const PAGES_A_STEP = 2_147_483_647;

function wayFor(set: SqliteSet, head: Uint8Array): SqliteWay {
  // A -wal without -shm: nobody has it open, and opening it would make the -shm.
  if (set.wal) return set.shm ? 'backup' : 'settled-copy';
  return isWalHead(head) ? 'immutable' : 'backup';
}

/** Undefined when done, else what SQLite said. A full disk throws. */
async function backupInto(
  path: BytePath,
  tempPath: BytePath,
  way: SqliteWay,
  options: CaptureOptions,
): Promise<string | undefined> {
  let source: DatabaseSync | undefined;
  try {
    closeSync(openSync(toFsPath(tempPath), 'wx', 0o600));
    source = new DatabaseSync(way === 'immutable' ? immutableUri(path) : toFsPath(path), {
      readOnly: true,
      timeout: options.lockWaitMs ?? LOCK_WAIT_MS,
    });
    await backup(source, toFsPath(tempPath), { rate: PAGES_A_STEP });
    return undefined;
  } catch (error) {
    if (isFull(error)) throw outOfSpace(dirNameBytes(tempPath), error);
    if (!isSqliteError(error)) throw error;
    return sqliteMessage(error);
  } finally {
    source?.close();
  }
}

/** SQLite undoes %HH, so every byte but the plainest goes that way; `?` and `#` would end the name. */
function immutableUri(path: BytePath): string {
  const escaped = path.replace(
    /[^A-Za-z0-9/._-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `file://${escaped}?immutable=1`;
}

/** 0 is what Node reports when a lock was not to be had in time. */
const LOCKED_CODES = new Set<number | undefined>([0, 5, 6]);

const sqliteMessage = (error: unknown): string =>
  LOCKED_CODES.has(errcodeOf(error)) ? 'another process keeps it locked' : messageOf(error);

function isUnchanged(path: BytePath, set: SqliteSet): boolean {
  const now = statSet(path);
  return now !== undefined && setFingerprint(now) === setFingerprint(set);
}

function capturedOf(
  set: SqliteSet,
  unchanged: boolean,
): { kind: 'captured'; set: SqliteSet; stable: boolean } {
  const nowMs = Date.now();
  const racy = [set.database, set.wal, set.journal].some((stat) => stat && isRacyStat(stat, nowMs));
  return { kind: 'captured', set, stable: unchanged && !racy };
}

const partOf = (tempPath: BytePath): SqlitePart => partAt(tempPath, '');

/** The way without SQLite's locks: where it refuses, or where opening the source would leave files beside it. */
async function captureCopy(
  path: BytePath,
  tempPath: BytePath,
  refused: string | undefined,
): Promise<SqliteCapture> {
  const copy = await copySet(path, tempPath);
  if (copy.kind !== 'copied') return copy;
  const captured = capturedOf(copy.set, copy.unchanged);
  const settled = settleCopy(tempPath, copy.unchanged);
  if (settled === undefined) {
    const torn = { code: 'sqlite-changing', message: 'it changed each time while it was copied' };
    const parts = [partOf(tempPath)];
    return {
      ...captured,
      way: 'settled-copy',
      parts,
      ...(copy.unchanged ? {} : { problem: torn }),
    };
  }
  // Settling may have written to the copy: take a fresh one, and keep every byte as it is.
  const raw = await copySet(path, tempPath);
  if (raw.kind !== 'copied') return raw;
  const said = refused === undefined || refused === settled ? settled : `${refused}; ${settled}`;
  return {
    ...capturedOf(raw.set, raw.unchanged),
    way: 'raw-copy',
    parts: raw.parts,
    problem: {
      code: 'sqlite-damaged',
      message: `SQLite cannot read it (${said}); copied as it is`,
    },
  };
}

function whyNot(path: BytePath, set: SqliteSet | undefined): SqliteCapture {
  if (!set) return { kind: 'vanished' };
  try {
    closeSync(openSync(toFsPath(path), 'r'));
    return { kind: 'vanished' };
  } catch (error) {
    return notCopied(error);
  }
}
