/**
 * Reading a file that somebody may be writing: the bytes handed on are those of one moment as far as a file
 * system lets one know, and whoever is not sure says so.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { assert, systemCode } from '../base/errors.ts';
import { fileStatOf, isRacyStat, isSameStat } from './file-stat.ts';
import type { FileStat } from './file-stat.ts';
import { isOpenAt } from './led-away.ts';
import { isJsonLines, wholeRecordsEnd } from './json-lines.ts';
import { pauseMs } from './pause.ts';
import { isSqliteHead, SQLITE_HEADER_BYTES } from './sqlite-file.ts';
import { describeSystemCode } from './system-problem.ts';

export type ReadLiveOptions = {
  /** Where the bytes pass through; a multiple of `chunkBytes`. Overwritten as soon as `onChunk` returns. */
  readonly buffer: Uint8Array;
  readonly chunkBytes: number;
  /** What the walk saw. Equal afterwards: stable since then, for one `fstat` less. */
  readonly expected?: FileStat;
  /** Return `sqlite` without a single chunk when the file is a database: those are captured, not read. */
  readonly sqliteApart?: boolean;
  /** Answer `replaced` where a link on the way leads somewhere else. */
  readonly mayBeLedAway?: boolean;
};

export type ReadLiveSink = {
  /** Pieces of exactly `chunkBytes`, the last one shorter; none for an empty file. A view of `buffer`. */
  readonly onChunk: (bytes: Uint8Array) => void;
  /** Forget every chunk of this file: it was truncated or rewritten meanwhile and is read from its start. */
  readonly onRestart: () => void;
};

export type ReadLiveResult =
  | {
      readonly kind: 'read';
      readonly bytesRead: number;
      /** Bytes after the last whole record of a file that was being appended, left for the next push. */
      readonly bytesCut: number;
      /** Nothing changed while reading, nor so shortly before that a later change could keep the same stamps. */
      readonly stable: boolean;
      /** Of the file that was open; `size` may differ from `bytesRead` when not stable. */
      readonly stat: FileStat;
    }
  | { readonly kind: 'sqlite' }
  | { readonly kind: 'vanished' }
  /** No longer a regular file, or no longer there: a link leads elsewhere. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'problem'; readonly code: string; readonly message: string };

/**
 * Reads one file, blocking. A rename over it while it is open is no trouble: the old content is whole. Truncated or
 * rewritten in place means again from the start, at most `READS_MAX` times; after that what was read last is kept
 * and called unstable. Growing is normal: the length at the start counts, and JSON Lines end with a whole record.
 */
