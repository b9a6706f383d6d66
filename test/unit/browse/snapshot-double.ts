/** A snapshot in memory, for what only reads entries. */
import { asBytePath, bytePathFromText, type BytePath } from '../../../src/base/byte-path.ts';
import type { Entry } from '../../../src/format/entry.ts';
import { comparePaths } from '../../../src/format/page.ts';
import type { SnapshotReader } from '../../../src/repository/snapshot-reader.ts';
import { bareBody } from '../../support/snapshot-body.ts';

type Made = { readonly [P in 'body' | 'chunkIdKey' | 'entries' | 'file']: SnapshotReader[P] };

const common = { mode: 0o644, uid: 1, gid: 1, owner: 'alice', group: 'users', mtimeNs: 10n };

export function file(path: string, content: string, more: Partial<Entry> = {}): Entry {
  const ids = Buffer.alloc(content === '' ? 0 : 32, content);
  const entry = {
    ...common,
    path: bytePathFromText(path),
    type: 'file' as const,
    size: content.length,
    sparse: false,
    secret: false,
    database: false,
    chunkBytes: 262_144,
    depth: 0,
    ids,
  };
  return { ...entry, ...more } as Entry;
}

export const dir = (path: string): Entry => ({
  ...common,
  mode: 0o755,
  path: bytePathFromText(path),
  type: 'dir',
});

export const link = (type: 'symlink' | 'hardlink', path: string, target: string): Entry => ({
  ...common,
  path: bytePathFromText(path),
  type,
  target: bytePathFromText(target),
});

/** Roots by name, with the old path of each; the root's own directory is added. */
export function snapshotOf(
  roots: Readonly<Record<string, { readonly path: string; readonly entries: readonly Entry[] }>>,
  chunkIdKey: Uint8Array = new Uint8Array(32),
): SnapshotReader {
  const made: Made = {
    chunkIdKey,
    body: bareBody(
      '/home/alice',
      Object.entries(roots).map(([name, { path }]) => ({ name, path })),
    ),
    // oxlint-disable-next-line typescript/require-await -- the interface is a stream
    async *entries(root, from = asBytePath('')) {
      const all = [dir(''), ...(roots[root.name]?.entries ?? [])];
      for (const entry of all.toSorted((a, b) => comparePaths(a.path, b.path))) {
        if (isBelow(entry.path, from)) yield entry;
      }
    },
    // oxlint-disable-next-line typescript/require-await -- the interface is a stream
    async *file(entry) {
      yield Buffer.from(entry.path, 'latin1');
    },
  };
  // Nothing else of a snapshot is looked at by what is tested with this.
  return made as SnapshotReader;
}

const isBelow = (path: BytePath, from: BytePath): boolean =>
  from === '' || path === from || path.startsWith(`${from}/`);
