/** One file's content. */
import { showPath } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import type { FileEntry } from '../format/entry.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { placeOf } from './address.ts';
import { notThere } from './ls.ts';

/**
 * The file at a path, a hard link followed within its root. Its content: `snapshot.file(entry)`.
 * @throws path-not-found; usage when it is no file
 */
export async function fileAt(snapshot: SnapshotReader, path: string): Promise<FileEntry> {
  const { root, below } = placeOf(snapshot.body, path);
  for await (const entry of snapshot.entries(root, below)) {
    if (entry.type === 'file') return entry;
    if (entry.type === 'hardlink') {
      return fileAt(snapshot, `${root.name}/${showPath(entry.target)}`);
    }
    const what = entry.type === 'dir' ? 'a directory' : `a link to ${showPath(entry.target)}`;
    throw new FerryError('usage', `${path} is ${what}, and no file`, {
      hint: 'stateferry ls SNAPSHOT:DIR lists what is in a directory.',
    });
  }
  throw notThere(path);
}
