/** Opens a vector the way the engine opens such an object; what is wrong comes out as its FerryError. */
import { fromHex, toHex, view } from '../../src/base/bytes.ts';
import { FerryError } from '../../src/base/errors.ts';
import { CHUNK_KINDS } from '../../src/crypto/chunk-id.ts';
import { verify } from '../../src/crypto/signature.ts';
import { SEALED_HEADER_BYTES } from '../../src/format/header.ts';
import { sharedObjectName, writerObjectName, type ObjectId } from '../../src/format/names.ts';
import { visitDirectory } from '../../src/format/pack.ts';
import { decodePage } from '../../src/format/page.ts';
import { decodeRepositoryHeader } from '../../src/format/repository-header.ts';
import { decodeTombstone } from '../../src/format/tombstone.ts';
import { ChunkSource } from '../../src/repository/chunk-source.ts';
import { openForgetRecord } from '../../src/repository/forget-records.ts';
import { addToTable, readIndex } from '../../src/repository/indexes.ts';
import { openDrillRecord } from '../../src/repository/drill-records.ts';
import { openKeySlots, type Secret } from '../../src/repository/key-slots.ts';
import { readPackList } from '../../src/repository/pack-lists.ts';
import { objectKeysOf } from '../../src/repository/open.ts';
import { readOwnDirectory } from '../../src/repository/pack-reader.ts';
import { openRepackRecord } from '../../src/repository/repack-records.ts';
import { openCover, openSnapshotBody } from '../../src/repository/snapshots.ts';
import { openRevocation } from '../../src/repository/revocations.ts';
import { openWriterRecord } from '../../src/repository/writers.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { ChunkTable } from '../../src/workers/chunk-table.ts';
import type { VectorKind } from './bad-headers.ts';
import { CHUNK_ID_KEY, OWNER, REPOSITORY, WRITER } from './keys.ts';
import { idOf } from './parts.ts';
import {
  FORGET_RECORD,
  DRILL,
  INDEX,
  LEAVES,
  PACK,
  PACK_LIST,
  REVOKED,
  SLOT_SECRETS,
  SNAPSHOT,
  TOMBSTONE,
  TOP_PAGE,
  ZEROS_LIST,
} from './sample.ts';
import { REPACK_RECORD } from './repacked.ts';

const signal = new AbortController().signal;
const objectKey = objectKeysOf(OWNER);
const SNAPSHOT_AUTHOR = {
  id: WRITER.id,
  machine: 'harbour',
  signingKey: WRITER.signing.publicKey,
  coverKey: WRITER.subkeys.cover,
};

const DRILL_AUTHOR = {
  id: WRITER.id,
  machine: 'harbour',
  signingKey: WRITER.signing.publicKey,
  drillKey: WRITER.subkeys.drillRecord,
};

/** What it decodes to. @throws FerryError */
export async function openVector(
  kind: VectorKind,
  bytes: Uint8Array,
  slotName?: string,
): Promise<unknown> {
  switch (kind) {
    case 'repository header':
      return decodeRepositoryHeader(bytes);
    case 'key slot':
      return openSlot(bytes, slotName);
    case 'writer record':
      return openWriterRecord(bytes, sharedObjectName('writers', WRITER.id), REPOSITORY, OWNER);
    case 'pack':
      return openPack(bytes);
    case 'index':
      return openIndex(bytes);
    case 'pack list': {
      const store = await storeWith(ownName('lists', PACK_LIST.object), bytes);
      return readPackList(store, keysOf(WRITER.subkeys.packList), PACK_LIST.object, signal);
    }
    case 'snapshot': {
      const name = ownName('snapshots', SNAPSHOT.object);
      const { cover, digest } = openCover(bytes, name, REPOSITORY, SNAPSHOT_AUTHOR);
      return { cover, digest, body: openSnapshotBody(bytes, name, { objectKey }) };
    }
    case 'drill record': {
      const name = writerObjectName('drills', WRITER.id, DRILL.object);
      return openDrillRecord(bytes, name, REPOSITORY, DRILL_AUTHOR).body;
    }
    case 'revocation': {
      const name = sharedObjectName('revocations', REVOKED.writer);
      return openRevocation(bytes, name, REPOSITORY, OWNER.root.publicKey);
    }
    case 'forget record': {
      const name = sharedObjectName('forgets', FORGET_RECORD.object);
      return openForgetRecord(bytes, name, REPOSITORY, OWNER.root.publicKey);
    }
    case 'repack record': {
      const name = sharedObjectName('repacks', REPACK_RECORD.object);
      return openRepackRecord(bytes, name, REPOSITORY, OWNER.root.publicKey);
    }
    case 'tombstone':
      return openTombstone(bytes);
    case 'page':
      return decodePage(bytes, undefined, 'page');
  }
}

