/** Frames in the clear, with a tag that shows every change: nobody in a world looks for secrets. */
import type { ObjectKey } from '../../../src/crypto/frames.ts';
import { TAG_BYTES } from '../../../src/crypto/sizes.ts';
import { digestOf } from './digest.ts';

export * from '../../../src/crypto/frames.ts';

export function sealFrameInto(
  objectKey: ObjectKey,
  frame: number,
  last: boolean,
  plaintext: Uint8Array,
  out: Uint8Array,
  offset: number,
): number {
  out.set(plaintext, offset);
  out.set(tagOf(objectKey, frame, last, plaintext), offset + plaintext.length);
  return plaintext.length + TAG_BYTES;
}

export function openFrame(
  objectKey: ObjectKey,
  frame: number,
  last: boolean,
  stored: Uint8Array,
): Buffer | undefined {
  if (stored.length < TAG_BYTES) return undefined;
  const plaintext = stored.subarray(0, stored.length - TAG_BYTES);
  const tag = tagOf(objectKey, frame, last, plaintext);
  return tag.equals(stored.subarray(plaintext.length)) ? Buffer.from(plaintext) : undefined;
}

export function openFrameInto(
  objectKey: ObjectKey,
  frame: number,
  last: boolean,
  stored: Uint8Array,
  out: Uint8Array,
): boolean {
  const plaintext = openFrame(objectKey, frame, last, stored);
  if (plaintext) out.set(plaintext);
  return plaintext !== undefined;
}

/** Of a simulated world every body fits into one frame. */
export function sealBody(objectKey: ObjectKey, plaintext: Uint8Array): Uint8Array {
  const out = Buffer.alloc(plaintext.length + TAG_BYTES);
  sealFrameInto(objectKey, 0, true, plaintext, out, 0);
  return out;
}

export const openBody = (objectKey: ObjectKey, stored: Uint8Array): Buffer | undefined =>
  openFrame(objectKey, 0, true, stored);

const tagOf = (
  { key, headerHash }: ObjectKey,
  frame: number,
  last: boolean,
  plaintext: Uint8Array,
): Buffer =>
  digestOf(2 * frame + (last ? 1 : 0), key, headerHash, plaintext).subarray(0, TAG_BYTES);
