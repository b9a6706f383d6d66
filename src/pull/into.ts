/** `pull --into DIR`: the roots below a directory, and nothing else touched: no relocation, no doctor. */
import { asBytePath, bytePathFromText, joinBytes, type BytePath } from '../base/byte-path.ts';
import { throwIfAborted } from '../base/errors.ts';
import { folderBytes } from '../fs/folder-bytes.ts';
import { omitMatching, parsePatterns } from '../fs/globs.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { requireRoom, SPACE_FACTOR } from './disk-room.ts';
import type { Owner } from './file-table.ts';
import { restoreTrees, type RestoreDeps, type Restored } from './restore.ts';
import type { RestoreTarget } from './restore-target.ts';

export type IntoRequest = {
  readonly snapshot: SnapshotReader;
  /** Absolute. Roots become `directory/<root name>`. */
  readonly directory: string;
  /** Patterns of paths as `<root name>/<path>`; none: everything. */
  readonly only: readonly string[];
  readonly owner: Owner;
};

export type PulledInto = Restored & {
  readonly placed: readonly { readonly root: string; readonly from: string; readonly to: string }[];
};

export async function pullInto(
  request: IntoRequest,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<PulledInto> {
  const { snapshot, directory, owner } = request;
  if (request.only.length === 0) requireRoomFor(snapshot, directory);
  const targets = snapshot.body.roots.map((root) => ({
    root,
    stage: joinBytes(bytePathFromText(directory), bytePathFromText(root.name)),
    ...onlyRule(request.only, bytePathFromText(root.name)),
  }));
  const restored = await restoreTrees(
    { snapshot, targets, ownerOf: () => owner, setIdAllowed: false },
    deps,
    signal,
  );
  return { ...restored, placed: placesOf(snapshot, directory) };
}

/** What an earlier run restored there is not written again. */
function requireRoomFor({ cover }: SnapshotReader, directory: string): void {
  const at = bytePathFromText(directory);
  const needed = cover.cover.bytes * SPACE_FACTOR - folderBytes(at);
  requireRoom(at, needed, 'Name a folder on a larger disk, or take a part: --only GLOB');
}

/** What `pullInto` would restore; nothing is touched. */
export async function planInto(
  { snapshot, directory, only }: Omit<IntoRequest, 'owner'>,
  signal: AbortSignal,
): Promise<Pick<PulledInto, 'files' | 'bytes' | 'placed'>> {
  let files = 0;
  let bytes = 0;
  for (const root of snapshot.body.roots) {
    const { only: isWanted } = onlyRule(only, bytePathFromText(root.name));
    for await (const entry of snapshot.entries(root)) {
      throwIfAborted(signal);
      if (entry.type !== 'file' || isWanted?.(entry.path) === false) continue;
      files += 1;
      bytes += entry.size;
    }
  }
  return { files, bytes, placed: placesOf(snapshot, directory) };
}

const placesOf = ({ body }: SnapshotReader, directory: string): PulledInto['placed'] =>
  body.roots.map(({ name, path }) => ({ root: name, from: path, to: `${directory}/${name}` }));

/** A pattern chooses what it matches, and all that is below it. */
function onlyRule(only: readonly string[], root: BytePath): Pick<RestoreTarget, 'only'> {
  if (only.length === 0) return {};
  const matches = omitMatching(parsePatterns(only, '--only'));
  return {
    only: (path) => {
      const full = path === '' ? root : joinBytes(root, path);
      const parts = full.split('/');
      return parts.some((_, index) => {
        const prefix = asBytePath(parts.slice(0, index + 1).join('/'));
        const isLast = index === parts.length - 1;
        return matches(prefix, isLast ? 'file' : 'dir') !== undefined;
      });
    },
  };
}
