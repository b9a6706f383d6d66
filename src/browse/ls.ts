/** The entries of a snapshot below one place. */
import { FerryError } from '../base/errors.ts';
import type { Entry } from '../format/entry.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { placeOf } from './address.ts';

export type Listed = { readonly root: string; readonly entry: Entry };

/**
 * One level below a directory (the directory itself is not among them), or the one entry that is none; recursive:
 * everything below.
 * @param path undefined: all roots
 * @throws path-not-found
 */
export async function* ls(
  snapshot: SnapshotReader,
  path: string | undefined,
  isRecursive: boolean,
): AsyncGenerator<Listed> {
  if (path === undefined) {
    for (const root of snapshot.body.roots) yield* ls(snapshot, root.name, isRecursive);
    return;
  }
  const { root, below } = placeOf(snapshot.body, path);
  const depth = below === '' ? 0 : below.split('/').length;
  let isThere = false;
  for await (const entry of snapshot.entries(root, below)) {
    const isItself = !isThere;
    isThere = true;
    if (isItself && entry.type === 'dir') continue;
    const levels = entry.path.split('/').length - depth;
    if (isRecursive || isItself || levels === 1) yield { root: root.name, entry };
  }
  if (!isThere) throw notThere(path);
}

export function notThere(path: string): FerryError {
  return new FerryError('path-not-found', `the snapshot has no ${path}`, {
    hint: 'stateferry ls SNAPSHOT:DIR lists what is in a directory.',
  });
}
