import { concatBytes, u32le, utf8 } from '../../src/base/bytes.ts';
import { sealBox } from '../../src/crypto/box.ts';
import { sealBody, type ObjectKey } from '../../src/crypto/frames.ts';
import { assembleSnapshot, encodeCover, encodeSnapshotBody } from '../../src/format/snapshot.ts';
import { encodePadded } from '../../src/format/padded.ts';
import { badHeaders, badOf, type Bad, type BadVector } from './bad-headers.ts';
import { OTHER_WRITER, OWNER, STRANGER, WRITER } from './keys.ts';
import { flipBit, overwrite, plainHeader, sealFor, sealFrame, signed } from './parts.ts';
import { BODY, COVER, SNAPSHOT } from './sample.ts';
import { fixedRandom } from './stream.ts';

const SEALED_HEADER_BYTES = 1216;
const COVER_AT = SEALED_HEADER_BYTES + 4;

/** Everything is signed by the writer again, so that the signature is not what stops it; but where it says so. */
export function badSnapshots(good: Uint8Array): BadVector[] {
  const bad = badOf('snapshot');
  const unsigned = good.slice(0, -64);
  return [
    ...badHeaders('snapshot', good),
    bad('cut before the cover', 'object-damaged', good.slice(0, SEALED_HEADER_BYTES)),
    bad('cut by one byte', 'object-damaged', good.slice(0, -1)),
    bad('one byte more', 'object-damaged', concatBytes(good, new Uint8Array(1))),
    bad('a flipped bit in the signature', 'object-damaged', flipBit(good, -1)),
    bad('a flipped bit in the body', 'object-damaged', flipBit(good, -100)),
    bad(
      'signed by another writer',
      'object-damaged',
      signed('snapshot', unsigned, OTHER_WRITER.signing.secretKey),
    ),
    bad(
      'signed by the root key',
      'object-damaged',
      signed('snapshot', unsigned, OWNER.root.secretKey),
    ),
    bad(
      'signed as a writer record',
      'object-damaged',
      signed('writer record', unsigned, WRITER.signing.secretKey),
    ),
    bad('a wrong commitment', 'object-damaged', byWriter(flipBit(unsigned, 1200))),
    bad('a changed encapsulation', 'object-damaged', byWriter(flipBit(unsigned, 64))),
    bad(
      'a cover of four gigabytes',
      'object-damaged',
      byWriter(overwrite(unsigned, SEALED_HEADER_BYTES, u32le(0xffff_ffff))),
    ),
    bad(
      'a cover that ends elsewhere',
      'object-damaged',
      byWriter(overwrite(unsigned, SEALED_HEADER_BYTES, u32le(1095))),
    ),
    bad(
      'a flipped bit in the cover’s commitment',
      'object-damaged',
      byWriter(flipBit(unsigned, COVER_AT + 24)),
    ),
    ...badCovers(bad),
    ...badBodies(bad),
  ];
}

function badCovers(bad: Bad): BadVector[] {
  const json = (change: object): Uint8Array =>
    encodePadded(utf8(JSON.stringify({ ...COVER, ...change })));
  return [
    bad(
      'a cover under another writer’s key',
      'object-damaged',
      snapshot({ coverKey: OTHER_WRITER.subkeys.cover }),
    ),
    bad(
      'a cover that belongs to another header',
      'object-damaged',
      snapshot({ coverFor: new Uint8Array(1216) }),
    ),
    bad(
      'a cover whose padding is not zero',
      'object-damaged',
      snapshot({ cover: flipBit(encodeCover(COVER), -1) }),
    ),
    bad('a cover that is not JSON', 'object-damaged', snapshot({ cover: encodePadded(utf8('{')) })),
    bad('a cover with sequence 0', 'object-damaged', snapshot({ cover: json({ sequence: 0 }) })),
    bad(
      'a cover with a size of 2^60',
      'object-damaged',
      snapshot({ cover: json({ bytes: 2 ** 60 }) }),
    ),
    bad(
      'a cover without a pack list',
      'object-damaged',
      snapshot({ cover: json({ packList: null }) }),
    ),
  ];
}

function badBodies(bad: Bad): BadVector[] {
  const json = (change: object): Uint8Array =>
    encodePadded(utf8(JSON.stringify({ ...BODY, ...change })));
  const root = { ...BODY.roots[0], page: 'abc' };
  return [
    bad('sealed to another identity', 'object-damaged', snapshot({ recipient: STRANGER })),
    bad(
      'a body that does not end',
      'object-damaged',
      snapshot({ sealBodyAs: (key, plain) => sealFrame(key, 0, false, plain) }),
    ),
    bad(
      'a body that begins with frame 1',
      'object-damaged',
      snapshot({ sealBodyAs: (key, plain) => sealFrame(key, 1, true, plain) }),
    ),
    bad('no body at all', 'object-damaged', snapshot({ sealBodyAs: () => new Uint8Array(0) })),
    bad(
      'a body whose padding is not zero',
      'object-damaged',
      snapshot({ body: flipBit(encodeSnapshotBody(BODY), -1) }),
    ),
    bad('a body that is not JSON', 'object-damaged', snapshot({ body: encodePadded(utf8('[')) })),
    bad('a body without roots', 'object-damaged', snapshot({ body: json({ roots: null }) })),
    bad('a root without a page', 'object-damaged', snapshot({ body: json({ roots: [root] }) })),
  ];
}

type Wrong = {
  readonly recipient?: typeof OWNER;
  readonly coverKey?: Uint8Array;
  readonly coverFor?: Uint8Array;
  readonly cover?: Uint8Array;
  readonly body?: Uint8Array;
  readonly sealBodyAs?: (key: ObjectKey, plaintext: Uint8Array) => Uint8Array;
};

/** The sample's snapshot, but for what is given. */
function snapshot(wrong: Wrong): Uint8Array {
  const sealed = sealFor(plainHeader(SNAPSHOT), 'bad snapshot', wrong.recipient ?? OWNER);
  const cover = sealBox(
    wrong.coverKey ?? WRITER.subkeys.cover,
    wrong.coverFor ?? sealed.header,
    wrong.cover ?? encodeCover(COVER),
    fixedRandom('nonce bad cover'),
  );
  const seal = wrong.sealBodyAs ?? sealBody;
  const body = seal(sealed.objectKey, wrong.body ?? encodeSnapshotBody(BODY));
  return byWriter(assembleSnapshot(sealed.header, cover, body));
}

const byWriter = (bytes: Uint8Array): Uint8Array =>
  signed('snapshot', bytes, WRITER.signing.secretKey);
