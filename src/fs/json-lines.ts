/**
 * Where a JSON Lines file that may be growing ends with a whole record.
 */
import { fstatSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { BytePath } from '../base/byte-path.ts';
import { pauseMs } from './pause.ts';

export const isJsonLines = (path: BytePath): boolean => path.endsWith('.jsonl');

export type RecordsEnd = {
  /** Bytes to keep. */
  readonly end: number;
  /** Length of the file when that was decided. */
  readonly size: number;
};

/**
 * A tail without its newline is a record being written, a record whose writer leaves the last newline out, or an old
 * leftover. In this order: it becomes whole within a few milliseconds: keep; untouched for seconds: keep every
 * byte, nobody will finish it; it is a whole JSON value by itself: keep; else cut behind the last newline.
 */
export function wholeRecordsEnd(fd: number, stat: BigIntStats, scratch: Uint8Array): RecordsEnd {
  let now = stat;
  for (let looks = 1; ; looks++) {
    const size = Number(now.size);
    if (size === 0 || byteAt(fd, size - 1, scratch) === NEWLINE) return { end: size, size };
    if (isLeftover(now)) return { end: size, size };
    if (looks === LOOKS_MAX) return { end: cutOrKeep(fd, size, scratch), size };
    pauseMs(PAUSE_MS);
    now = fstatSync(fd, { bigint: true });
  }
}

const NEWLINE = 0x0a;
const LOOKS_MAX = 4;
const PAUSE_MS = 4;
const LEFTOVER_MS = 2_000;
/** A longer tail is not parsed, and cut: a record of that length is still being written. */
const TAIL_PARSED_BYTES_MAX = 8 * 1024 * 1024;

const isLeftover = (stat: BigIntStats): boolean =>
  Date.now() - Number(stat.mtimeNs / 1_000_000n) > LEFTOVER_MS;

function byteAt(fd: number, position: number, scratch: Uint8Array): number | undefined {
  return readSync(fd, scratch, 0, 1, position) === 1 ? scratch[0] : undefined;
}

function cutOrKeep(fd: number, size: number, scratch: Uint8Array): number {
  const start = lastNewline(fd, size, scratch) + 1;
  return isWholeValue(fd, start, size) ? size : start;
}

/** Position of the last newline before `size`, or -1. */
function lastNewline(fd: number, size: number, scratch: Uint8Array): number {
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - scratch.length);
    const length = readSync(fd, scratch, 0, end - start, start);
    const found = scratch.subarray(0, length).lastIndexOf(NEWLINE);
    if (found >= 0) return start + found;
    end = start;
  }
  return -1;
}

/** Objects and arrays only: `12` may be the beginning of `123`. */
function isWholeValue(fd: number, start: number, size: number): boolean {
  const length = size - start;
  if (length === 0 || length > TAIL_PARSED_BYTES_MAX) return false;
  const tail = Buffer.allocUnsafe(length);
  if (readSync(fd, tail, 0, length, start) !== length) return false;
  try {
    const value: unknown = JSON.parse(tail.toString('utf8'));
    return typeof value === 'object' && value !== null;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
