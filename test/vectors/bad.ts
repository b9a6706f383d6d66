/**
 * The bad vectors: each is one of the good objects with exactly one thing wrong, sealed and signed again where that is
 * what it takes to get past the earlier checks.
 */
import { concatBytes, u32le, utf8 } from '../../src/base/bytes.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { badHeaders, badOf, type BadVector } from './bad-headers.ts';
import { badBoxed } from './bad-boxed.ts';
import { badForgetRecords } from './bad-forget-records.ts';
import { badKeySlots } from './bad-key-slots.ts';
import { badPacks } from './bad-packs.ts';
import { badPages } from './bad-pages.ts';
import { badDrillRecords } from './bad-drill-records.ts';
import { badRepackRecords } from './bad-repack-records.ts';
import { badRevocations } from './bad-revocations.ts';
import { badSnapshots } from './bad-snapshots.ts';
import { badWriterRecords } from './bad-writer-records.ts';
import { goodObjects } from './sample.ts';
import { OTHER_WRITER, OWNER, REPOSITORY } from './keys.ts';
import { flipBit, overwrite, signed } from './parts.ts';

export async function badVectors(): Promise<readonly BadVector[]> {
  const good = await goodObjects();
  const bytesOf = (what: string): Uint8Array => {
    const object = good.get(what);
    if (!object) throw new Error(`there is no good ${what}`);
    return object.bytes;
  };
  return [
    ...badRepositoryHeaders(),
    ...badKeySlots(bytesOf),
    ...badWriterRecords(bytesOf('writer record')),
    ...badPacks(),
    ...badBoxed(bytesOf),
    ...badSnapshots(bytesOf('snapshot')),
    ...badRevocations(bytesOf('revocation')),
    ...badForgetRecords(bytesOf('forget record')),
    ...badRepackRecords(bytesOf('repack record')),
    ...badDrillRecords(bytesOf('drill record')),
    ...badTombstones(bytesOf('tombstone')),
    ...badPages(),
  ];
}

function badRepositoryHeaders(): BadVector[] {
  const bad = (wrong: string, code: ErrorCode, text: string): BadVector => ({
    kind: 'repository header',
    wrong,
    code,
    bytes: utf8(text),
  });
  const header = (stateferry: object): string => JSON.stringify({ stateferry });
  return [
    bad('not JSON', 'repository-missing', 'stateferry'),
    bad('another program’s JSON', 'repository-missing', '{"version":2}'),
    bad('no id', 'repository-missing', header({ format: 1 })),
    bad('a short id', 'repository-missing', header({ format: 1, repository: 'abc' })),
    bad('a newer version', 'format-too-new', header({ format: 2, repository: REPOSITORY })),
  ];
}

function badTombstones(good: Uint8Array): BadVector[] {
  const bad = badOf('tombstone');
  const unsigned = good.slice(0, -64);
  const resigned = (bytes: Uint8Array): Uint8Array =>
    signed('tombstone', bytes, OWNER.root.secretKey);
  const { secretKey } = OTHER_WRITER.signing;
  return [
    ...badHeaders('tombstone', good),
    bad('signed by a writer', 'object-foreign', signed('tombstone', unsigned, secretKey)),
    bad(
      'signed as something else',
      'object-foreign',
      signed('snapshot', unsigned, OWNER.root.secretKey),
    ),
    bad('a flipped bit in an id', 'object-foreign', flipBit(good, 64 + 4 + 1)),
    bad('more names than said', 'object-damaged', resigned(overwrite(unsigned, 64, u32le(1)))),
    bad('fewer names than said', 'object-damaged', resigned(overwrite(unsigned, 64, u32le(3)))),
    bad(
      'a name of a kind that stays',
      'object-damaged',
      resigned(overwrite(unsigned, 68, u32le(4))),
    ),
    bad('bytes after the signature', 'object-damaged', concatBytes(good, new Uint8Array(1))),
    bad(
      'four billion names',
      'object-damaged',
      resigned(overwrite(unsigned, 64, u32le(0xffff_ffff))),
    ),
  ];
}
