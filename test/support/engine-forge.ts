/** Snapshots that no push would make, with every key right: what a hostile machine that was let in can do. */
import { ByteWriter, concatBytes, fromHex, toHex } from '../../src/base/bytes.ts';
import { asBytePath } from '../../src/base/byte-path.ts';
import { CHUNK_KINDS, chunkId, chunkIdKey, type ChunkKind } from '../../src/crypto/chunk-id.ts';
import { installSubkeys } from '../../src/crypto/identity.ts';
import { sealHeader } from '../../src/crypto/sealing.ts';
import { CHUNK_ID_BYTES } from '../../src/crypto/sizes.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { encodeEntry, type Entry } from '../../src/format/entry.ts';
import { encodeHeader } from '../../src/format/header.ts';
import {
  idFromBytes,
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
} from '../../src/format/names.ts';
import { encodePackList, type ListedPack } from '../../src/format/pack-list.ts';
import { encodeChild, encodePage } from '../../src/format/page.ts';
import { sealBoxed } from '../../src/repository/boxed.ts';
import { pinnedHalves, writerOf } from '../../src/repository/machine.ts';
import { makeSnapshot } from '../../src/repository/snapshots.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { ChunkTable } from '../../src/workers/chunk-table.ts';
import { PackBuilder, type BuiltPack } from '../../src/workers/pack-builder.ts';
import { PackPool } from '../../src/workers/pack-pool.ts';
import { NO_ABORT, type Machine } from './engine.ts';
import { noise } from './tree.ts';

const INSTALL = 'openclaw';

export type Forger = {
  /** Stores a chunk and answers its id. */
  chunk(kind: ChunkKind, bytes: Uint8Array): Buffer;
  /** Stores one under no id, as repacking leaves what is dead and was not what its id said. */
  nameless(bytes: Uint8Array): void;
  /** A leaf page of entries as they are, in the order given. */
  leaf(entries: readonly (Entry | Uint8Array)[]): Buffer;
  /** A page above others. */
  above(level: number, children: readonly { firstPath: string; id: Uint8Array }[]): Buffer;
  /** Commits a snapshot whose first root has this top page; answers its id. */
  commit(page: Buffer): Promise<string>;
};

export function forger(store: ObjectStore, machine: Machine, sequence = 1): Forger {
  const { state } = machine;
  const writer = writerOf(state);
  const key = chunkIdKey(installSubkeys(writer.key, INSTALL).chunkId);
  const { recipient } = pinnedHalves(state);
  const object = idFromBytes<ObjectId>(systemRandom(16));
  const repository = fromHex(state.repository);
  const table = ChunkTable.create(1000);
  const pool = PackPool.create(1, 4 * 1024 * 1024);
  const header = encodeHeader({ kind: 'pack', repository, writer: writer.id, object });
  pool.freeAs(0, { ...sealHeader(recipient, header), ordinal: 0 });
  let built: BuiltPack | undefined;
  const builder = new PackBuilder(pool, table, (pack) => {
    built = pack;
  });
  const chunk = (kind: ChunkKind, bytes: Uint8Array): Buffer => {
    const id = chunkId(key, kind, bytes);
    const slot = table.claim(id);
    if (slot < 0) builder.addSingle(id, ~slot, bytes, true);
    return id;
  };

  const commit = async (page: Buffer): Promise<string> => {
    builder.finish();
    const size = built?.length ?? 0;
    const name = writerObjectName('packs', writer.id, object);
    await store.put(name, pool.bytes(0).subarray(0, size), {}, NO_ABORT);
    const list = await putList([{ writer: writer.id, pack: object, size }]);
    const cover = {
      sequence,
      previous: null,
      time: new Date(await store.dateMs(NO_ABORT)).toISOString(),
      install: INSTALL,
      machine: state.machine,
      label: null,
      files: 1,
      bytes: 1,
      packList: list,
    };
    const made = makeSnapshot(
      state.repository,
      recipient,
      writer,
      cover,
      bodyOf(page),
      systemRandom,
    );
    await store.put(made.name, made.bytes, {}, NO_ABORT);
    return made.id;
  };
  const putList = async (packs: readonly ListedPack[]): Promise<string> => {
    const list = idFromBytes<ObjectId>(systemRandom(16));
    const place = { kind: 'pack list', repository, writer: writer.id, object: list } as const;
    const plaintext = encodePackList(packs);
    const sealed = sealBoxed(writer.subkeys.packList, place, plaintext, systemRandom);
    await store.put(writerObjectName('lists', writer.id, list), sealed, {}, NO_ABORT);
    return list;
  };
  return {
    chunk,
    nameless: (bytes) => {
      const none = Buffer.alloc(CHUNK_ID_BYTES);
      builder.addSingle(none, ~table.claim(none), bytes, true);
    },
    leaf: (entries) =>
      chunk(CHUNK_KINDS.page, encodePage(0, entries.length, concatBytes(...entries.map(encoded)))),
    above: (level, children) => {
      const writer = new ByteWriter();
      for (const { firstPath, id } of children) {
        encodeChild(writer, { firstPath: asBytePath(firstPath), id });
      }
      return chunk(CHUNK_KINDS.page, encodePage(level, children.length, writer.view()));
    },
    commit,
  };
}

/**
 * A pack that opens under this name, with other content than it had, and of the same size: what whoever took the
 * machine can store in its place.
 */
export function packInPlaceOf(machine: Machine, name: string, bytes: number): Uint8Array {
  const { state } = machine;
  const writer = writerOf(state);
  const object = parseWriterObjectName(name)?.id;
  if (!object) throw new Error(`${name} is no pack`);
  const key = chunkIdKey(installSubkeys(writer.key, INSTALL).chunkId);
  const place = { repository: fromHex(state.repository), writer: writer.id, object };
  const header = encodeHeader({ kind: 'pack', ...place });
  const content = noise(bytes, bytes);
  for (let length = bytes; length > 0; length -= STEP_BYTES) {
    const table = ChunkTable.create(1000);
    const pool = PackPool.create(1, 4 * 1024 * 1024);
    pool.freeAs(0, { ...sealHeader(pinnedHalves(state).recipient, header), ordinal: 0 });
    let built = 0;
    const builder = new PackBuilder(pool, table, (pack) => {
      built = pack.length;
    });
    for (let at = 0; at < length; at += CHUNK_BYTES) {
      const chunk = content.subarray(at, Math.min(length, at + CHUNK_BYTES));
      const id = chunkId(key, CHUNK_KINDS.data, chunk);
      builder.addSingle(id, ~table.claim(id), chunk, true);
    }
    builder.finish();
    if (built === bytes) return Uint8Array.from(pool.bytes(0).subarray(0, built));
  }
  throw new Error(`no pack has ${bytes} bytes`);
}

const CHUNK_BYTES = 100_000;
const STEP_BYTES = 8_000;

function encoded(entry: Entry | Uint8Array): Uint8Array {
  if (entry instanceof Uint8Array) return entry;
  const writer = new ByteWriter();
  encodeEntry(writer, entry);
  return writer.take();
}

const bodyOf = (page: Buffer): Parameters<typeof makeSnapshot>[4] => ({
  tool: 'forger',
  install: {
    install: INSTALL,
    brand: 'openclaw',
    profile: 'default',
    version: null,
    platform: 'linux',
    home: '/home/mara',
  },
  roots: [
    { name: 'state', kind: 'state', path: '/old', page: toHex(page), files: 9, bytes: 2 ** 26 },
  ],
  omissions: [],
  problems: [],
  gateway: {},
});
