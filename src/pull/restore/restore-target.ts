/** Which part of a root is restored, and where to. */
import { asBytePath, type BytePath } from '../../base/byte-path.ts';
import type { SnapshotRoot } from '../../format/snapshot.ts';

export type RestoreTarget = {
  readonly root: SnapshotRoot;
  /** Absolute; made when missing. */
  readonly stage: BytePath;
  /** Only what this says yes to, with its parent directories. */
  readonly only?: (path: BytePath) => boolean;
  /** Only what lies below this directory of the root, which is the top of the stage then. */
  readonly below?: BytePath;
};

/** Is an entry of the root one that this target wants? */
export const isMeant = ({ only, below = asBytePath('') }: RestoreTarget, path: BytePath): boolean =>
  (below === '' || path.startsWith(`${below}/`)) && (only?.(path) ?? true);

/** Its path in the stage. */
export const restOf = (below: BytePath, path: BytePath): BytePath =>
  below === '' ? path : asBytePath(path.slice(below.length + 1));
