/**
 * The good vectors: one small repository, whole, with one object of every kind (key slots of all three kinds, entries
 * of all four types, a secret, a shared segment, a list of chunks, pages of two levels).
 */
import { asBytePath, bytePathFromText } from '../../src/base/byte-path.ts';
import { ByteWriter, concatBytes, fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { sealBox } from '../../src/crypto/box.ts';
import { blake2b256 } from '../../src/crypto/sodium.ts';
import { encodeChild, encodePage } from '../../src/format/page.ts';
import { encodeEntry, type Entry, type EntryBase, type FileEntry } from '../../src/format/entry.ts';
import { encodeForgetRecord } from '../../src/format/forget-record.ts';
import { encodeDrillRecord, type DrillRecordBody } from '../../src/format/drill-record.ts';
import { encodeIndex } from '../../src/format/index-object.ts';
import {
  HEADER_NAME,
  idFromBytes,
  sharedObjectName,
  writerObjectName,
  type WriterFolder,
  type WriterId,
} from '../../src/format/names.ts';
import { encodePackList } from '../../src/format/pack-list.ts';
import { encodeDirectory } from '../../src/format/pack.ts';
import { encodeRepositoryHeader } from '../../src/format/repository-header.ts';
import {
  assembleSnapshot,
  encodeCover,
  encodeSnapshotBody,
  type Cover,
  type SnapshotBody,
} from '../../src/format/snapshot.ts';
import { encodeRevocation } from '../../src/format/revocation.ts';
import { encodeTombstone } from '../../src/format/tombstone.ts';
import { encodeWriterRecordBody } from '../../src/format/writer-record.ts';
import { makeKeySlot, type Secret } from '../../src/repository/key-slots.ts';
import {
  IDENTITY_SEED,
  INSTALL,
  objectId,
  OWNER,
  PASSPHRASE,
  READER_KEY,
  RECOVERY_SECRET,
  REPOSITORY,
  WRITER,
} from './keys.ts';
import {
  boxed,
  dataChunk,
  idOf,
  listChunk,
  packFrame,
  pageChunk,
  plainHeader,
  sealedBody,
  sealFor,
  sealPack,
  signed,
  type VectorChunk,
} from './parts.ts';
import { goodRepackRecord, REPACK_RECORD } from './repacked.ts';
import { fixedBytes, fixedRandom } from './stream.ts';

const KIB = 1024;
const TIME = '2026-11-21T08:00:00.000Z';
const MTIME_NS = 1_763_712_000_123_456_789n;

/** Two small files of one directory, which share a segment. */
const CONFIG = utf8(`${JSON.stringify({ gateway: { mode: 'local', port: 18789 }, agents: [] })}\n`);
const NOTES = utf8(`${'The ferry leaves at eight. '.repeat(12)}\n`);
/** CONFIG ‖ NOTES as zstd level 1 made it once; kept, because another zstd may find other bytes. */
const CONFIG_AND_NOTES_ZSTD = fromHex(
  '28b52ffd607b00ad020022c51219802bd4016cff081d0ccc932023c234060e823de05432b9447504018b8ee2b88aec0e' +
    '7dc2b6d613784420cf5048b365fca8cb1b188109a477a9868b931e5472fa08b5b04b377d7cf5d80501009189ab330a',
);
const TRANSCRIPT = utf8('{"role":"user","text":"ahoy"}\n');
const SECRET = utf8('{"token":"not a real token, only looks like one"}\n');
const DATABASE_CHUNK = Buffer.alloc(16 * KIB);
/** One chunk more than fit an entry. */
const DATABASE_CHUNKS = 65;
/** 16 KiB of zeros as one zstd frame with one run-length block (RFC 8878, section 3.1). */
const DATABASE_CHUNK_ZSTD = fromHex('28b52ffd60003f03000200');

export const SAMPLE = {
  config: dataChunk(CONFIG),
  notes: dataChunk(NOTES),
  transcript: dataChunk(TRANSCRIPT),
  secret: dataChunk(SECRET),
  zeros: dataChunk(DATABASE_CHUNK),
} as const;
export const ZEROS_LIST = listChunk(
  concatBytes(...Array.from({ length: DATABASE_CHUNKS }, () => idOf(SAMPLE.zeros))),
);

const base = (path: string, mode: number): EntryBase => ({
  path: asBytePath(path),
  mode,
  uid: 1000,
  gid: 1000,
  owner: 'ada',
  group: 'ada',
  mtimeNs: MTIME_NS,
});

const file = (path: string, chunks: readonly VectorChunk[], mode = 0o644): FileEntry => ({
  ...base(path, mode),
  type: 'file',
  size: chunks.reduce((sum, chunk) => sum + chunk.content.length, 0),
  sparse: false,
  secret: false,
  database: false,
  chunkBytes: 256 * KIB,
  depth: 0,
  ids: concatBytes(...chunks.map(idOf)),
});

export const ENTRIES: readonly Entry[] = [
  { ...base('', 0o755), type: 'dir' },
  { ...base('agents', 0o755), type: 'dir' },
  file('agents/main.jsonl', [SAMPLE.transcript]),
  file('config.json', [SAMPLE.config], 0o600),
  { ...base('credentials', 0o700), type: 'dir' },
  { ...file('credentials/creds.json', [SAMPLE.secret], 0o600), secret: true },
  {
    ...file('history.sqlite', []),
    sparse: true,
    database: true,
    size: DATABASE_CHUNKS * 16 * KIB,
    chunkBytes: 16 * KIB,
    depth: 1,
    ids: idOf(ZEROS_LIST),
  },
  { ...base('latest', 0o777), type: 'symlink', target: bytePathFromText('agents/main.jsonl') },
  file('notes.txt', [SAMPLE.notes]),
  // Latin-1, a newline and a backslash: a name is bytes, and this one is no UTF-8.
  { ...file('odd \xe9\n\\', []), owner: '', group: '', uid: 0xffff_fffe, mtimeNs: -1n },
  { ...base('same.txt', 0o644), type: 'hardlink', target: bytePathFromText('notes.txt') },
];

export const LEAVES = [leaf(ENTRIES.slice(0, 6)), leaf(ENTRIES.slice(6))] as const;
export const TOP_PAGE = pageChunk(topPage());

export const PACK_FRAMES = [
  packFrame([
    { chunks: [SAMPLE.config, SAMPLE.notes], zstd: CONFIG_AND_NOTES_ZSTD },
    { chunks: [SAMPLE.transcript] },
  ]),
  packFrame([{ chunks: [SAMPLE.secret] }]),
  packFrame([
    { chunks: [SAMPLE.zeros], zstd: DATABASE_CHUNK_ZSTD },
    { chunks: [ZEROS_LIST] },
    ...LEAVES.map((page) => ({ chunks: [page] })),
    { chunks: [TOP_PAGE] },
  ]),
] as const;
export const PACK_BYTES = 64 * KIB;
export const PACK = { kind: 'pack', object: objectId('pack') } as const;
export const INDEX = { kind: 'index', object: objectId('index') } as const;
export const PACK_LIST = { kind: 'pack list', object: objectId('pack list') } as const;
export const SNAPSHOT = { kind: 'snapshot', object: objectId('snapshot') } as const;
export const FORGET_RECORD = { kind: 'forget record', object: objectId('forget record') } as const;
export const DRILL = { kind: 'drill record', object: objectId('drill record') } as const;
export const TOMBSTONE = { kind: 'tombstone', object: objectId('tombstone') } as const;
export const DIRECTORY = encodeDirectory(PACK_FRAMES.map((frame) => frame.entry));

export const LISTED = [{ writer: WRITER.id, pack: PACK.object, size: PACK_BYTES }] as const;
export const INDEXED = [{ ...LISTED[0], directory: DIRECTORY }] as const;

const FILE_COUNTS = {
  files: ENTRIES.filter((entry) => entry.type === 'file').length,
  bytes: ENTRIES.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.size : 0), 0),
};

