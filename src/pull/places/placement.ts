/** Where everything of a snapshot goes on this machine: a value, printed before anything happens. */
import {
  asBytePath,
  baseNameBytes,
  bytePathFromText,
  dirNameBytes,
  joinBytes,
  parseShownPath,
  showPath,
  type BytePath,
} from '../../base/byte-path.ts';
import type { SnapshotRoot } from '../../format/snapshot.ts';
import { folderAbove, isThere } from '../../fs/swap-steps.ts';
import type { GatewayRecord } from '../../gateway/install/record.ts';
import { movePath, type PathMap } from '../../gateway/relocate/path-map.ts';
import type { RestoreTarget } from '../restore/restore-target.ts';
import { freePlace } from './free-place.ts';
import type { Piece, Pieces, RenamedFile } from './pieces.ts';
import { plainPlace } from './plain-place.ts';

/** One thing that is swapped in: a whole root, or one entry of a root that is only some entries of a directory. */
export type PlacedPart = {
  readonly staged: BytePath;
  readonly target: BytePath;
  /** Where what is there now will be moved; undefined when nothing is there. */
  readonly aside: BytePath | undefined;
};

export type PlacedRoot = {
  readonly root: SnapshotRoot;
  /** Of the root, or of the folder of it that has a place of its own. */
  readonly name: string;
  /** That folder; '' for the whole root. */
  readonly below: BytePath;
  /** What of the root has another place. */
  readonly without: readonly BytePath[];
  readonly bytes: number;
  /** Absolute path on the old machine. */
  readonly from: BytePath;
  readonly to: BytePath;
  readonly stage: BytePath;
  /** Just some entries of the folder `to`, swapped in one by one. */
  readonly isPartial: boolean;
  /** Those entries, wherever they are staged. */
  readonly only: readonly BytePath[] | undefined;
  /** Another install of the same pull brings it. */
  readonly isBrought: boolean;
  /** None for a root that lies inside another: it is staged there, and comes with it. */
  readonly parts: readonly PlacedPart[];
  /** What of others lies in what is moved aside, and stays where it is. */
  readonly stays: readonly BytePath[];
  /** Folders that must be made first, outermost first; `base` is there and holds the stage. */
  readonly missing: readonly BytePath[];
  readonly base: BytePath;
};

export type Placement = {
  readonly map: PathMap;
  /** A root that lies in another comes after it. */
  readonly roots: readonly PlacedRoot[];
  readonly stateDir: string;
  readonly configPath: string;
  /** Files that have another name here, in their stages. */
  readonly renamed: readonly StagedName[];
};

export type StagedName = {
  /** On the old machine, as text. */
  readonly file: string;
  readonly from: BytePath;
  readonly to: BytePath;
  /** What has the new name in the snapshot already was not what the old machine used: it gets another. */
  readonly occupant: BytePath | undefined;
};

export type PlacementRequest = Pieces & {
  readonly map: PathMap;
  readonly record: GatewayRecord;
  readonly snapshotId: string;
  /** `20261121-080000`, for the names of what is moved aside. */
  readonly stamp: string;
};

/** Of installs that land together: a root of one may lie in a root of another. */
export function planPlacements(
  requests: readonly PlacementRequest[],
  stays: readonly BytePath[] = [],
): Placement[] {
  const placed: { readonly request: PlacementRequest; readonly root: PlacedRoot }[] = [];
  const claims = requests.flatMap((request) => request.pieces.map((piece) => ({ request, piece })));
  for (const { request, piece } of claims.toSorted((a, b) => outermostFirst(a.piece, b.piece))) {
    const to = bytePathFromText(piece.to);
    const roots = placed.map(({ root }) => root);
    const same = piece.isBrought === true ? roots.findLast((one) => one.to === to) : undefined;
    const outer = same ?? roots.findLast((one) => holds(one, to, piece.only !== undefined));
    const common = commonOf(piece, request.pieces);
    const root = outer ? insideOf(outer, common, to) : placeRoot(common, to, request);
    placed.push({ request, root });
  }
  return requests.map((request) => {
    const { map, record, renamed } = request;
    const own = placed.filter((one) => one.request === request).map(({ root }) => root);
    const roots = own.map((root) => ({ ...root, stays: stays.filter((one) => loses(root, one)) }));
    return {
      map,
      roots,
      stateDir: movePath(map, record.stateDir) ?? record.stateDir,
      configPath: movePath(map, record.configPath) ?? record.configPath,
      renamed: renamed.flatMap((one) => stagedNames(roots, one)),
    };
  });
}

/** What of a root is restored where; a folder that has another place is left out of it. */
export function targetOf({ root, stage, below, without }: PlacedRoot): RestoreTarget {
  const isElsewhere = (path: BytePath): boolean =>
    without.some((one) => path === one || path.startsWith(`${one}/`));
  return {
    root,
    stage,
    below,
    ...(without.length > 0 && { only: (path: BytePath) => !isElsewhere(path) }),
  };
}

