/** The mistakes that a record of the root key has whatever it says: in its header, and in who signed it as what. */
import { badHeaders, badOf, type BadVector } from './bad-headers.ts';
import { OTHER_WRITER, OWNER, STRANGER, WRITER } from './keys.ts';
import { signed } from './parts.ts';

export function badSigners(kind: 'forget record' | 'repack record', good: Uint8Array): BadVector[] {
  const bad = badOf(kind);
  const unsigned = good.slice(0, -64);
  const by = (key: Uint8Array): Uint8Array => signed(kind, unsigned, key);
  return [
    ...badHeaders(kind, good),
    bad('signed by its writer', 'object-foreign', by(WRITER.signing.secretKey)),
    bad('signed by another writer', 'object-foreign', by(OTHER_WRITER.signing.secretKey)),
    bad('signed by another root key', 'object-foreign', by(STRANGER.root.secretKey)),
    bad(
      'signed as a tombstone',
      'object-foreign',
      signed('tombstone', unsigned, OWNER.root.secretKey),
    ),
  ];
}
