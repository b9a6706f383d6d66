/** What is repaired in the stage of an install: the paths that were written down, and names that are others here. */
import { baseNameBytes, showPath, type BytePath } from '../../base/byte-path.ts';
import { isThere } from '../../fs/swap-steps.ts';
import { renameDurable } from '../../fs/sync.ts';
import { isWithin } from '../../gateway/disk/paths.ts';
import type { Notice } from '../../gateway/install/install.ts';
import type { PathRule } from '../../gateway/relocate/path-map.ts';
import { planRelocation } from '../../gateway/relocate/relocate.ts';
import type {
  NameChange,
  RelocationEdit,
  RelocationPlan,
} from '../../gateway/relocate/relocation.ts';
import type { Placement } from '../places/placement.ts';
import type { Landing, PullRequest } from '../plan/landing.ts';
import { rootsOnStage } from './roots-on-stage.ts';

export function relocationOf(request: PullRequest, landing: Landing): RelocationPlan {
  const plan = relocationOfTexts(request, landing);
  const name = (path: BytePath): string => showPath(baseNameBytes(path));
  const names = landing.placement.renamed.map(({ file, from, to }): NameChange => ({
    kind: 'name',
    at: from,
    file,
    where: 'name',
    from: name(from),
    to: name(to),
  }));
  const edits = [...plan.edits, ...names];
  return { edits, notices: [...plan.notices, ...unusedRules(request, landing, edits)] };
}

/** After the edits. A kill leaves what the next try restores again, under the names of the snapshot. */
export function renameStaged({ renamed }: Placement): void {
  for (const { from, to, occupant } of renamed) {
    if (!isThere(from)) continue;
    if (occupant && isThere(to)) renameDurable(to, occupant);
    renameDurable(from, to);
  }
}

function relocationOfTexts(request: PullRequest, landing: Landing): RelocationPlan {
  const { record, placement } = landing;
  return planRelocation({
    roots: rootsOnStage(landing),
    map: placement.map,
    oldHome: record.home,
    newHome: request.site.home,
    stateDir: record.stateDir,
    configPath: record.configPath,
    agents: record.agents,
  });
}

/** A rule that was mistyped would otherwise do nothing without a word. */
function unusedRules(
  { own = [] }: PullRequest,
  { placement, record }: Landing,
  edits: readonly RelocationEdit[],
): Notice[] {
  const isUsed = ({ from }: PathRule): boolean =>
    placement.roots.some((placed) => isWithin(from, textOf(placed.from))) ||
    isWithin(from, record.configPath) ||
    edits.some((edit) => isWithin(from, edit.from));
  return own
    .filter((rule) => !isUsed(rule))
    .map(({ from, to }) => ({
      code: 'map-unused',
      message: `--map ${from}=${to} moves nothing of this snapshot`,
      hint: 'OLD is a path of the old machine: stateferry ls SNAPSHOT shows them.',
    }));
}

const textOf = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');
