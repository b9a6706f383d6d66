import { concatBytes, u32le } from '../../src/base/bytes.ts';
import { badHeaders, badOf, type BadVector } from './bad-headers.ts';
import { OTHER_WRITER, OWNER } from './keys.ts';
import { flipBit, overwrite, signed } from './parts.ts';

const TIME_AT = 64;
const COUNT_AT = 72;
const FIRST_AT = 76;
const SNAPSHOT_BYTES = 40;

export function badRevocations(good: Uint8Array): BadVector[] {
  const bad = badOf('revocation');
  const unsigned = good.slice(0, -64);
  const byRoot = (bytes: Uint8Array): Uint8Array =>
    signed('revocation', bytes, OWNER.root.secretKey);
  const [first, second] = [FIRST_AT, FIRST_AT + SNAPSHOT_BYTES].map((at) =>
    good.slice(at, at + SNAPSHOT_BYTES),
  );
  const withSnapshots = (...snapshots: (Uint8Array | undefined)[]): Uint8Array =>
    byRoot(
      concatBytes(good.slice(0, FIRST_AT), ...snapshots.flatMap((snapshot) => snapshot ?? [])),
    );
  return [
    ...badHeaders('revocation', good),
    bad(
      'signed by a writer',
      'object-foreign',
      signed('revocation', unsigned, OTHER_WRITER.signing.secretKey),
    ),
    bad(
      'signed as a tombstone',
      'object-foreign',
      signed('tombstone', unsigned, OWNER.root.secretKey),
    ),
    bad('another digest', 'object-foreign', flipBit(good, FIRST_AT + 8)),
    bad('another time', 'object-foreign', flipBit(good, TIME_AT)),
    bad('a flipped bit in the signature', 'object-foreign', flipBit(good, -1)),
    bad('no signature', 'object-damaged', unsigned),
    bad('bytes after the signature', 'object-damaged', concatBytes(good, new Uint8Array(1))),
    bad(
      'fewer snapshots than follow',
      'object-damaged',
      byRoot(overwrite(unsigned, COUNT_AT, u32le(1))),
    ),
    bad(
      'more snapshots than follow',
      'object-damaged',
      byRoot(overwrite(unsigned, COUNT_AT, u32le(4))),
    ),
    bad(
      'four billion snapshots',
      'object-damaged',
      byRoot(overwrite(unsigned, COUNT_AT, u32le(0xffff_ffff))),
    ),
    bad('snapshots out of order', 'object-damaged', withSnapshots(second, first)),
    bad('a snapshot twice', 'object-damaged', withSnapshots(first, first)),
    bad(
      'a snapshot with the number 0',
      'object-damaged',
      byRoot(overwrite(unsigned, FIRST_AT, u32le(0))),
    ),
    bad(
      'a time after the end of time',
      'object-damaged',
      byRoot(overwrite(unsigned, TIME_AT + 6, Uint8Array.of(0x1f))),
    ),
  ];
}