export function readLive(
  path: BytePath,
  options: ReadLiveOptions,
  sink: ReadLiveSink,
): ReadLiveResult {
  const { buffer, chunkBytes } = options;
  assert(chunkBytes > 0 && buffer.length % chunkBytes === 0, 'buffer is a multiple of chunkBytes');
  let fd: number | undefined;
  try {
    fd = openSync(toFsPath(path), OPEN_FLAGS);
    if (options.mayBeLedAway === true && !isOpenAt(fd, path)) return { kind: 'replaced' };
    for (let reads = 1; ; reads++) {
      const result = readOnce({ ...options, path, fd }, sink, reads);
      if (result !== 'again') return result;
      sink.onRestart();
      if (reads > 1) pauseMs(PAUSE_MS);
    }
  } catch (error) {
    return failed(error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

export const READS_MAX = 4;
const PAUSE_MS = 5;
/** Above this a file that grew was appended, and is not read again: it would never end for a busy log. */
const REREAD_BYTES_MAX = 4 * 1024 * 1024;
/** A FIFO put in the file's place must not block us; a link must not lead us elsewhere. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

type Opened = ReadLiveOptions & { readonly path: BytePath; readonly fd: number };

function readOnce(file: Opened, sink: ReadLiveSink, reads: number): ReadLiveResult | 'again' {
  const { expected, buffer } = file;
  // The short way: with what the walk saw, a small file takes open, read, fstat, close.
  if (reads === 1 && expected && expected.size < buffer.length && !isJsonLines(file.path)) {
    const length = readFully(file.fd, buffer, 0, expected.size + 1);
    const stat = fstatSync(file.fd, { bigint: true });
    if (!stat.isFile()) return { kind: 'replaced' };
    if (length === expected.size && isSameStat(expected, stat) && !isBeingRewritten(stat)) {
      if (file.sqliteApart === true && isDatabase(buffer, length)) return { kind: 'sqlite' };
      emitChunks(file, length, sink);
      return readResult(length, 0, true, stat);
    }
  }
  return readWithTwoStats(file, sink, reads);
}

function readWithTwoStats(
  file: Opened,
  sink: ReadLiveSink,
  reads: number,
): ReadLiveResult | 'again' {
  const before = fstatSync(file.fd, { bigint: true });
  if (!before.isFile()) return { kind: 'replaced' };
  if (isBeingRewritten(before) && reads < READS_MAX) return 'again';
  const size = Number(before.size);
  if (file.sqliteApart === true && startsLikeSqlite(file)) return { kind: 'sqlite' };
  const records = isJsonLines(file.path)
    ? wholeRecordsEnd(file.fd, before, file.buffer)
    : undefined;
  const end = records?.end ?? size;
  const bytesRead = readPieces(file, end, sink);
  const after = fstatSync(file.fd, { bigint: true });
  const shrank = bytesRead < end || Number(after.size) < end;
  if (shrank && reads < READS_MAX) return 'again';
  if (shrank) return readResult(bytesRead, 0, false, after);
  const stable = isSameStat(fileStatOf(before), after) && end === size;
  const appendOnly = records !== undefined;
  if (!stable && !appendOnly && reads < READS_MAX && mayBeTorn(before, after)) return 'again';
  return readResult(end, Math.max(0, (records?.size ?? size) - end), stable, after);
}

/** Emptied a moment ago: the usual first half of writing a file anew without a rename. */
const isBeingRewritten = (stat: BigIntStats): boolean =>
  stat.size === 0n && isRacyStat(stat, Date.now());

/** Rewritten in place: same length with other stamps, or small enough that appending cannot be told from it. */
const mayBeTorn = (before: BigIntStats, after: BigIntStats): boolean =>
  !isSameStat(fileStatOf(before), after) &&
  (before.size === after.size || Number(after.size) <= REREAD_BYTES_MAX);

function readPieces(file: Opened, end: number, sink: ReadLiveSink): number {
  let position = 0;
  while (position < end) {
    const wanted = Math.min(file.buffer.length, end - position);
    const length = readFully(file.fd, file.buffer, position, wanted);
    emitChunks(file, length, sink);
    position += length;
    if (length < wanted) break;
  }
  return position;
}

function emitChunks(file: Opened, length: number, sink: ReadLiveSink): void {
  for (let at = 0; at < length; at += file.chunkBytes) {
    sink.onChunk(file.buffer.subarray(at, Math.min(at + file.chunkBytes, length)));
  }
}

/** Fewer bytes than wanted only at the end of the file. */
function readFully(fd: number, buffer: Uint8Array, position: number, wanted: number): number {
  let length = 0;
  while (length < wanted) {
    const got = readSync(fd, buffer, length, wanted - length, position + length);
    if (got === 0) break;
    length += got;
  }
  return length;
}

function startsLikeSqlite(file: Opened): boolean {
  const length = readFully(file.fd, file.buffer, 0, SQLITE_HEADER_BYTES);
  return isDatabase(file.buffer, length);
}

/** The buffer still holds the file before behind `length`. */
const isDatabase = (buffer: Uint8Array, length: number): boolean =>
  length >= SQLITE_HEADER_BYTES && isSqliteHead(buffer);

function readResult(
  bytesRead: number,
  bytesCut: number,
  unchanged: boolean,
  stat: BigIntStats,
): ReadLiveResult {
  const stable = unchanged && bytesCut === 0 && !isRacyStat(stat, Date.now());
  return { kind: 'read', bytesRead, bytesCut, stable, stat: fileStatOf(stat) };
}

function failed(error: unknown): ReadLiveResult {
  const code = systemCode(error);
  if (code === 'ENOENT') return { kind: 'vanished' };
  // ELOOP: a link now; ENXIO and EISDIR: a socket or a directory now.
  if (code === 'ELOOP' || code === 'ENXIO' || code === 'EISDIR') return { kind: 'replaced' };
  // Anything without a system code is not the file's fault (a throw in `onChunk`, an assertion).
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
  return { kind: 'problem', code, message: describeSystemCode(code) };
}