export const COVER: Cover = {
  sequence: 1,
  previous: null,
  time: TIME,
  install: INSTALL,
  machine: 'harbour',
  label: 'before the move',
  ...FILE_COUNTS,
  packList: PACK_LIST.object,
};

export const BODY: SnapshotBody = {
  tool: 'stateferry 0.1.0',
  install: {
    install: INSTALL,
    brand: 'openclaw',
    profile: 'default',
    version: '2026.3.2',
    platform: 'linux',
    home: '/home/ada',
  },
  roots: [
    {
      name: 'state',
      kind: 'state',
      path: '/home/ada/.openclaw',
      page: toHex(idOf(TOP_PAGE)),
      ...FILE_COUNTS,
    },
  ],
  omissions: [{ path: 'logs', reason: 'logs are not needed' }],
  problems: [{ path: 'odd \\xe9\\x0a\\\\', code: 'EACCES' }],
  gateway: { sessions: { main: 1 } },
};

export const RECORD = { machine: 'harbour', time: TIME, writerKey: WRITER.key } as const;
/** A machine that was revoked with two snapshots; no object of this repository is its. */
export const REVOKED = {
  writer: idFromBytes<WriterId>(fixedBytes('revoked writer', 16)),
  timeMs: Date.parse(TIME),
  snapshots: ['first of the revoked', 'second of the revoked'].map((label, index) => ({
    sequence: index + 1,
    digest: toHex(fixedBytes(label, 32)),
  })),
} as const;
/** It saw the snapshot above, and one of a machine of which nothing else is here. */
export const DRILLED: DrillRecordBody = {
  tool: 'stateferry 0.1.0',
  time: '2026-11-28T08:00:00.000Z',
  snapshot: seen(WRITER.id, 'digest of the snapshot'),
  install: INSTALL,
  machine: 'harbour',
  passed: true,
  doctor: { ran: true, version: '2026.3.2' },
  ...FILE_COUNTS,
  bytesFetched: 65_536,
  restoreMs: 2_500,
  productMs: 4_000,
  checks: [{ check: 'sessions of main', ok: true, expected: '1', found: '1' }],
  seen: [
    seen(WRITER.id, 'digest of the snapshot'),
    seen(idFromBytes<WriterId>(fixedBytes('another writer', 16)), 'digest of another'),
  ],
};
/** Deleted in a repository with a history; here only names. */
export const CONDEMNED = [
  writerObjectName('lists', WRITER.id, objectId('old list')),
  writerObjectName('packs', WRITER.id, objectId('old pack')),
] as const;

