/** Objects under a writer's own subkey: index and pack list. Header (64 bytes) ‖ box, bound to the header. */
import { concatBytes, release, view } from '../base/bytes.ts';
import { openBox, sealBox } from '../crypto/box.ts';
import type { Random } from '../crypto/sodium.ts';
import { checkHeader, encodeHeader, HEADER_BYTES, type Header } from '../format/header.ts';
import { damaged } from './objects.ts';

export function sealBoxed(
  key: Uint8Array,
  header: Header,
  plaintext: Uint8Array,
  random: Random,
): Uint8Array {
  const encoded = encodeHeader(header);
  const box = sealBox(key, encoded, plaintext, random);
  const bytes = concatBytes(encoded, box);
  release(view(box));
  return bytes;
}

/** @throws object-damaged, object-foreign */
export function openBoxed(
  key: Uint8Array,
  header: Header,
  bytes: Uint8Array,
  name: string,
): Uint8Array {
  checkHeader(bytes, header, name);
  const plaintext = openBox(key, bytes.subarray(0, HEADER_BYTES), bytes.subarray(HEADER_BYTES));
  if (!plaintext) throw damaged(name, 'it does not open under its writer’s key');
  return plaintext;
}
