/** What a pull would edit: the few files that relocation looks at are staged apart and thrown away again. */
import { asBytePath, bytePathFromText, joinBytes, parseShownPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { removeFolder } from '../../fs/private-folder.ts';
import type { RelocationPlan } from '../../gateway/relocate/relocation.ts';
import { targetOf } from '../places/placement.ts';
import type { Landing, PullDeps, PullRequest } from '../plan/landing.ts';
import { restoreTrees } from '../restore/restore.ts';
import { relocationOf } from './relocate-stage.ts';

export async function rehearseRelocation(
  request: PullRequest,
  landing: Landing,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<RelocationPlan> {
  const folder = bytePathFromText(`${request.journals}/rehearsal-${request.stamp}`);
  const { placement, record } = landing;
  const stageOf = (root: string): BytePath => asBytePath(`${folder}-${root}`);
  const roots = placement.roots.map((one, index) => ({ ...one, stage: stageOf(`${index}`) }));
  const targets = roots.map((placed) => {
    const { root, from, below } = placed;
    const target = targetOf(placed);
    const links = record.roots.flatMap(({ aliases }) => aliases.map(parseShownPath));
    const config = bytePathFromText(record.configPath);
    const only = (path: BytePath): boolean => {
      const rest = below === '' ? path : asBytePath(path.slice(below.length + 1));
      const isHere = target.only?.(path) ?? true;
      return isHere && isLookedAt(rest, joinBytes(from, rest), [config, ...links]);
    };
    return { ...target, root, only };
  });
  try {
    await restoreTrees(
      { snapshot: request.snapshot, targets, ownerOf: () => undefined, setIdAllowed: false },
      deps,
      signal,
    );
    return relocationOf(request, { ...landing, placement: { ...placement, roots } });
  } finally {
    for (const { stage } of roots) removeFolder(stage);
  }
}

/** The config with its variables and includes, session indexes, one database, links to other roots. */
const LOOKED_AT =
  /^(\.env|sessions\.json|.*\/sessions\.json|[^/]*\.json5?|state\/openclaw\.sqlite)$/s;

const isLookedAt = (path: BytePath, full: BytePath, named: readonly BytePath[]): boolean =>
  LOOKED_AT.test(path) || named.some((one) => one === full || one.startsWith(`${full}/`));