/** Of snapshots that were never there: the sample has no history. */
export const FORGOTTEN = {
  writer: WRITER.id,
  snapshots: [
    { sequence: 1, digest: digestOf(utf8('the first snapshot')) },
    { sequence: 3, digest: digestOf(utf8('the third snapshot')) },
  ],
} as const;

export const SLOT_SECRETS: readonly Secret[] = [
  { with: 'passphrase', passphrase: PASSPHRASE },
  { with: 'recovery code', code: RECOVERY_SECRET },
  { with: 'reader key', key: READER_KEY },
];

export type NamedObject = { readonly name: string; readonly bytes: Uint8Array };

/** Every object of the repository, by what it is. */
export async function goodObjects(): Promise<ReadonlyMap<string, NamedObject>> {
  const objects = new Map<string, NamedObject>();
  objects.set('repository header', {
    name: HEADER_NAME,
    bytes: encodeRepositoryHeader(REPOSITORY),
  });
  for (const secret of SLOT_SECRETS) {
    const random = fixedRandom(`key slot ${secret.with}`);
    const slot = await makeKeySlot(REPOSITORY, IDENTITY_SEED, secret, random);
    objects.set(`key slot, ${secret.with}`, slot);
  }
  objects.set('writer record', {
    name: sharedObjectName('writers', WRITER.id),
    bytes: goodWriterRecord(),
  });
  const own = (folder: WriterFolder, id: typeof PACK.object) =>
    writerObjectName(folder, WRITER.id, id);
  objects.set('pack', { name: own('packs', PACK.object), bytes: goodPack() });
  objects.set('index', { name: own('indexes', INDEX.object), bytes: goodIndex() });
  objects.set('pack list', { name: own('lists', PACK_LIST.object), bytes: goodPackList() });
  objects.set('snapshot', { name: own('snapshots', SNAPSHOT.object), bytes: goodSnapshot() });
  objects.set('revocation', {
    name: sharedObjectName('revocations', REVOKED.writer),
    bytes: goodRevocation(),
  });
  objects.set('forget record', {
    name: sharedObjectName('forgets', FORGET_RECORD.object),
    bytes: goodForgetRecord(),
  });
  objects.set('repack record', {
    name: sharedObjectName('repacks', REPACK_RECORD.object),
    bytes: goodRepackRecord(),
  });
  objects.set('drill record', { name: own('drills', DRILL.object), bytes: goodDrillRecord() });
  objects.set('tombstone', {
    name: sharedObjectName('tombstones', TOMBSTONE.object),
    bytes: goodTombstone(),
  });
  return objects;
}