/** Would the place be gone with what is moved aside? */
const loses = ({ parts }: PlacedRoot, place: BytePath): boolean =>
  parts.some(({ target, aside }) => aside !== undefined && place.startsWith(`${target}/`));

/** Whoever brings a place comes before those that it is brought to. */
function outermostFirst(one: Piece, other: Piece): number {
  const rank = ({ only, isBrought }: Piece): number =>
    (isBrought === true ? 2 : 0) + (only === undefined ? 0 : 1);
  return byteLength(one.to) - byteLength(other.to) || rank(one) - rank(other);
}

const byteLength = (path: string): number => bytePathFromText(path).length;

type Common = Pick<
  PlacedRoot,
  'root' | 'name' | 'below' | 'without' | 'bytes' | 'from' | 'only' | 'isBrought'
>;

function commonOf(piece: Piece, pieces: readonly Piece[]): Common {
  const { root, below, from, bytes, only, isBrought = false } = piece;
  const inside = (path: BytePath): boolean => below === '' || path.startsWith(`${below}/`);
  const taken = pieces
    .filter((one) => one.root === root && one.below !== below && inside(one.below))
    .map((one) => one.below);
  const without = [...taken, ...(piece.without ?? [])];
  const name = below === '' ? root.name : `${root.name}/${showPath(below)}`;
  const old = below === '' ? parseShownPath(root.path) : bytePathFromText(from);
  return { root, name, below, without, bytes, from: old, only, isBrought };
}

/** Some entries of a folder may be entries of another root's own top. */
function holds(outer: PlacedRoot, path: BytePath, isEntries: boolean): boolean {
  if (isEntries && !outer.isPartial && path === outer.to) return true;
  if (!path.startsWith(`${outer.to}/`)) return false;
  return (
    !outer.isPartial ||
    outer.parts.some(({ target }) => path === target || path.startsWith(`${target}/`))
  );
}

function insideOf(outer: PlacedRoot, common: Common, to: BytePath): PlacedRoot {
  const stage = asBytePath(outer.stage + plainPlace(to).slice(outer.to.length));
  const { base } = outer;
  const nothing = { isPartial: false, parts: [], stays: [], missing: [] };
  return { ...common, to, stage, base, ...nothing };
}

export const STAGE_PREFIX = '.stateferry-stage-';

function placeRoot(
  common: Common,
  to: BytePath,
  request: Pick<PlacementRequest, 'snapshotId' | 'stamp'>,
): PlacedRoot {
  const { only } = common;
  for (const name of only ?? []) plainPlace(joinBytes(to, name));
  plainPlace(to);
  const { there: base, missing } = folderAbove(only ? to : dirNameBytes(to));
  // On the file system of the target: what is missing in between will be part of it.
  const name = STAGE_PREFIX + request.snapshotId.slice(0, 8) + stageSuffix(common);
  const stage = joinBytes(base, asBytePath(name));
  const part = (staged: BytePath, target: BytePath): PlacedPart => ({
    staged,
    target,
    aside: isThere(target) ? asideOf(target, request.stamp) : undefined,
  });
  return {
    ...common,
    to,
    stage,
    base,
    missing,
    stays: [],
    isPartial: only !== undefined,
    parts: only?.map((entry) => part(joinBytes(stage, entry), joinBytes(to, entry))) ?? [
      part(stage, to),
    ],
  };
}

/** Where what is there now will be. */
const asideOf = (target: BytePath, stamp: string): BytePath =>
  freePlace(asBytePath(`${target}.before-stateferry-${stamp}`));

/** A stage that holds another part of a root than an earlier try wanted is another stage. */
function stageSuffix({ root, below, without }: Common): string {
  const part = [below, ...without].join('\0');
  return `-${root.name}${part === '' ? '' : `-${numberOf(part)}`}`;
}

/** FNV-1a: short, and the same at every try. */
function numberOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}

/** Where a file lies in its stage, and the name that it gets there. */
function stagedNames(
  placed: readonly PlacedRoot[],
  { from: file, to: target, isTaken }: RenamedFile,
): StagedName[] {
  const old = bytePathFromText(file);
  const holder = placed.findLast((one) => old.startsWith(`${one.from}/`));
  if (!holder) return [];
  const from = asBytePath(holder.stage + old.slice(holder.from.length));
  const to = joinBytes(dirNameBytes(from), baseNameBytes(bytePathFromText(target)));
  const occupant = isTaken ? asBytePath(`${to}.beside-${baseNameBytes(from)}`) : undefined;
  return [{ file, from, to, occupant }];
}
