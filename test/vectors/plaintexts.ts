/** What lies under the seals of the good vectors, and the values on the way there, for whoever follows step by step. */
import { concatBytes, fromHex, toHex } from '../../src/base/bytes.ts';
import { frameAssociated } from '../../src/crypto/frames.ts';
import { kdf } from '../../src/crypto/kdf.ts';
import { openHeader } from '../../src/crypto/sealing.ts';
import { blake2b256, xwingDecapsulate } from '../../src/crypto/sodium.ts';
import { encodeIndex } from '../../src/format/index-object.ts';
import { decodeKeySlot, keySlotAssociated } from '../../src/format/key-slot.ts';
import { encodePackList } from '../../src/format/pack-list.ts';
import { encodePaddedDirectory, encodeTrailer } from '../../src/format/pack.ts';
import { encodeCover, encodeSnapshotBody } from '../../src/format/snapshot.ts';
import { encodeWriterRecordBody } from '../../src/format/writer-record.ts';
import { OWNER } from './keys.ts';
import {
  BODY,
  COVER,
  DIRECTORY,
  INDEXED,
  LEAVES,
  LISTED,
  PACK_BYTES,
  PACK_FRAMES,
  RECORD,
  TOP_PAGE,
  ZEROS_LIST,
  type NamedObject,
} from './sample.ts';

const HEADER_BYTES = 64;
const KEM_BYTES = 1120;
const SEALED_HEADER_BYTES = 1216;
const TAG_BYTES = 16;
const TRAILER_BYTES = 32;

type Objects = ReadonlyMap<string, NamedObject>;

/** By what they are. */
export function plaintexts(good: Objects): ReadonlyMap<string, Uint8Array> {
  const directoryAt = PACK_FRAMES.reduce(
    (sum, frame) => sum + frame.entry.storedLength,
    SEALED_HEADER_BYTES,
  );
  const directoryStored = PACK_BYTES - directoryAt - TRAILER_BYTES;
  const trailer = {
    frames: PACK_FRAMES.length,
    directoryOffset: directoryAt,
    directoryStoredLength: directoryStored,
  };
  return new Map([
    ['key-slot-associated-data', keySlotAssociated(slotOf(good))],
    ['writer-record-body', encodeWriterRecordBody(RECORD)],
    ...PACK_FRAMES.map((frame, at) => [`pack-frame-${at}`, frame.plaintext] as const),
    ['pack-directory', encodePaddedDirectory(DIRECTORY, directoryStored - TAG_BYTES)],
    ['pack-trailer', encodeTrailer(trailer)],
    ['page-leaf', LEAVES[0].content],
    ['page-leaf-2', LEAVES[1].content],
    ['page-top', TOP_PAGE.content],
    ['list', ZEROS_LIST.content],
    ['index', encodeIndex(INDEXED)],
    ['pack-list', encodePackList(LISTED)],
    ['cover', encodeCover(COVER)],
    ['snapshot-body', encodeSnapshotBody(BODY)],
  ]);
}

/** From the pack's stored header to the key and associated data of its first frame. */
export function steps(good: Objects): object {
  const pack = bytesOf(good, 'pack');
  const ciphertext = pack.slice(HEADER_BYTES, HEADER_BYTES + KEM_BYTES);
  const h0 = blake2b256(pack.slice(0, HEADER_BYTES + KEM_BYTES));
  const sharedSecret = xwingDecapsulate(ciphertext, OWNER.recipient.secretKey);
  const key = kdf(sharedSecret, 'object', h0);
  const header = pack.slice(0, SEALED_HEADER_BYTES);
  const opened = openHeader(OWNER.recipient.secretKey, header, HEADER_BYTES);
  if (!opened) throw new Error('the pack of the sample opens');
  return {
    xwingSeed: toHex(kdf(OWNER.seed, 'xwing')),
    rootSeed: toHex(kdf(OWNER.seed, 'root')),
    pack: {
      h0: toHex(h0),
      sharedSecret: toHex(sharedSecret),
      objectKey: toHex(key),
      commitment: toHex(kdf(key, 'commit', h0)),
      h1: toHex(opened.headerHash),
      frame0: {
        nonce: toHex(concatBytes(fromHex('00000000'), new Uint8Array(8))),
        associatedData: toHex(frameAssociated(opened, 0, false)),
      },
    },
  };
}

const slotOf = (good: Objects): ReturnType<typeof decodeKeySlot> =>
  decodeKeySlot(bytesOf(good, 'key slot, passphrase'), 'key slot');

function bytesOf(good: Objects, what: string): Uint8Array {
  const object = good.get(what);
  if (!object) throw new Error(`there is no good ${what}`);
  return object.bytes;
}
