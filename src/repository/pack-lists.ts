/** Pack lists: which packs a snapshot needs, an object of its own, written again only when it differs. */
import { concatBytes, fromHex, view } from '../base/bytes.ts';
import { assert, FerryError } from '../base/errors.ts';
import { BOX_OVERHEAD_BYTES } from '../crypto/box.ts';
import type { Random } from '../crypto/sodium.ts';
import { HEADER_BYTES, type Header } from '../format/header.ts';
import {
  ID_BYTES,
  idBytes,
  idFromBytes,
  parseId,
  writerObjectName,
  type ObjectId,
  type WriterId,
} from '../format/names.ts';
import { decodePackList, encodePackList, type ListedPack } from '../format/pack-list.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { openBoxed, sealBoxed } from './boxed.ts';
import { readObject, writeFresh } from './objects.ts';
import type { ReaderRepository, WriterRepository } from './open.ts';
import type { OpenedCover } from './snapshots.ts';

const PACK_LIST_BYTES_MAX = 64 * 1024 * 1024;

/** The pack list of one install, as it will be named by the next snapshot. */
export class StoredPackList {
  readonly #repository: WriterRepository;
  readonly #fact: string;
  readonly #plaintext: Uint8Array;
  readonly #random: Random;
  #id: ObjectId | undefined;

  constructor(
    repository: WriterRepository,
    install: string,
    packs: readonly ListedPack[],
    random: Random,
  ) {
    this.#repository = repository;
    this.#fact = `pack list of ${install}`;
    this.#plaintext = encodePackList(packs);
    this.#random = random;
    const last = repository.cache.object(this.#fact);
    if (last && view(last).subarray(ID_BYTES).equals(this.#plaintext)) {
      this.#id = idFromBytes<ObjectId>(last.subarray(0, ID_BYTES));
    }
  }

  get id(): ObjectId {
    assert(this.#id, 'the pack list was stored');
    return this.#id;
  }

  get name(): string {
    return writerObjectName('lists', this.#repository.writer.id, this.id);
  }

  /** Its size in the store. */
  get storedBytes(): number {
    return HEADER_BYTES + BOX_OVERHEAD_BYTES + this.#plaintext.length;
  }

  /** Stores it unless the last one says the same. Answers the bytes stored. */
  async ensure(signal: AbortSignal): Promise<number> {
    return this.#id ? 0 : await this.renew(signal);
  }

  /** Stores it under a new name, whatever was there. */
  async renew(signal: AbortSignal): Promise<number> {
    const { id, store, writer, cache } = this.#repository;
    const object = idFromBytes<ObjectId>(this.#random(16));
    const header = headerOf(id, writer.id, object);
    const sealed = sealBoxed(writer.subkeys.packList, header, this.#plaintext, this.#random);
    await writeFresh(store, writerObjectName('lists', writer.id, object), sealed, signal);
    // One row: a name without its own content would make a later snapshot name the wrong list.
    cache.setObject(this.#fact, concatBytes(idBytes(object), this.#plaintext));
    this.#id = object;
    return sealed.length;
  }
}

export type PackListKeys = {
  readonly repository: string;
  readonly writer: WriterId;
  readonly key: Uint8Array;
};

/**
 * The list that a snapshot names.
 * @throws object-missing, object-damaged, object-foreign
 */
export function readListOf(
  { id, store, writers }: ReaderRepository,
  { writer, cover }: OpenedCover,
  signal: AbortSignal,
): Promise<ListedPack[]> {
  const key = writers.get(writer)?.subkeys.packList;
  assert(key, 'a listed snapshot has a known writer');
  return readPackList(store, { repository: id, writer, key }, cover.packList, signal);
}

/** @throws object-missing, object-damaged, object-foreign */
export async function readPackList(
  store: ObjectStore,
  keys: PackListKeys,
  id: string,
  signal: AbortSignal,
): Promise<ListedPack[]> {
  const object = parseId<ObjectId>(id);
  if (!object) throw new FerryError('object-damaged', 'a cover names an impossible pack list');
  const name = writerObjectName('lists', keys.writer, object);
  const bytes = await readObject(store, name, PACK_LIST_BYTES_MAX, signal);
  const header = headerOf(keys.repository, keys.writer, object);
  return decodePackList(openBoxed(keys.key, header, bytes, name), name);
}

const headerOf = (repository: string, writer: WriterId, object: ObjectId): Header => ({
  kind: 'pack list',
  repository: fromHex(repository),
  writer,
  object,
});