export const writerRecordPrefix = (): Uint8Array =>
  concatBytes(
    plainHeader({ kind: 'writer record', object: recordObject() }),
    WRITER.signing.publicKey,
  );

/** A writer record has its writer's id in both places. */
export const recordObject = () => WRITER.id as string as typeof PACK.object;

function goodWriterRecord(): Uint8Array {
  const sealed = sealFor(writerRecordPrefix(), 'writer record');
  const body = sealedBody(sealed.objectKey, encodeWriterRecordBody(RECORD));
  return signed('writer record', concatBytes(sealed.header, body), OWNER.root.secretKey);
}

const goodPack = (): Uint8Array =>
  sealPack(sealFor(plainHeader(PACK), 'pack'), PACK_FRAMES, PACK_BYTES);

const goodIndex = (): Uint8Array =>
  boxed(INDEX, WRITER.subkeys.index, encodeIndex(INDEXED), 'index');

const goodPackList = (): Uint8Array =>
  boxed(PACK_LIST, WRITER.subkeys.packList, encodePackList(LISTED), 'pack list');

function goodSnapshot(): Uint8Array {
  const sealed = sealFor(plainHeader(SNAPSHOT), 'snapshot');
  const random = fixedRandom('nonce cover');
  const cover = sealBox(WRITER.subkeys.cover, sealed.header, encodeCover(COVER), random);
  const body = sealedBody(sealed.objectKey, encodeSnapshotBody(BODY));
  const parts = assembleSnapshot(sealed.header, cover, body);
  return signed('snapshot', parts, WRITER.signing.secretKey);
}

const goodDrillRecord = (): Uint8Array =>
  signed(
    'drill record',
    boxed(DRILL, WRITER.subkeys.drillRecord, encodeDrillRecord(DRILLED), 'drill record'),
    WRITER.signing.secretKey,
  );

function seen(writer: WriterId, digest: string): DrillRecordBody['snapshot'] {
  const hex = toHex(fixedBytes(digest, 32));
  return { writer, sequence: 1, snapshot: SNAPSHOT.object, digest: hex, time: TIME };
}

const goodRevocation = (): Uint8Array =>
  signed(
    'revocation',
    encodeRevocation(fromHex(REPOSITORY), REVOKED.writer, REVOKED),
    OWNER.root.secretKey,
  );

const goodForgetRecord = (): Uint8Array =>
  signed(
    'forget record',
    encodeForgetRecord(fromHex(REPOSITORY), FORGET_RECORD.object, FORGOTTEN),
    OWNER.root.secretKey,
  );

const goodTombstone = (): Uint8Array =>
  signed(
    'tombstone',
    encodeTombstone(fromHex(REPOSITORY), TOMBSTONE.object, CONDEMNED),
    OWNER.root.secretKey,
  );

export function digestOf(bytes: Uint8Array): string {
  return toHex(blake2b256(bytes));
}

function leaf(entries: readonly Entry[]): VectorChunk {
  const writer = new ByteWriter();
  for (const entry of entries) encodeEntry(writer, entry);
  return pageChunk(encodePage(0, entries.length, writer.view()));
}

function topPage(): Uint8Array {
  const writer = new ByteWriter();
  for (const [index, page] of LEAVES.entries()) {
    const first = ENTRIES[index * 6];
    encodeChild(writer, { firstPath: first?.path ?? asBytePath(''), id: idOf(page) });
  }
  return encodePage(1, LEAVES.length, writer.view());
}