/** The identity that a slot gives. It is looked for with the secret it asks for, else with the recovery code. */
async function openSlot(bytes: Uint8Array, slotName: string | undefined): Promise<unknown> {
  const asked = SLOT_SECRETS.find((secret) => view(bytes).includes(`"with":"${secret.with}"`));
  const secret: Secret | undefined = asked ?? SLOT_SECRETS[1];
  if (!secret) throw new Error('there are secrets');
  const slot = /"slot":"(?<id>[0-9a-f]{32})"/.exec(view(bytes).toString('latin1'))?.groups?.['id'];
  // A slot that names itself wrongly has to be found under another name.
  const isHonest = slot !== undefined && !/^0+$/.test(slot);
  const name = slotName ?? sharedObjectName('keys', isHonest ? slot : 'f'.repeat(32));
  const store = await storeWith(name, bytes);
  return (await openKeySlots(store, REPOSITORY, secret, signal)).identity;
}

async function openPack(bytes: Uint8Array): Promise<unknown> {
  const store = await storeWith(ownName('packs', PACK.object), bytes);
  const repository = { store, id: REPOSITORY, objectKey };
  const listed = { writer: WRITER.id, pack: PACK.object, size: bytes.length };
  const indexed = await readOwnDirectory(repository, listed, signal);
  const ids: Buffer[] = [];
  const visitor = { chunk: (id: Buffer): unknown => ids.push(Buffer.from(id)) };
  visitDirectory(indexed.directory, SEALED_HEADER_BYTES, 'pack', visitor);
  const table = ChunkTable.create(ids.length);
  addToTable(table, indexed, 0);
  const source = new ChunkSource(repository, [indexed], { table }, CHUNK_ID_KEY);
  const chunks: Buffer[] = [];
  for (const id of ids) {
    const kind = KIND_OF_ID.get(toHex(id)) ?? CHUNK_KINDS.data;
    chunks.push(await source.get(kind, id, signal));
  }
  return { directory: indexed.directory, chunks };
}

/** What the ids of the sample stand for; everything else is data. */
const KIND_OF_ID = new Map(
  [...LEAVES, TOP_PAGE, ZEROS_LIST].map((chunk) => [toHex(idOf(chunk)), chunk.kind]),
);

async function openIndex(bytes: Uint8Array): Promise<unknown> {
  const name = ownName('indexes', INDEX.object);
  const store = await storeWith(name, bytes);
  const packs = await readIndex(store, keysOf(WRITER.subkeys.index), name, signal);
  for (const pack of packs) {
    visitDirectory(pack.directory, SEALED_HEADER_BYTES, name, {});
  }
  return packs;
}

function openTombstone(bytes: Uint8Array): unknown {
  const name = sharedObjectName('tombstones', TOMBSTONE.object);
  const tombstone = decodeTombstone(bytes, fromHex(REPOSITORY), TOMBSTONE.object, name);
  const { signed, signature, names } = tombstone;
  if (verify('tombstone', signed, signature, OWNER.root.publicKey)) return names;
  throw new FerryError('object-foreign', `${name} is not signed by the root key`);
}

const ownName = (folder: 'packs' | 'indexes' | 'lists' | 'snapshots', id: ObjectId): string =>
  writerObjectName(folder, WRITER.id, id);

const keysOf = (
  key: Uint8Array,
): { repository: string; writer: typeof WRITER.id; key: Uint8Array } => ({
  repository: REPOSITORY,
  writer: WRITER.id,
  key,
});

async function storeWith(name: string, bytes: Uint8Array): Promise<ObjectStore> {
  const store = openMemoryStore();
  await store.put(name, bytes, {}, signal);
  return store;
}
