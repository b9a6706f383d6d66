/** The path map of a pull: the user's own rules, then what another name asks for, then from home to home. */
import { parseShownPath } from '../../base/byte-path.ts';
import type { SnapshotBody } from '../../format/snapshot.ts';
import { isWithin } from '../../gateway/disk/paths.ts';
import type { GatewayRecord } from '../../gateway/install/record.ts';
import { movePath, pathMap, type PathMap, type PathRule } from '../../gateway/relocate/path-map.ts';

export type MoveRules = {
  readonly home: string;
  /** The user's own, then those of a renaming: each may take a folder out of the root that holds it. */
  readonly wanted: readonly PathRule[];
};

export function moveMap(body: SnapshotBody, record: GatewayRecord, rules: MoveRules): PathMap {
  const wanted = [...rules.wanted, { from: pathText(body.install.home), to: rules.home }];
  const known = pathMap(wanted);
  const roots = record.roots.filter(({ only }) => only === null).map(({ path }) => pathText(path));
  const travels = (name: string): boolean => roots.some((root) => isWithin(root, name));
  // Names of a root (through links) follow the root: those that no rule knows, and links that do not come along.
  const ofLinks = record.roots.flatMap(({ path, aliases, only }) => {
    const names = only === null ? [path, ...aliases].map(pathText) : [];
    const to = names.map((name) => movePath(known, name)).find((moved) => moved !== undefined);
    if (to === undefined) return [];
    return names
      .filter((name) => movePath(known, name) === undefined || !travels(name))
      .map((from) => ({ from, to }));
  });
  return pathMap([...wanted, ...ofLinks]);
}

/** A shown path as the text that configs have for it. */
export const pathText = (shown: string): string =>
  Buffer.from(parseShownPath(shown), 'latin1').toString('utf8');
