/**
 * Frames: ChaCha20-Poly1305 (RFC 8439) with the frame number as nonce, under the key of one object. They run
 * through node:crypto, several times faster than the WebAssembly build of libsodium; a test proves both
 * interchangeable. Nothing here needs libsodium, so worker threads start quickly.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { release } from '../base/bytes.ts';
import { TAG_BYTES } from './sizes.ts';

/** What it takes to seal or open the frames of one object; small enough to hand to a worker thread. */
export type ObjectKey = {
  readonly key: Uint8Array;
  /** BLAKE2b-256 of the whole sealed header; part of every frame's associated data. */
  readonly headerHash: Uint8Array;
};

/** Seals `plaintext` into `out` at `offset`; writes plaintext.length + 16 bytes and answers that number. */
export function sealFrameInto(
  objectKey: ObjectKey,
  frame: number,
  last: boolean,
  plaintext: Uint8Array,
  out: Uint8Array,
  offset: number,
): number {
  const cipher = createCipheriv('chacha20-poly1305', keyObject(objectKey), frameNonce(frame), {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(frameAssociated(objectKey, frame, last), { plaintextLength: plaintext.length });
  inSlices(plaintext, out, offset, (slice) => cipher.update(slice));
  cipher.final();
  out.set(cipher.getAuthTag(), offset + plaintext.length);
  return plaintext.length + TAG_BYTES;
}

/** The plaintext of a stored frame, or undefined when anything about it was changed. */
export function openFrame(
  objectKey: ObjectKey,
  frame: number,
  last: boolean,
  stored: Uint8Array,
): Buffer | undefined {
  if (stored.length < TAG_BYTES) return undefined;
  const plaintext = Buffer.alloc(stored.length - TAG_BYTES);
  return openFrameInto(objectKey, frame, last, stored, plaintext) ? plaintext : undefined;
}

/**
 * The same into a given buffer of at least stored.length − 16 bytes. When it answers false, something was changed
 * and what is in the buffer means nothing.
 */
export function openFrameInto(
  objectKey: ObjectKey,
  frame: number,
  last: boolean,
  stored: Uint8Array,
  out: Uint8Array,
): boolean {
  if (stored.length < TAG_BYTES) return false;
  const body = stored.subarray(0, stored.length - TAG_BYTES);
  const decipher = createDecipheriv('chacha20-poly1305', keyObject(objectKey), frameNonce(frame), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(frameAssociated(objectKey, frame, last), { plaintextLength: body.length });
  decipher.setAuthTag(stored.subarray(body.length));
  inSlices(body, out, 0, (slice) => decipher.update(slice));
  try {
    decipher.final();
  } catch {
    // The one thing final() can say is that the tag does not match.
    return false;
  }
  return true;
}

/** node:crypto allocates every output; in slices that memory stays small, and it is given back at once. */
const SLICE_BYTES = 64 * 1024;

function inSlices(
  input: Uint8Array,
  out: Uint8Array,
  offset: number,
  step: (slice: Uint8Array) => Buffer,
): void {
  for (let at = 0; at < input.length; at += SLICE_BYTES) {
    const made = step(input.subarray(at, at + SLICE_BYTES));
    out.set(made, offset + at);
    release(made);
  }
}

const keyObjects = new WeakMap<ObjectKey, KeyObject>();

/** Made once for each object: the frames of a pack share it. */
function keyObject(objectKey: ObjectKey): KeyObject {
  const known = keyObjects.get(objectKey);
  if (known) return known;
  const made = createSecretKey(objectKey.key);
  keyObjects.set(objectKey, made);
  return made;
}

/** 12 bytes: the frame number as u32le, then zeros. Every object has its own key, so numbers never repeat under one. */
function frameNonce(frame: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(frame);
  return nonce;
}

/** 37 bytes: hash of the whole header ‖ frame number u32le ‖ last flag. */
export function frameAssociated(objectKey: ObjectKey, frame: number, last: boolean): Buffer {
  const associated = Buffer.alloc(37);
  associated.set(objectKey.headerHash);
  associated.writeUInt32LE(frame, 32);
  associated[36] = last ? 1 : 0;
  return associated;
}

/** Plaintext bytes in each frame of a small sealed body (everything but packs). */
export const BODY_FRAME_BYTES = 256 * 1024;

/** A whole body as consecutive frames from number 0, the last one flagged. */
export function sealBody(objectKey: ObjectKey, plaintext: Uint8Array): Uint8Array {
  const frames = Math.max(1, Math.ceil(plaintext.length / BODY_FRAME_BYTES));
  const out = Buffer.alloc(plaintext.length + frames * TAG_BYTES);
  let offset = 0;
  for (let frame = 0; frame < frames; frame++) {
    const from = frame * BODY_FRAME_BYTES;
    const piece = plaintext.subarray(from, from + BODY_FRAME_BYTES);
    offset += sealFrameInto(objectKey, frame, frame === frames - 1, piece, out, offset);
  }
  return out;
}

/** The body, or undefined when any frame was changed, moved, dropped or cut off. */
export function openBody(objectKey: ObjectKey, stored: Uint8Array): Buffer | undefined {
  const step = BODY_FRAME_BYTES + TAG_BYTES;
  const frames = Math.max(1, Math.ceil(stored.length / step));
  const pieces: Buffer[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const piece = stored.subarray(frame * step, (frame + 1) * step);
    const plain = openFrame(objectKey, frame, frame === frames - 1, piece);
    if (!plain) return undefined;
    pieces.push(plain);
  }
  return Buffer.concat(pieces);
}
