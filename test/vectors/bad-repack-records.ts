import { concatBytes, fromHex, u32le } from '../../src/base/bytes.ts';
import { badOf, type BadVector } from './bad-headers.ts';
import { badSigners } from './bad-signers.ts';
import { OWNER } from './keys.ts';
import { flipBit, overwrite, signed } from './parts.ts';
import { REPACKED } from './repacked.ts';

const SNAPSHOTS_AT = 64;
const DIGEST_BYTES = 32;
const PACKS_AT = SNAPSHOTS_AT + 4 + REPACKED.snapshots.length * DIGEST_BYTES;
const NEW_PACK_BYTES = 20;
const EMPTIED_AT = PACKS_AT + 4 + REPACKED.packs.length * NEW_PACK_BYTES;

/** What would have packs deleted that a snapshot needs, and must not: above all by somebody who may only write. */
export function badRepackRecords(good: Uint8Array): BadVector[] {
  const bad = badOf('repack record');
  const unsigned = good.slice(0, -64);
  const resigned = (bytes: Uint8Array): Uint8Array =>
    signed('repack record', bytes, OWNER.root.secretKey);
  const changed = (at: number, bytes: Uint8Array): Uint8Array =>
    resigned(overwrite(unsigned, at, bytes));
  const [none, firstPack] = [u32le(0), unsigned.slice(PACKS_AT + 4, PACKS_AT + 4 + 16)];
  const before = (at: number): Uint8Array => unsigned.slice(0, at);
  const withoutSnapshots = concatBytes(before(SNAPSHOTS_AT), none, unsigned.slice(PACKS_AT));
  const twice = fromHex(REPACKED.snapshots[1] ?? '');
  return [
    ...badSigners('repack record', good),
    bad('a flipped bit in a digest', 'object-foreign', flipBit(good, SNAPSHOTS_AT + 4 + 31)),
    bad('a flipped bit in a size', 'object-foreign', flipBit(good, PACKS_AT + 4 + 17)),
    bad('no snapshot', 'object-damaged', resigned(withoutSnapshots)),
    bad('no emptied pack', 'object-damaged', resigned(concatBytes(before(EMPTIED_AT), none))),
    bad('one snapshot twice', 'object-damaged', changed(SNAPSHOTS_AT + 4, twice)),
    bad(
      'snapshots not in order',
      'object-damaged',
      changed(SNAPSHOTS_AT + 4, new Uint8Array(DIGEST_BYTES).fill(255)),
    ),
    bad('four billion snapshots', 'object-damaged', changed(SNAPSHOTS_AT, u32le(0xffff_ffff))),
    bad('a pack of four GiB', 'object-damaged', changed(PACKS_AT + 4 + 16, u32le(0xffff_ffff))),
    bad(
      'new packs not in order',
      'object-damaged',
      changed(PACKS_AT + 4, new Uint8Array(16).fill(255)),
    ),
    bad('a pack emptied into itself', 'object-damaged', changed(EMPTIED_AT + 4, firstPack)),
    bad(
      'emptied into more packs than there are',
      'object-damaged',
      changed(EMPTIED_AT + 4 + 16, u32le(3)),
    ),
    bad(
      'emptied into a pack that is not there',
      'object-damaged',
      changed(EMPTIED_AT + 4 + 20, u32le(2)),
    ),
    bad('emptied into one pack twice', 'object-damaged', changed(EMPTIED_AT + 4 + 24, u32le(0))),
    bad('bytes after the signature', 'object-damaged', concatBytes(good, new Uint8Array(1))),
    bad('cut inside the signature', 'object-damaged', good.slice(0, -1)),
  ];
}
