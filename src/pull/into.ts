/** `pull --into DIR`: the roots below a directory, and nothing else touched: no relocation, no doctor. */
import { asBytePath, bytePathFromText, joinBytes, type BytePath } from '../base/byte-path.ts';
import { FerryError, throwIfAborted } from '../base/errors.ts';
import { folderBytes } from '../fs/folder-bytes.ts';
import { omitMatching, parsePatterns } from '../fs/globs.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { requireRoom, SPACE_FACTOR } from './plan/disk-room.ts';
import type { Owner } from './restore/file-table.ts';
import { isMeant, type RestoreTarget } from './restore/restore-target.ts';
import { restoreTrees, type RestoreDeps, type Restored } from './restore/restore.ts';

export type IntoWish = {
  readonly snapshot: SnapshotReader;
  /** Absolute. Roots become `directory/<root name>`. */
  readonly directory: string;
  /** Patterns of paths as `<root name>/<path>`; none: everything. */
  readonly only: readonly string[];
};

export type IntoPlan = Omit<IntoWish, 'only'> & {
  /** A root of which nothing was chosen is none of them. */
  readonly targets: readonly RestoreTarget[];
};

export type PulledInto = Restored & {
  readonly placed: readonly { readonly root: string; readonly from: string; readonly to: string }[];
};

/**
 * What goes where; nothing is touched.
 * @throws path-not-found when the patterns choose nothing
 */
export async function planInto(
  { snapshot, directory, only }: IntoWish,
  signal: AbortSignal,
): Promise<IntoPlan> {
  const targets: RestoreTarget[] = [];
  for (const root of snapshot.body.roots) {
    const name = bytePathFromText(root.name);
    const stage = joinBytes(bytePathFromText(directory), name);
    const target = { root, stage, ...onlyRule(only, name) };
    if (only.length === 0 || (await isAnyMeant(snapshot, target, signal))) targets.push(target);
  }
  if (only.length > 0 && targets.length === 0) throw nothingMatches(only);
  return { snapshot, directory, targets };
}

async function isAnyMeant(
  snapshot: SnapshotReader,
  target: RestoreTarget,
  signal: AbortSignal,
): Promise<boolean> {
  for await (const { path } of snapshot.entries(target.root)) {
    throwIfAborted(signal);
    if (isMeant(target, path)) return true;
  }
  return false;
}

/** It was mistyped: an empty folder is no answer to it. */
const nothingMatches = (only: readonly string[]): FerryError =>
  new FerryError('path-not-found', `nothing in the snapshot matches --only ${only.join(' ')}`, {
    hint:
      "Paths begin with the name of a root, as in 'state/agents/main/**'. " +
      'To see them: stateferry ls SNAPSHOT --recursive, or stateferry find PATTERN.',
  });

export async function pullInto(
  { snapshot, directory, targets }: IntoPlan,
  owner: Owner,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<PulledInto> {
  if (targets.every(({ only }) => only === undefined)) requireRoomFor(snapshot, directory);
  const restored = await restoreTrees(
    { snapshot, targets, ownerOf: () => owner, setIdAllowed: false },
    deps,
    signal,
  );
  return { ...restored, placed: placesOf(targets, directory) };
}

/** What an earlier run restored there is not written again. */
function requireRoomFor({ cover }: SnapshotReader, directory: string): void {
  const at = bytePathFromText(directory);
  const needed = cover.cover.bytes * SPACE_FACTOR - folderBytes(at);
  requireRoom(at, needed, 'Name a folder on a larger disk, or take a part: --only GLOB');
}

/** What `pullInto` would restore; nothing is touched. */
export async function countInto(
  { snapshot, directory, targets }: IntoPlan,
  signal: AbortSignal,
): Promise<Pick<PulledInto, 'files' | 'bytes' | 'placed'>> {
  let files = 0;
  let bytes = 0;
  for (const target of targets) {
    for await (const entry of snapshot.entries(target.root)) {
      throwIfAborted(signal);
      if (entry.type !== 'file' || !isMeant(target, entry.path)) continue;
      files += 1;
      bytes += entry.size;
    }
  }
  return { files, bytes, placed: placesOf(targets, directory) };
}

const placesOf = (targets: readonly RestoreTarget[], directory: string): PulledInto['placed'] =>
  targets.map(({ root: { name, path } }) => ({
    root: name,
    from: path,
    to: `${directory}/${name}`,
  }));

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
