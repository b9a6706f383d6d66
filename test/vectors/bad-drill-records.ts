import { concatBytes, utf8 } from '../../src/base/bytes.ts';
import { encodeDrillRecord } from '../../src/format/drill-record.ts';
import { encodePadded } from '../../src/format/padded.ts';
import { badHeaders, badOf, type BadVector } from './bad-headers.ts';
import { OTHER_WRITER, OWNER, WRITER } from './keys.ts';
import { boxed, flipBit, signed } from './parts.ts';
import { DRILL, DRILLED } from './sample.ts';

export function badDrillRecords(good: Uint8Array): BadVector[] {
  const bad = badOf('drill record');
  const unsigned = good.slice(0, -64);
  const byWriter = (bytes: Uint8Array): Uint8Array =>
    signed('drill record', bytes, WRITER.signing.secretKey);
  const under = (key: Uint8Array, plaintext: Uint8Array): Uint8Array =>
    byWriter(boxed(DRILL, key, plaintext, 'bad drill record'));
  const { drillRecord, cover } = WRITER.subkeys;
  const plaintext = encodeDrillRecord(DRILLED);
  const told = (change: object): Uint8Array =>
    under(drillRecord, encodePadded(utf8(JSON.stringify({ ...DRILLED, ...change }))));
  const other = OTHER_WRITER.signing.secretKey;
  return [
    ...badHeaders('drill record', good),
    bad('cut by one byte', 'object-foreign', good.slice(0, -1)),
    bad('one byte more', 'object-foreign', concatBytes(good, new Uint8Array(1))),
    bad('signed by another writer', 'object-foreign', signed('drill record', unsigned, other)),
    bad(
      'signed by the root key',
      'object-foreign',
      signed('drill record', unsigned, OWNER.root.secretKey),
    ),
    bad(
      'signed as a snapshot',
      'object-foreign',
      signed('snapshot', unsigned, WRITER.signing.secretKey),
    ),
    bad('a flipped bit in the box', 'object-foreign', flipBit(good, 64 + 24 + 32 + 5)),
    bad('a flipped bit in the signature', 'object-foreign', flipBit(good, -1)),
    bad('no box at all', 'object-damaged', byWriter(good.slice(0, 64))),
    bad('under another subkey', 'object-damaged', under(cover, plaintext)),
    bad(
      'under another writer’s key',
      'object-damaged',
      under(OTHER_WRITER.subkeys.drillRecord, plaintext),
    ),
    bad('padding that is not zero', 'object-damaged', under(drillRecord, flipBit(plaintext, -1))),
    bad(
      'a body that is not JSON',
      'object-damaged',
      under(drillRecord, encodePadded(utf8('passed'))),
    ),
    bad('a body without what it saw', 'object-damaged', told({ seen: undefined })),
    bad(
      'a snapshot with the number 0',
      'object-damaged',
      told({ snapshot: { ...DRILLED.snapshot, sequence: 0 } }),
    ),
    bad(
      'a digest cut short',
      'object-damaged',
      told({ seen: [{ ...DRILLED.snapshot, digest: 'ab' }] }),
    ),
  ];
}
