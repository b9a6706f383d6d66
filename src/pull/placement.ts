/** Where everything of a snapshot goes on this machine: a value, printed before anything happens. */
import {
  asBytePath,
  dirNameBytes,
  joinBytes,
  bytePathFromText,
  parseShownPath,
  type BytePath,
} from '../base/byte-path.ts';
import type { SnapshotBody, SnapshotRoot } from '../format/snapshot.ts';
import { folderAbove, isThere } from '../fs/swap-steps.ts';
import { movePath, pathMap, type PathMap } from '../gateway/path-map.ts';
import type { GatewayRecord } from '../gateway/record.ts';
import { plainPlace } from './safe-places.ts';

/** One thing that is swapped in: a whole root, or one entry of a root that is only some entries of a directory. */
export type PlacedPart = {
  readonly staged: BytePath;
  readonly target: BytePath;
  /** Where what is there now will be moved; undefined when nothing is there. */
  readonly aside: BytePath | undefined;
};

export type PlacedRoot = {
  readonly root: SnapshotRoot;
  /** Absolute path on the old machine. */
  readonly from: BytePath;
  readonly to: BytePath;
  readonly stage: BytePath;
  /** Just some entries of the folder `to`. */
  readonly isPartial: boolean;
  /** None for a root that lies inside another: it is staged there, and comes with it. */
  readonly parts: readonly PlacedPart[];
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
};

export type PlacementRequest = {
  readonly body: SnapshotBody;
  readonly record: GatewayRecord;
  readonly snapshotId: string;
  readonly home: string;
  /** `20261121-080000`, for the names of what is moved aside. */
  readonly stamp: string;
};

export function planPlacement(request: PlacementRequest): Placement {
  const { body, record, home } = request;
  const map = mapOf(body, record, home);
  const moved = (path: string): string => movePath(map, path) ?? path;
  const placed: PlacedRoot[] = [];
  const outermostFirst = body.roots
    .map((root) => ({ root, to: bytePathFromText(moved(pathText(root.path))) }))
    .toSorted((a, b) => a.to.length - b.to.length);
  for (const { root, to } of outermostFirst) {
    const only = record.roots.find(({ name }) => name === root.name)?.only?.map(parseShownPath);
    const outer = placed.findLast((one) => holds(one, to));
    placed.push(outer ? insideOf(outer, root, to) : placeRoot(root, to, only, request));
  }
  return {
    map,
    roots: placed,
    stateDir: moved(record.stateDir),
    configPath: moved(record.configPath),
  };
}

/** From home to home; and names of a root (through links) outside the old home follow those that lie in it. */
function mapOf(body: SnapshotBody, record: GatewayRecord, home: string): PathMap {
  const ofHome = [{ from: pathText(body.install.home), to: home }];
  const byHome = pathMap(ofHome);
  const ofLinks = record.roots.flatMap(({ path, aliases, only }) => {
    const names = only === null ? [path, ...aliases].map(pathText) : [];
    const to = names.map((name) => movePath(byHome, name)).find((moved) => moved !== undefined);
    if (to === undefined) return [];
    return names
      .filter((name) => movePath(byHome, name) === undefined)
      .map((from) => ({ from, to }));
  });
  return pathMap([...ofHome, ...ofLinks]);
}

/** A shown path as the text that configs have for it. */
const pathText = (shown: string): string =>
  Buffer.from(parseShownPath(shown), 'latin1').toString('utf8');

function holds(outer: PlacedRoot, path: BytePath): boolean {
  if (!path.startsWith(`${outer.to}/`)) return false;
  return (
    !outer.isPartial ||
    outer.parts.some(({ target }) => path === target || path.startsWith(`${target}/`))
  );
}

function insideOf(outer: PlacedRoot, root: SnapshotRoot, to: BytePath): PlacedRoot {
  const stage = asBytePath(outer.stage + plainPlace(to).slice(outer.to.length));
  const from = parseShownPath(root.path);
  const { base } = outer;
  return { root, from, to, stage, base, isPartial: false, parts: [], missing: [] };
}

export const STAGE_PREFIX = '.stateferry-stage-';

function placeRoot(
  root: SnapshotRoot,
  to: BytePath,
  only: readonly BytePath[] | undefined,
  request: PlacementRequest,
): PlacedRoot {
  for (const name of only ?? []) plainPlace(joinBytes(to, name));
  plainPlace(to);
  const { there: base, missing } = folderAbove(only ? to : dirNameBytes(to));
  // On the file system of the target: what is missing in between will be part of it.
  const name = `${STAGE_PREFIX}${request.snapshotId.slice(0, 8)}-${root.name}`;
  const stage = joinBytes(base, asBytePath(name));
  const part = (staged: BytePath, target: BytePath): PlacedPart => ({
    staged,
    target,
    aside: isThere(target) ? asBytePath(`${target}.before-stateferry-${request.stamp}`) : undefined,
  });
  return {
    root,
    from: parseShownPath(root.path),
    to,
    stage,
    base,
    missing,
    isPartial: only !== undefined,
    parts: only?.map((entry) => part(joinBytes(stage, entry), joinBytes(to, entry))) ?? [
      part(stage, to),
    ],
  };
}
