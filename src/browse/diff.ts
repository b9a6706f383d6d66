/** Two snapshots against each other, entry by entry, in path order. */
import type { BytePath } from '../base/byte-path.ts';
import { unreachable } from '../base/errors.ts';
import { sameBytes } from '../crypto/sodium.ts';
import type { Entry } from '../format/entry.ts';
import { comparePaths } from '../format/page.ts';
import type { SnapshotRoot } from '../format/snapshot.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { placeOf } from './address.ts';
import { notThere } from './ls.ts';

export type Aspect = 'type' | 'content' | 'target' | 'mode' | 'owner' | 'mtime';

export type Difference = {
  readonly root: string;
  readonly path: BytePath;
  readonly change: 'added' | 'removed' | 'changed';
  readonly what: readonly Aspect[];
  /** As it is now; for a removed one as it was. */
  readonly entry: Entry;
};

/** One side: a snapshot, or what lies below one path of it. */
export type Side = { readonly snapshot: SnapshotReader; readonly path: string | undefined };

/** @throws path-not-found when the path of a side is in neither */
export async function* diff(from: Side, to: Side): AsyncGenerator<Difference> {
  const pairs =
    from.path === undefined && to.path === undefined ? allRoots(from, to) : [onePlace(from, to)];
  const isComparable = sameBytes(from.snapshot.chunkIdKey, to.snapshot.chunkIdKey);
  let isThere = false;
  for (const { root, before, after } of pairs) {
    for await (const [a, b] of paired(entriesOf(before), entriesOf(after))) {
      isThere = true;
      const difference = compare(a, b, isComparable);
      if (difference) yield { root, ...difference };
    }
  }
  if (!isThere) throw notThere(to.path ?? from.path ?? 'entries');
}

type Tree = {
  readonly snapshot: SnapshotReader;
  readonly root: SnapshotRoot;
  readonly below: BytePath | undefined;
};
type Pair = {
  readonly root: string;
  readonly before: Tree | undefined;
  readonly after: Tree | undefined;
};

/** Roots are the same when they have the same name. */
function allRoots(from: Side, to: Side): Pair[] {
  const roots = ({ snapshot }: Side): Map<string, Tree> =>
    new Map(snapshot.body.roots.map((root) => [root.name, { snapshot, root, below: undefined }]));
  const [before, after] = [roots(from), roots(to)];
  return [...new Set([...before.keys(), ...after.keys()])].map((root) => ({
    root,
    before: before.get(root),
    after: after.get(root),
  }));
}

/** The same place in both; a path given for one side counts for both. */
function onePlace(from: Side, to: Side): Pair {
  const tree = ({ snapshot, path }: Side): Tree => {
    const { root, below } = placeOf(snapshot.body, path ?? '');
    return { snapshot, root, below };
  };
  const before = tree({ ...from, path: from.path ?? to.path });
  const after = tree({ ...to, path: to.path ?? from.path });
  return { root: after.root.name, before, after };
}

async function* entriesOf(tree: Tree | undefined): AsyncGenerator<Entry> {
  if (tree) yield* tree.snapshot.entries(tree.root, tree.below);
}

/** Merges two ascending streams by path. */
async function* paired(
  before: AsyncGenerator<Entry>,
  after: AsyncGenerator<Entry>,
): AsyncGenerator<readonly [Entry | undefined, Entry | undefined]> {
  let a = await before.next();
  let b = await after.next();
  while (a.done !== true || b.done !== true) {
    const order =
      a.done === true ? 1 : b.done === true ? -1 : comparePaths(a.value.path, b.value.path);
    yield [
      order <= 0 && a.done !== true ? a.value : undefined,
      order >= 0 && b.done !== true ? b.value : undefined,
    ];
    if (order <= 0) a = await before.next();
    if (order >= 0) b = await after.next();
  }
}

function compare(
  a: Entry | undefined,
  b: Entry | undefined,
  isComparable: boolean,
): Omit<Difference, 'root'> | undefined {
  if (a && b) {
    const what = aspects(a, b, isComparable);
    return what.length === 0 ? undefined : { path: b.path, change: 'changed', what, entry: b };
  }
  if (b) return { path: b.path, change: 'added', what: [], entry: b };
  if (a) return { path: a.path, change: 'removed', what: [], entry: a };
  return undefined;
}

function aspects(a: Entry, b: Entry, isComparable: boolean): Aspect[] {
  if (a.type !== b.type) return ['type'];
  const owners = a.owner === b.owner && a.group === b.group && a.uid === b.uid && a.gid === b.gid;
  return [
    ...contentAspects(a, b, isComparable),
    ...(a.mode === b.mode ? [] : ['mode' as const]),
    ...(owners ? [] : ['owner' as const]),
    // A directory's time only says that something in it came or went.
    ...(a.type === 'dir' || a.mtimeNs === b.mtimeNs ? [] : ['mtime' as const]),
  ];
}

/** Ids of other machines and installs are under other keys: there, size and time have to do. */
function contentAspects(a: Entry, b: Entry, isComparable: boolean): Aspect[] {
  switch (a.type) {
    case 'dir':
      return [];
    case 'symlink':
    case 'hardlink':
      return a.type === b.type && a.target === b.target ? [] : ['target'];
    case 'file': {
      if (b.type !== 'file' || a.size !== b.size) return ['content'];
      if (isComparable && a.chunkBytes === b.chunkBytes) {
        return sameBytes(a.ids, b.ids) ? [] : ['content'];
      }
      return a.mtimeNs === b.mtimeNs ? [] : ['content'];
    }
    default:
      return unreachable(a);
  }
}
