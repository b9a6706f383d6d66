/** Names that were two on the old machine and are one on the file system here: one of them would be lost. */
import { baseNameBytes, showPath, toFsPath, type BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { isOneName } from '../../fs/one-name.ts';
import { collisionFinder, type CaseCollision } from '../../fs/safe-path.ts';
import { statIfAny } from '../../gateway/disk/read.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import type { PlacedRoot, Placement } from './placement.ts';
import { targetOf } from './placement.ts';

export type IsOneName = typeof isOneName;

/**
 * @param own a folder of ours: where it is on the same file system it is the one that is tried, not the user's
 * @throws target-unsafe, with every pair by name
 */
export async function refuseCollisions(
  { roots }: Placement,
  snapshot: SnapshotReader,
  own: BytePath,
  isOne: IsOneName = isOneName,
): Promise<void> {
  const pairs: string[] = [];
  for (const placed of roots.filter(({ isBrought }) => !isBrought)) {
    for await (const { first, second } of alike(placed, snapshot)) {
      if (
        !isOne(
          isSameDisk(own, placed.base) ? own : placed.base,
          baseNameBytes(first),
          baseNameBytes(second),
        )
      )
        continue;
      pairs.push(`${shown(placed, first)} and ${showPath(baseNameBytes(second))}`);
      if (pairs.length >= PAIRS_MAX) throw refused(pairs);
    }
  }
  if (pairs.length > 0) throw refused(pairs);
}

const isSameDisk = (one: BytePath, other: BytePath): boolean =>
  statIfAny(toFsPath(one))?.dev === statIfAny(toFsPath(other))?.dev;

/** More are of no use to anybody. */
const PAIRS_MAX = 20;

/** Pairs that some file system takes for one name; rare, so that it is asked about each. */
async function* alike(placed: PlacedRoot, snapshot: SnapshotReader): AsyncGenerator<CaseCollision> {
  const { root, below, only } = targetOf(placed);
  const collide = collisionFinder();
  for await (const { path } of snapshot.entries(root, below)) {
    if (only && !only(path)) continue;
    const collision = collide(path);
    if (collision) yield collision;
  }
}

const shown = ({ root }: PlacedRoot, path: BytePath): string => `${root.name}/${showPath(path)}`;

const refused = (pairs: readonly string[]): FerryError =>
  new FerryError(
    'target-unsafe',
    `on this file system these are one name, and one of them would be lost: ${pairs.join('; ')}`,
    {
      hint:
        'Rename one of each on the old machine and push again, or map their folder to a file ' +
        'system that tells them apart: --map OLD=NEW',
    },
  );
