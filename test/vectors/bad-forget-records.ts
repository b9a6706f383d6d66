import { concatBytes, u32le } from '../../src/base/bytes.ts';
import { badOf, type BadVector } from './bad-headers.ts';
import { badSigners } from './bad-signers.ts';
import { OWNER } from './keys.ts';
import { flipBit, overwrite, signed } from './parts.ts';

const COUNT_AT = 64;
const FIRST_AT = COUNT_AT + 4;
const SNAPSHOT_BYTES = 8 + 32;

/** What would explain a hole, and must not: above all what somebody signed who may only write. */
export function badForgetRecords(good: Uint8Array): BadVector[] {
  const bad = badOf('forget record');
  const unsigned = good.slice(0, -64);
  const resigned = (bytes: Uint8Array): Uint8Array =>
    signed('forget record', bytes, OWNER.root.secretKey);
  const counted = (count: number): Uint8Array => overwrite(unsigned, COUNT_AT, u32le(count));
  const [first, second] = [0, 1].map((at) =>
    unsigned.slice(FIRST_AT + at * SNAPSHOT_BYTES, FIRST_AT + (at + 1) * SNAPSHOT_BYTES),
  );
  if (!first || !second) throw new Error('the good record names two snapshots');
  const front = unsigned.slice(0, FIRST_AT);
  const named = (...snapshots: readonly Uint8Array[]): Uint8Array =>
    resigned(concatBytes(overwrite(front, COUNT_AT, u32le(snapshots.length)), ...snapshots));
  return [
    ...badSigners('forget record', good),
    bad(
      'a flipped bit in a number',
      'object-foreign',
      flipBit(good, FIRST_AT + SNAPSHOT_BYTES + 1),
    ),
    bad('a flipped bit in a digest', 'object-foreign', flipBit(good, FIRST_AT + 8)),
    bad('more snapshots than said', 'object-damaged', resigned(counted(1))),
    bad('fewer snapshots than said', 'object-damaged', resigned(counted(3))),
    bad('four billion snapshots', 'object-damaged', resigned(counted(0xffff_ffff))),
    bad('no snapshot', 'object-damaged', named()),
    bad('one snapshot twice', 'object-damaged', named(first, first)),
    bad('snapshots not in order', 'object-damaged', named(second, first)),
    bad('the number 0', 'object-damaged', named(overwrite(first, 0, new Uint8Array(8)), second)),
    bad(
      'a number beyond 2^53',
      'object-damaged',
      named(first, overwrite(second, 7, Uint8Array.of(1))),
    ),
    bad('bytes after the signature', 'object-damaged', concatBytes(good, new Uint8Array(1))),
    bad('cut inside the signature', 'object-damaged', good.slice(0, -1)),
  ];
}
