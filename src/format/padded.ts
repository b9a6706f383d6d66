/** Plaintexts of objects whose length would tell something: u32 length ‖ bytes ‖ zeros up to a Padmé size. */
import { ByteReader } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { padme } from '../codec/padding.ts';

const PADDED_BYTES_MIN = 1024;

export function encodePadded(bytes: Uint8Array): Uint8Array {
  const out = Buffer.alloc(padme(Math.max(PADDED_BYTES_MIN, bytes.length + 4)));
  out.writeUInt32LE(bytes.length);
  out.set(bytes, 4);
  return out;
}

/** For objects whose size is agreed on beforehand: zeros up to `length` bytes. */
export function encodeFixed(bytes: Uint8Array, length: number): Uint8Array {
  assert(bytes.length + 4 <= length, 'it fits the size that was agreed on');
  const out = Buffer.alloc(length);
  out.writeUInt32LE(bytes.length);
  out.set(bytes, 4);
  return out;
}

export function decodePadded(padded: Uint8Array, what: string): Buffer {
  const reader = new ByteReader(padded, what);
  const bytes = reader.bytes(reader.u32());
  reader.zeros();
  return bytes;
}
