/** The roots of a snapshot where they lie now: in a stage, or already in their places. */
import { parseShownPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import type { LocatedRoot } from '../disk/locate.ts';
import type { GatewayRecord } from '../install/record.ts';

export type StagedRoot = LocatedRoot & {
  /** Links to files of the install. */
  readonly links?: readonly BytePath[];
};

/** The roots of a record where they lie now; those that are not there are left out. */
export function stagedRoots(
  record: GatewayRecord,
  at: ReadonlyMap<string, BytePath>,
): StagedRoot[] {
  return record.roots.flatMap((root) => {
    const place = at.get(root.name);
    if (place === undefined) return [];
    const path = parseShownPath(root.path);
    const aliases = root.aliases.map(parseShownPath);
    const links = (root.links ?? []).map(parseShownPath);
    return [{ path, aliases, links, at: place }];
  });
}
