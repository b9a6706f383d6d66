/** Links through which the config reaches another root: their targets move with it. Other links are the user's own. */
import { readlinkSync } from 'node:fs';
import { asBytePath, toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { isAbsolutePath, restBelow } from '../disk/paths.ts';
import { lstatIfAny } from '../disk/read.ts';
import { movePath } from './path-map.ts';
import type { LinkChange, RelocationPlan, RelocationRequest } from './relocation.ts';

export function planLinkEdits(request: RelocationRequest): RelocationPlan {
  const edits = new Map<string, LinkChange>();
  for (const root of request.roots) {
    for (const name of [...root.aliases, ...(root.links ?? [])]) {
      const change = linkOnTheWay(request, name);
      if (change !== undefined) edits.set(change.at, change);
    }
  }
  return { edits: [...edits.values()], notices: [] };
}

/** The first link on the way from a root down to `alias`, if its absolute target moves. */
function linkOnTheWay(request: RelocationRequest, alias: BytePath): LinkChange | undefined {
  for (const outer of request.roots) {
    const rest = restBelow(outer.path, alias);
    if (rest === undefined || rest === '') continue;
    const segments = rest.slice(1).split('/');
    // No push names an alias so: it would lead out of the stage.
    if (segments.some((segment) => ['', '.', '..'].includes(segment))) continue;
    for (let count = 1; count <= segments.length; count += 1) {
      const below = `/${segments.slice(0, count).join('/')}`;
      const at = asBytePath(outer.at + below);
      if (lstatIfAny(toFsPath(at))?.isSymbolicLink() !== true) continue;
      const from = readlinkSync(toFsPath(at), 'utf8');
      const to = isAbsolutePath(from) ? movePath(request.map, from) : undefined;
      if (to === undefined || to === from) return undefined;
      const file = Buffer.from(outer.path + below, 'latin1').toString('utf8');
      return { kind: 'link', at, file, where: 'link target', from, to };
    }
  }
  return undefined;
}
