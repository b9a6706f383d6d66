/** The stage of an install: filled, counted, and its written-down paths repaired, before anything is swapped. */
import { dirNameBytes, showPath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import type { SnapshotBody } from '../format/snapshot.ts';
import { makeFolder } from '../fs/swap-steps.ts';
import { compareCounts, failedCritical } from '../gateway/checklist.ts';
import { loadConfig } from '../gateway/config-text.ts';
import { countInstall, type InstallCounts } from '../gateway/counts.ts';
import { besidePartial, expectedCounts, lostFiles } from '../gateway/expected-counts.ts';
import { lstatIfAny, readFileIfAny } from '../gateway/read.ts';
import { stagedRoots } from '../gateway/record.ts';
import { planRelocation, type RelocationPlan, type StagedRoot } from '../gateway/relocate.ts';
import { locateIn } from '../gateway/locate.ts';
import type { Landing, PullDeps, PullRequest } from './landing.ts';
import type { Placement } from './placement.ts';
import { restoreTrees, type Restored } from './restore.ts';

/** All of it or nothing: an install with holes is never put in place. */
export async function stageInstall(
  request: PullRequest,
  placement: Placement,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Restored> {
  const { snapshot, site } = request;
  for (const { stage, base } of placement.roots) makeBetween(base, stage, site.owner);
  const targets = placement.roots.map(({ root, stage }) => ({ root, stage }));
  const restored = await restoreTrees(
    { snapshot, targets, ownerOf: () => site.owner, setIdAllowed: false },
    deps,
    signal,
  );
  if (restored.problems.length === 0) return restored;
  throw new FerryError(
    'object-damaged',
    `${restored.problems.length} files of the snapshot cannot be restored; nothing was changed`,
    {
      hint:
        'Pull an older snapshot (stateferry snapshots), or take what is whole: ' +
        'stateferry pull --into DIR',
    },
  );
}

/** Folders between a stage and a root that is staged inside it. */
function makeBetween(base: BytePath, stage: BytePath, owner: PullRequest['site']['owner']): void {
  const parent = dirNameBytes(stage);
  if (parent.length <= base.length) return;
  makeBetween(base, parent, owner);
  makeFolder(parent, STAGED_FOLDER_MODE, owner);
  if (lstatIfAny(toFsPath(parent))?.isDirectory() === true) return;
  throw new FerryError('target-unsafe', `${showPath(parent)} is in the way of the stage`, {
    hint: 'Remove it: it is what an earlier pull left, or somebody else put it there.',
  });
}

/** What a snapshot has of them decides later; one that it left out stays private. */
const STAGED_FOLDER_MODE = 0o700;

export function relocationOf(request: PullRequest, landing: Landing): RelocationPlan {
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

/** What the stage holds, before paths are repaired: as the old machine would count it. */
export function countStage(landing: Landing): InstallCounts {
  const { record } = landing;
  const roots = rootsOnStage(landing);
  const locate = (path: string): BytePath | undefined => locateIn(roots, path);
  const config = loadConfig(record.configPath, (path) => {
    const at = locate(path.toString());
    return at === undefined ? undefined : readFileIfAny(toFsPath(at));
  });
  return countInstall({
    home: record.home,
    stateDir: record.stateDir,
    agents: record.agents,
    workspaces: record.countsBefore.workspaces.map(({ path }) => path),
    config: config.value,
    locate,
    isOmitted: besidePartial(
      landing.placement.roots.map(({ root, stage }) => [root.name, stage]),
      record,
    ),
  });
}

/** @throws checklist-failed when less is there than the snapshot promised */
export function refuseMissing({ record }: Landing, body: SnapshotBody, found: InstallCounts): void {
  const expected = expectedCounts(record, lostFiles(record, body), found);
  const [first, ...more] = failedCritical(compareCounts(expected, found, (path) => path, true));
  if (!first) return;
  throw new FerryError(
    'checklist-failed',
    `before the swap: ${first.check} should be ${first.expected} and is ${first.found}` +
      (more.length > 0 ? ` (and ${more.length} more)` : ''),
    {
      hint: 'Nothing was changed. Pull an older snapshot, or look at it: stateferry pull --into DIR',
    },
  );
}

function rootsOnStage({ record, placement }: Landing): StagedRoot[] {
  const stages = new Map(placement.roots.map(({ root, stage }) => [root.name, stage]));
  return stagedRoots(record, stages);
}
