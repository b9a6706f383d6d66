/** The repack record of the sample. */
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { blake2b256 } from '../../src/crypto/sodium.ts';
import { encodeRepackRecord, type RepackRecord } from '../../src/format/repack-record.ts';
import { objectId, OWNER, REPOSITORY, WRITER } from './keys.ts';
import { signed } from './parts.ts';

const PACK_BYTES = 64 * 1024;

export const REPACK_RECORD = { kind: 'repack record', object: objectId('repack record') } as const;

/** Of snapshots and packs that were never there. */
export const REPACKED: RepackRecord = {
  writer: WRITER.id,
  snapshots: ['the first snapshot', 'the third snapshot']
    .map((one) => toHex(blake2b256(utf8(one))))
    .toSorted(),
  packs: ['new pack', 'another new pack']
    .map(objectId)
    .toSorted()
    .map((pack, at) => ({ pack, size: (at + 1) * PACK_BYTES })),
  emptied: ['old pack', 'older pack']
    .map(objectId)
    .toSorted()
    .map((pack, at) => ({ pack, into: at === 0 ? [0, 1] : [] })),
};

export const goodRepackRecord = (): Uint8Array =>
  signed(
    'repack record',
    encodeRepackRecord(fromHex(REPOSITORY), REPACK_RECORD.object, REPACKED),
    OWNER.root.secretKey,
  );
