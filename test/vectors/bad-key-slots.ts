import { toBase64, utf8 } from '../../src/base/bytes.ts';
import { sealBox } from '../../src/crypto/box.ts';
import { kdf } from '../../src/crypto/kdf.ts';
import { decodeKeySlot, encodeKeySlot, keySlotAssociated } from '../../src/format/key-slot.ts';
import { badOf, type BadVector } from './bad-headers.ts';
import { OTHER_REPOSITORY, RECOVERY_SECRET } from './keys.ts';
import { flipBit } from './parts.ts';
import { fixedBytes, fixedRandom } from './stream.ts';

/** Opened with the passphrase where the slot says so, else with the recovery code. */
export function badKeySlots(bytesOf: (what: string) => Uint8Array): BadVector[] {
  const byPassphrase = decodeKeySlot(bytesOf('key slot, passphrase'), 'good');
  const byCode = decodeKeySlot(bytesOf('key slot, recovery code'), 'good');
  const bad = badOf('key slot');
  const costs = (change: Readonly<Record<string, number | string>>): Uint8Array =>
    utf8(
      JSON.stringify({
        format: 1,
        ...byPassphrase,
        opens: { ...byPassphrase.opens, ...change },
        box: toBase64(byPassphrase.box),
      }),
    );
  const shortSeed = sealBox(
    kdf(RECOVERY_SECRET, 'slot'),
    keySlotAssociated(byCode),
    fixedBytes('identity seed', 31),
    fixedRandom('nonce short seed'),
  );
  return [
    bad('cut', 'object-damaged', bytesOf('key slot, recovery code').slice(0, 100)),
    bad('not JSON', 'object-damaged', utf8('slot')),
    bad('a newer version', 'format-too-new', utf8(jsonOf(byCode, { format: 2 }))),
    bad(
      'an unknown way to open it',
      'object-damaged',
      utf8(jsonOf(byCode, { opens: { with: 'a smile' } })),
    ),
    bad(
      'another repository',
      'object-foreign',
      encodeKeySlot({ ...byCode, repository: OTHER_REPOSITORY }),
    ),
    bad('another slot id', 'object-foreign', encodeKeySlot({ ...byCode, slot: '0'.repeat(32) })),
    bad('too little memory', 'object-damaged', costs({ memoryKiB: 65_535 })),
    bad('too much memory', 'object-damaged', costs({ memoryKiB: 524_289 })),
    bad('four terabytes of memory', 'object-damaged', costs({ memoryKiB: 0xffff_ffff })),
    bad('too few passes', 'object-damaged', costs({ passes: 1 })),
    bad('too many passes', 'object-damaged', costs({ passes: 11 })),
    bad('no lanes', 'object-damaged', costs({ lanes: 0 })),
    bad('too many lanes', 'object-damaged', costs({ lanes: 5 })),
    bad('half a pass', 'object-damaged', costs({ passes: 2.5 })),
    bad('negative memory', 'object-damaged', costs({ memoryKiB: -65_536 })),
    bad('a salt of four bytes', 'object-damaged', costs({ salt: 'AAAAAA==' })),
    bad('another salt', 'nothing-opens', costs({ salt: toBase64(fixedBytes('salt', 16)) })),
    bad('other costs within the bounds', 'nothing-opens', costs({ passes: 4 })),
    bad('a flipped bit in the nonce', 'nothing-opens', withBox(byCode, flipBit(byCode.box, 0))),
    bad(
      'a flipped bit in the commitment',
      'nothing-opens',
      withBox(byCode, flipBit(byCode.box, 24)),
    ),
    bad('a flipped bit in the seed', 'nothing-opens', withBox(byCode, flipBit(byCode.box, 60))),
    bad('a box cut short', 'nothing-opens', withBox(byCode, byCode.box.slice(0, 71))),
    bad('a seed of 31 bytes', 'nothing-opens', withBox(byCode, shortSeed)),
  ];
}

type Slot = ReturnType<typeof decodeKeySlot>;

const withBox = (slot: Slot, box: Uint8Array): Uint8Array => encodeKeySlot({ ...slot, box });

const jsonOf = (slot: Slot, change: object): string =>
  JSON.stringify({ format: 1, ...slot, box: toBase64(slot.box), ...change });
