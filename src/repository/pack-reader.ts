/** Reading single packs for a reader: the object key from the header, the directory from the end, any frame. */
import { fromHex } from '../base/bytes.ts';
import { FerryError, isObjectFault } from '../base/errors.ts';
import { inLanes } from '../base/lanes.ts';
import { openFrame, type ObjectKey } from '../crypto/frames.ts';
import { checkHeader, SEALED_HEADER_BYTES } from '../format/header.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { writerObjectName } from '../format/names.ts';
import type { ListedPack } from '../format/pack-list.ts';
import {
  decodePaddedDirectory,
  decodeTrailer,
  TRAILER_FRAME,
  TRAILER_STORED_BYTES,
  visitDirectory,
} from '../format/pack.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { damaged } from './objects.ts';
import type { PackSource } from './open.ts';

export const packName = (pack: ListedPack): string =>
  writerObjectName('packs', pack.writer, pack.pack);

/** @throws object-damaged, object-foreign */
export function packKey(
  repository: Omit<PackSource, 'store'>,
  pack: ListedPack,
  header: Uint8Array,
): ObjectKey {
  const name = packName(pack);
  const expected = {
    kind: 'pack',
    repository: fromHex(repository.id),
    writer: pack.writer,
    object: pack.pack,
  } as const;
  checkHeader(header, expected, name);
  const key = repository.objectKey(name, header.subarray(0, SEALED_HEADER_BYTES));
  if (!key) throw damaged(name, 'its header cannot be unsealed');
  return key;
}

/** @throws object-missing, object-damaged (also when the object ends before the range does) */
export async function readRange(
  store: ObjectStore,
  name: string,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const answer = await store.get(name, { offset, length }, signal);
  if (!answer) {
    throw new FerryError('object-missing', `${name} is missing from ${store.location}`, {
      details: { object: name },
    });
  }
  if (answer.bytes.length !== length) throw damaged(name, 'it is shorter than recorded');
  return answer.bytes;
}

/** A pack's own directory: what an index is rebuilt from. */
export async function readOwnDirectory(
  repository: PackSource,
  pack: ListedPack,
  signal: AbortSignal,
): Promise<IndexedPack> {
  const { store } = repository;
  const name = packName(pack);
  const { directory } = await openDirectory(repository, pack, (offset, length) =>
    readRange(store, name, offset, length, signal),
  );
  return { ...pack, directory };
}

export const DIRECTORIES_AT_ONCE = 8;
/** Parts of a pack that are closer than this are fetched as one. */
export const GAP_BYTES = 512 * 1024;

/** Of those that can be read, in no order; `unreadable` hears of the others. */
export async function readOwnDirectories(
  repository: PackSource,
  packs: readonly ListedPack[],
  unreadable: (pack: ListedPack, error: FerryError) => void,
  signal: AbortSignal,
): Promise<IndexedPack[]> {
  const own: IndexedPack[] = [];
  await inLanes(packs, DIRECTORIES_AT_ONCE, signal, async (pack) => {
    try {
      own.push(await readOwnDirectory(repository, pack, signal));
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      unreadable(pack, error);
    }
  });
  return own;
}

export type OpenedPack = IndexedPack & { readonly objectKey: ObjectKey };

/** @param read the bytes of the pack at a place, exactly as many as asked for */
export async function openDirectory(
  repository: Omit<PackSource, 'store'>,
  pack: ListedPack,
  read: (offset: number, length: number) => Promise<Uint8Array> | Uint8Array,
): Promise<OpenedPack> {
  const name = packName(pack);
  const at = pack.size - TRAILER_STORED_BYTES;
  if (at < SEALED_HEADER_BYTES) throw damaged(name, 'it is too short');
  const objectKey = packKey(repository, pack, await read(0, SEALED_HEADER_BYTES));
  const plain = openFrame(objectKey, TRAILER_FRAME, true, await read(at, TRAILER_STORED_BYTES));
  if (!plain) throw damaged(name, 'its trailer does not open');
  const trailer = decodeTrailer(plain, name);
  const { directoryOffset, directoryStoredLength } = trailer;
  if (directoryOffset + directoryStoredLength !== at) throw damaged(name, 'its trailer is wrong');
  const sealed = await read(directoryOffset, directoryStoredLength);
  const padded = openFrame(objectKey, trailer.frames, false, sealed);
  if (!padded) throw damaged(name, 'its directory does not open');
  const directory = decodePaddedDirectory(padded, name);
  let end = SEALED_HEADER_BYTES;
  let frames = 0;
  visitDirectory(directory, SEALED_HEADER_BYTES, name, {
    frame: (_number, offset, length) => {
      end = offset + length;
      frames += 1;
    },
  });
  if (frames !== trailer.frames || end !== directoryOffset) {
    throw damaged(name, 'its directory does not match its trailer');
  }
  return { ...pack, directory, objectKey };
}
