/** What a pull would edit: the few files that relocation looks at are staged apart and thrown away again. */
import { asBytePath, bytePathFromText, joinBytes, parseShownPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { removeFolder } from '../fs/private-folder.ts';
import type { RelocationPlan } from '../gateway/relocate.ts';
import type { Landing, PullDeps, PullRequest } from './landing.ts';
import { restoreTrees } from './restore.ts';
import { relocationOf } from './stage-install.ts';

export async function rehearseRelocation(
  request: PullRequest,
  landing: Landing,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<RelocationPlan> {
  const folder = bytePathFromText(`${request.journals}/rehearsal-${request.stamp}`);
  const { placement, record } = landing;
  const stageOf = (root: string): BytePath => asBytePath(`${folder}-${root}`);
  const roots = placement.roots.map((one) => ({ ...one, stage: stageOf(one.root.name) }));
  const targets = roots.map(({ root, stage, from }) => {
    const links = record.roots.flatMap(({ aliases }) => aliases.map(parseShownPath));
    const config = bytePathFromText(record.configPath);
    return {
      root,
      stage,
      only: (path: BytePath) => isLookedAt(path, joinBytes(from, path), [config, ...links]),
    };
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

/** The config and what it includes (beside it, as a rule), session indexes, one database, links to other roots. */
const LOOKED_AT = /^(sessions\.json|.*\/sessions\.json|[^/]*\.json5?|state\/openclaw\.sqlite)$/s;

const isLookedAt = (path: BytePath, full: BytePath, named: readonly BytePath[]): boolean =>
  LOOKED_AT.test(path) || named.some((one) => one === full || one.startsWith(`${full}/`));
