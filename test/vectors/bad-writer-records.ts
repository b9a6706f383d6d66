import { concatBytes, utf8 } from '../../src/base/bytes.ts';
import { encodeWriterRecordBody } from '../../src/format/writer-record.ts';
import { badHeaders, badOf, type BadVector } from './bad-headers.ts';
import { OWNER, STRANGER } from './keys.ts';
import { flipBit, sealedBody, sealFor, sealFrame, signed } from './parts.ts';
import { RECORD, writerRecordPrefix } from './sample.ts';

const HEADER_BYTES = 1248;

export function badWriterRecords(good: Uint8Array): BadVector[] {
  const bad = badOf('writer record');
  const unsigned = good.slice(0, -64);
  const byRoot = (bytes: Uint8Array): Uint8Array =>
    signed('writer record', bytes, OWNER.root.secretKey);
  const body = encodeWriterRecordBody(RECORD);
  const withBody = (plaintext: Uint8Array, isLast = true): Uint8Array => {
    const sealed = sealFor(writerRecordPrefix(), 'bad writer record');
    return byRoot(concatBytes(sealed.header, sealFrame(sealed.objectKey, 0, isLast, plaintext)));
  };
  const forStranger = sealFor(writerRecordPrefix(), 'stranger’s record', STRANGER);
  return [
    ...badHeaders('writer record', good),
    bad('cut before the body', 'object-damaged', good.slice(0, HEADER_BYTES)),
    bad('cut by one byte', 'object-foreign', good.slice(0, -1)),
    bad('one byte more', 'object-foreign', concatBytes(good, new Uint8Array(1))),
    bad('another signing key', 'object-foreign', flipBit(good, 64)),
    bad('a flipped bit in the body', 'object-foreign', flipBit(good, HEADER_BYTES + 3)),
    bad('a flipped bit in the signature', 'object-foreign', flipBit(good, -1)),
    bad(
      'signed by another root key',
      'object-foreign',
      signed('writer record', unsigned, STRANGER.root.secretKey),
    ),
    bad(
      'signed as a snapshot',
      'object-foreign',
      signed('snapshot', unsigned, OWNER.root.secretKey),
    ),
    bad('a wrong commitment', 'object-damaged', byRoot(flipBit(unsigned, HEADER_BYTES - 1))),
    bad('a changed encapsulation', 'object-damaged', byRoot(flipBit(unsigned, 96))),
    bad(
      'sealed to another identity',
      'object-damaged',
      byRoot(concatBytes(forStranger.header, sealedBody(forStranger.objectKey, body))),
    ),
    bad('a body that does not end', 'object-damaged', withBody(body, false)),
    bad('a body that is not JSON', 'object-damaged', withBody(utf8('harbour'))),
    bad('a body without a writer key', 'object-damaged', withBody(utf8('{"machine":"harbour"}'))),
  ];
}
