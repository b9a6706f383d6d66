import { assert, FerryError } from '../base/errors.ts';
import type { ByteRange, RequestCounts } from './object-store.ts';

/**
 * No object of ours is longer than this, so no answer makes `get` allocate more: a hostile store cannot exhaust
 * memory by showing a huge object under a small one's name. Whoever wants a part of something longer names a range.
 */
export const OBJECT_BYTES_MAX = 64 * 1024 * 1024;

/** The part of an object of `size` bytes that a range means. */
export function cutRange(
  name: string,
  range: ByteRange | undefined,
  size: number,
): { start: number; end: number } {
  const start = range?.offset ?? 0;
  const end = range === undefined ? size : Math.min(size, start + range.length);
  if (range !== undefined) {
    assertRange(range);
    if (start >= size) throw tooShort(name, size, start);
  }
  if (end - start > OBJECT_BYTES_MAX) throw tooLong(name, end - start, OBJECT_BYTES_MAX);
  return { start, end };
}

export function assertRange(range: ByteRange): void {
  const whole = Number.isSafeInteger(range.offset) && Number.isSafeInteger(range.length);
  assert(whole && range.offset >= 0 && range.length > 0, 'a byte range is not empty');
}

/** Copies and answers the length, or refuses what does not fit. */
export function copyInto(name: string, bytes: Uint8Array, into: Uint8Array): number {
  if (bytes.length > into.length) throw tooLong(name, bytes.length, into.length);
  into.set(bytes);
  return bytes.length;
}

export function tooLong(name: string, bytes: number, bytesMax: number): FerryError {
  return new FerryError(
    'object-damaged',
    `${name} has ${bytes} bytes where at most ${bytesMax} were expected`,
    { details: { object: name, bytes, bytesMax } },
  );
}

export function tooShort(name: string, bytes: number, offset: number): FerryError {
  return new FerryError(
    'object-damaged',
    `${name} has only ${bytes} bytes: nothing is left at ${offset}`,
    { details: { object: name, bytes, offset } },
  );
}

export function noCounts(): RequestCounts {
  return { put: 0, get: 0, head: 0, list: 0, delete: 0 };
}
