/** The stage of an install is filled: all that its snapshot holds, beside the places where it will be. */
import { dirNameBytes, showPath, toFsPath, type BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { makeFolder } from '../../fs/swap-steps.ts';
import { lstatIfAny } from '../../gateway/disk/read.ts';
import { targetOf } from '../places/placement.ts';
import type { Placement } from '../places/placement.ts';
import type { PullDeps, PullRequest } from '../plan/landing.ts';
import { restoreTrees, type Restored } from '../restore/restore.ts';

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
