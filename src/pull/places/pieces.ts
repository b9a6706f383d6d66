/**
 * What of a snapshot is placed as one: a root, or a folder of one that a rule takes somewhere else. Found before
 * anything is written, by looking into the snapshot's own trees.
 */
import {
  asBytePath,
  bytePathFromText,
  dirNameBytes,
  joinBytes,
  parseShownPath,
  type BytePath,
} from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import type { Entry } from '../../format/entry.ts';
import type { SnapshotBody, SnapshotRoot } from '../../format/snapshot.ts';
import { restBelow } from '../../gateway/disk/paths.ts';
import type { GatewayRecord } from '../../gateway/install/record.ts';
import { movePath, type PathMap, type PathRule } from '../../gateway/relocate/path-map.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { pathText } from './move-map.ts';

export type Piece = {
  readonly root: SnapshotRoot;
  /** Of the root: the folder that is meant; '' for all of it. */
  readonly below: BytePath;
  /** Just these entries directly in it. */
  readonly only: readonly BytePath[] | undefined;
  /** On the old machine, as text. */
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  /** What in it another install of the same pull brings. */
  readonly without?: readonly BytePath[];
  /** Another install of the same pull brings all of it. */
  readonly isBrought?: boolean;
};

/** A file that another name of the install calls differently: renamed in the stage. */
export type RenamedFile = PathRule & {
  /** The snapshot has something of the new name beside it. */
  readonly isTaken: boolean;
};

export type Pieces = {
  readonly pieces: readonly Piece[];
  readonly renamed: readonly RenamedFile[];
};

/** @throws usage: a rule would take a single file out of the folder that it lies in */
export async function piecesOf(
  snapshot: SnapshotReader,
  record: GatewayRecord,
  map: PathMap,
  wanted: readonly PathRule[],
): Promise<Pieces> {
  const pieces = wholeRoots(snapshot.body, record, map);
  const renamed: RenamedFile[] = [];
  // Outermost first: a rule may take a folder out of one that another rule has taken out.
  for (const rule of map
    .filter((one) => wanted.some(({ from }) => from === one.from))
    .toReversed()) {
    const inside = outerOf(pieces, rule.from);
    if (!inside || inside.rest === '') continue;
    const { piece, rest } = inside;
    if (rule.to === piece.to + rest) continue;
    const below = asBytePath(piece.below === '' ? rest.slice(1) : piece.below + rest);
    const found = await lookAt(snapshot, piece.root, below);
    if (found?.type === 'dir') {
      const { from, to } = rule;
      const bytes = await bytesBelow(snapshot, piece.root, below);
      pieces.push({ root: piece.root, below, only: undefined, from, to, bytes });
    } else if (found?.type === 'file') {
      if (folderOf(rule.to) !== folderOf(piece.to + rest)) throw singleFile(rule);
      const name = bytePathFromText(rule.to.slice(folderOf(rule.to).length + 1));
      const beside = await lookAt(snapshot, piece.root, joinBytes(dirNameBytes(below), name));
      renamed.push({ ...rule, isTaken: beside !== undefined });
    }
  }
  return { pieces, renamed };
}

export function wholeRoots(body: SnapshotBody, record: GatewayRecord, map: PathMap): Piece[] {
  return body.roots.map((root) => {
    const only = record.roots.find(({ name }) => name === root.name)?.only?.map(parseShownPath);
    const from = pathText(root.path);
    const to = movePath(map, from) ?? from;
    return { root, below: asBytePath(''), only, from, to, bytes: root.bytes };
  });
}

/** The innermost piece that holds the path, and where in it. */
function outerOf(
  pieces: readonly Piece[],
  path: string,
): { readonly piece: Piece; readonly rest: string } | undefined {
  let best: { readonly piece: Piece; readonly rest: string } | undefined;
  for (const piece of pieces) {
    const rest = restBelow(piece.from, path)?.replaceAll('\\', '/');
    if (rest === undefined || (best && best.rest.length <= rest.length)) continue;
    const first = bytePathFromText(rest.split('/')[1] ?? '');
    if (piece.only === undefined || piece.only.includes(first)) best = { piece, rest };
  }
  return best;
}

export async function lookAt(
  { entries }: SnapshotReader,
  root: SnapshotRoot,
  path: BytePath,
): Promise<Entry | undefined> {
  for await (const entry of entries(root, path)) {
    return entry.path === path ? entry : undefined;
  }
  return undefined;
}

async function bytesBelow(
  { entries }: SnapshotReader,
  root: SnapshotRoot,
  below: BytePath,
): Promise<number> {
  let bytes = 0;
  for await (const entry of entries(root, below)) if (entry.type === 'file') bytes += entry.size;
  return bytes;
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

const singleFile = ({ from, to }: PathRule): FerryError =>
  new FerryError('usage', `--map ${from}=${to}: only a folder can be taken out of where it lies`, {
    hint: 'Map the folder that the file lies in.',
  });

/** Where in the root of a piece a place of this machine is; undefined: in another, or nowhere. */
export function pathIn({ to, below, only }: Piece, place: BytePath): BytePath | undefined {
  const at = bytePathFromText(to);
  if (only !== undefined || !place.startsWith(`${at}/`)) return undefined;
  const rest = asBytePath(place.slice(at.length + 1));
  return below === '' ? rest : joinBytes(below, rest);
}
