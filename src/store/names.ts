import { assert } from '../base/errors.ts';

const SEGMENT_BYTES_MAX = 200;
const NAME_BYTES_MAX = 900;
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/**
 * One rule for every store, the strictest any of them needs: no leading dot (so `.` and `..` cannot be said, and
 * a folder may keep its temporary files beside the objects), segments that fit a file name, no empty segment.
 */
export function isObjectName(name: string): boolean {
  return name.length <= NAME_BYTES_MAX && name.split('/').every(isSegment);
}

export function isSegment(segment: string): boolean {
  return segment.length <= SEGMENT_BYTES_MAX && SEGMENT.test(segment);
}

/** Names are made by this program, so a bad one is a bug, not bad input. */
export function assertName(name: string): void {
  assert(isObjectName(name), `not an object name: ${JSON.stringify(name)}`);
}

export function assertPrefix(prefix: string): void {
  const ok = prefix === '' || (prefix.endsWith('/') && isObjectName(prefix.slice(0, -1)));
  assert(ok, `not a name prefix: ${JSON.stringify(prefix)}`);
}
