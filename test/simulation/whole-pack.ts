/** A whole pack, opened frame by frame: what the workers do, without workers. */
import { openFrame } from '../../src/crypto/frames.ts';
import { SEALED_HEADER_BYTES } from '../../src/format/header.ts';
import type { IndexedPack } from '../../src/format/index-object.ts';
import { visitDirectory } from '../../src/format/pack.ts';
import type { ListedPack } from '../../src/format/pack-list.ts';
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
  const name = packName(pack);
  const bytes = await readObject(repository.store, name, PACK_BYTES_MAX, signal);
  if (bytes.length !== pack.size) throw damaged(name, 'it is shorter than it was stored');
  const opened = await openDirectory(repository, pack, (offset, length) =>
    bytes.subarray(offset, offset + length),
  );
  const key = packKey(repository, pack, bytes.subarray(0, SEALED_HEADER_BYTES));
  visitDirectory(opened.directory, SEALED_HEADER_BYTES, name, {
    frame: (frame, offset, length) => {
      const plain = openFrame(key, frame, false, bytes.subarray(offset, offset + length));
      if (!plain) throw damaged(name, 'a frame does not open');
    },
    chunk: () => undefined,
  });
  return opened;
}
