/** The stage of an install: filled, counted, and its written-down paths repaired, before anything is swapped. */
import {
  baseNameBytes,
  dirNameBytes,
  showPath,
  toFsPath,
  type BytePath,
} from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { SnapshotBody } from '../format/snapshot.ts';
import { isThere, makeFolder } from '../fs/swap-steps.ts';
import { renameDurable } from '../fs/sync.ts';
import { loadConfig } from '../gateway/config/config-text.ts';
import { countInstall } from '../gateway/contents/count-install.ts';
import { locateIn } from '../gateway/disk/locate.ts';
import { isWithin } from '../gateway/disk/paths.ts';
import { lstatIfAny, readFileIfAny } from '../gateway/disk/read.ts';
import type { InstallCounts } from '../gateway/install/counts.ts';
import type { Notice } from '../gateway/install/install.ts';
import { compareCounts, failedCritical } from '../gateway/landing/checklist.ts';
import { besidePartial, expectedCounts, lostFiles } from '../gateway/landing/expected-counts.ts';
import type { PathRule } from '../gateway/relocate/path-map.ts';
import { planRelocation } from '../gateway/relocate/relocate.ts';
import type { NameChange, RelocationEdit, RelocationPlan } from '../gateway/relocate/relocation.ts';
import { stagedRoots } from '../gateway/relocate/staged-roots.ts';
import type { StagedRoot } from '../gateway/relocate/staged-roots.ts';
import type { Landing, PullDeps, PullRequest } from './landing.ts';
import type { PlacedRoot, Placement } from './placement.ts';
import { restoreTrees, type Restored } from './restore.ts';
import type { RestoreTarget } from './restore-target.ts';

/** All of it or nothing: an install with holes is never put in place. */
export async function stageInstall(
  request: PullRequest,
  placement: Placement,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Restored> {
  const { snapshot, site } = request;
  const own = placement.roots.filter(({ isBrought }) => !isBrought);
  for (const { stage, base } of own) makeBetween(base, stage, site.owner);
  const targets = own.map(targetOf);
  const restored = await restoreTrees(
    { snapshot, targets, ownerOf: () => site.owner, setIdAllowed: false },
    { ...deps, emit: fewProblems(deps.emit) },
    signal,
  );
  if (restored.problems.length === 0) return restored;
  deps.onDamage?.({ snapshot, packs: restored.packsLost });
  const count = restored.problems.length;
  const what = count === 1 ? 'a file of the snapshot' : `${count} files of the snapshot`;
  throw new FerryError('object-damaged', `${what} cannot be restored; nothing was changed`, {
    hint:
      'Pull an older snapshot (stateferry snapshots), or take what is whole: ' +
      'stateferry pull --into DIR',
  });
}

/** Thousands of lines would hide the error that follows them. */
function fewProblems(emit: Emit): Emit {
  let count = 0;
  return (event) => {
    if (event.type === 'problem') count += 1;
    if (event.type !== 'problem' || count <= PROBLEMS_NAMED_MAX) emit(event);
  };
}

const PROBLEMS_NAMED_MAX = 12;

/** What of a root is restored where; a folder that has another place is left out of it. */
export function targetOf({ root, stage, below, without }: PlacedRoot): RestoreTarget {
  const isElsewhere = (path: BytePath): boolean =>
    without.some((one) => path === one || path.startsWith(`${one}/`));
  return {
    root,
    stage,
    below,
    ...(without.length > 0 && { only: (path: BytePath) => !isElsewhere(path) }),
  };
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
      landing.placement.roots.map(({ name, stage }) => [name, stage]),
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
  const stages = new Map(placement.roots.map(({ name, stage }) => [name, stage]));
  const folders = placement.roots.filter(({ below }) => below !== '');
  return [
    ...stagedRoots(record, stages),
    ...folders.map(({ from, stage }) => ({ path: from, aliases: [], at: stage })),
  ];
}
