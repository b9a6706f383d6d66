/** A whole pack, opened frame by frame: what the workers do, without workers. */
import { openFrame } from '../../src/crypto/frames.ts';
import { SEALED_HEADER_BYTES } from '../../src/format/header.ts';
import type { IndexedPack } from '../../src/format/index-object.ts';
import { visitDirectory } from '../../src/format/pack.ts';
import type { ListedPack } from '../../src/format/pack-list.ts';
import { isVouched } from '../../src/format/vouched-directory.ts';
import { damaged, readObject } from '../../src/repository/objects.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import { openDirectory, packKey, packName } from '../../src/repository/pack-reader.ts';

const PACK_BYTES_MAX = 1024 * 1024;

/** @throws object-missing, object-damaged */
export async function readWholePack(
  repository: ReaderRepository,
  pack: ListedPack,
  signal: AbortSignal,
): Promise<IndexedPack> {
  const bytes = await readObject(repository.store, packName(pack), PACK_BYTES_MAX, signal);
  return await wholePackOf(repository, pack, bytes);
}

/** @throws object-damaged: also when a chunk is another one than its directory says */
export async function wholePackOf(
  repository: ReaderRepository,
  pack: ListedPack,
  bytes: Uint8Array,
): Promise<IndexedPack> {
  const name = packName(pack);
  if (bytes.length !== pack.size) throw damaged(name, 'it is shorter than it was stored');
  const opened = await openDirectory(repository, pack, (offset, length) =>
    bytes.subarray(offset, offset + length),
  );
  const key = packKey(repository, pack, bytes.subarray(0, SEALED_HEADER_BYTES));
  let plain: Buffer = Buffer.alloc(0);
  visitDirectory(opened.directory, SEALED_HEADER_BYTES, name, {
    frame: (frame, offset, length) => {
      const frameOpened = openFrame(key, frame, false, bytes.subarray(offset, offset + length));
      if (!frameOpened) throw damaged(name, 'a frame does not open');
      plain = frameOpened;
    },
    chunk: (id, _offset, length) => {
      const content = plain.subarray(0, length);
      if (isVouched(id) && !content.equals(id)) throw damaged(name, 'a chunk is another one');
      plain = plain.subarray(length);
    },
  });
  return opened;
}
