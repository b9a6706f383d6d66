/**
 * What a swap and its undoing are made of. Every step can be repeated after a crash, and all but `discard` can be taken
 * back.
 */
import { chmodSync, lchownSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { dirNameBytes, showPath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { FerryError, systemCode } from '../base/errors.ts';
import { identityOf, standsThere, type Identity } from './identity.ts';
import { removeFolder } from './private-folder.ts';
import { syncNames } from './sync.ts';

export type FolderOwner = { readonly uid: number; readonly gid: number } | undefined;

type Folder = { readonly mode: number; readonly owner?: FolderOwner };
type Move = {
  readonly from: BytePath;
  readonly to: BytePath;
  /** Of what is moved, before it is. */
  readonly identity?: Identity | undefined;
};

export type SwapStep =
  /** A folder above a target that is not there yet. */
  | ({ readonly kind: 'make'; readonly to: BytePath } & Folder)
  /** A folder that was made so, unless there is something in it. */
  | ({ readonly kind: 'unmake'; readonly from: BytePath } & Folder)
  /** What is there now, out of the way; only if something is there. */
  | ({ readonly kind: 'aside' } & Move)
  | ({ readonly kind: 'place' } & Move)
  /** Out of what was moved aside, back to where it was: somebody else's, and undone the other way round. */
  | ({ readonly kind: 'keep' } & Move)
  /** What is left of a stage. */
  | { readonly kind: 'discard'; readonly from: BytePath };

/**
 * In their order. What was renamed is on the disk when this returns; in between, the journal is what a power cut
 * leaves to go by.
 * @returns how long it took from the first rename to the last, in whole ms
 * @throws target-unsafe when something is where nothing was, or the other way round
 */
export function performSteps(steps: readonly SwapStep[]): number {
  let firstNs: bigint | undefined;
  let lastNs = 0n;
  for (const step of steps) {
    const startNs = process.hrtime.bigint();
    if (step.kind === 'discard') syncMoved(steps);
    if (!isOutdated(step, steps)) performStep(step);
    if (!isMove(step)) continue;
    firstNs ??= startNs;
    lastNs = process.hrtime.bigint();
  }
  syncMoved(steps);
  return firstNs === undefined ? 0 : Math.ceil(Number(lastNs - firstNs) / NS_PER_MS);
}

const NS_PER_MS = 1_000_000;

/**
 * As if the steps had never been; nothing happens for one that was not performed.
 * @returns false when something stands in the way, so that what was moved aside is not back
 */
export function takeBackSteps(steps: readonly SwapStep[]): boolean {
  for (const step of steps.toReversed()) takeBackStep(step);
  syncMoved(steps);
  return steps.every((step) => step.kind !== 'aside' || !isThere(step.to));
}

const isMove = (step: SwapStep): step is SwapStep & Move =>
  step.kind === 'aside' || step.kind === 'place' || step.kind === 'keep';

function syncMoved(steps: readonly SwapStep[]): void {
  syncNames(steps.filter(isMove).flatMap(({ from, to }) => [from, to]));
}

/**
 * A replay after a crash: once the stage is in place, what lies there is the new tree, and is not moved aside
 * whether or not there was anything to move the first time.
 */
const isOutdated = (step: SwapStep, steps: readonly SwapStep[]): boolean =>
  step.kind === 'aside' &&
  steps.some((one) => one.kind === 'place' && one.to === step.from && isPlaced(one));

const isPlaced = ({ from, to, identity }: Move): boolean =>
  !isThere(from) && (identity === undefined ? isThere(to) : standsThere(identity, to));

function performStep(step: SwapStep): void {
  switch (step.kind) {
    case 'make':
      return makeFolder(step.to, step.mode, step.owner);
    case 'unmake':
      return removeIfEmpty(step.from);
    case 'aside':
      return moveAside(step.from, step.to);
    case 'place':
    case 'keep':
      return place(step);
    case 'discard':
      return removeFolder(step.from);
  }
}

function takeBackStep(step: SwapStep): void {
  if (step.kind === 'make') removeIfEmpty(step.to);
  if (step.kind === 'unmake') makeFolder(step.from, step.mode, step.owner);
  if (!isMove(step)) return;
  if (isThere(step.to) && !isThere(step.from)) rename(step.to, step.from);
}

export const isThere = (path: BytePath): boolean => identityOf(path) !== undefined;

const rename = (from: BytePath, to: BytePath): void => renameSync(toFsPath(from), toFsPath(to));

/** One folder; its parent is there. One that is there already stays as it is. */
export function makeFolder(path: BytePath, mode: number, owner: FolderOwner): void {
  try {
    mkdirSync(toFsPath(path), { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return;
  }
  if (owner) lchownSync(toFsPath(path), owner.uid, owner.gid);
  chmodSync(toFsPath(path), mode & 0o3777);
}

/** The innermost folder above `path`, or itself, that is there; and what is missing below it, outermost first. */
export function folderAbove(path: BytePath): {
  readonly there: BytePath;
  readonly missing: readonly BytePath[];
} {
  const missing: BytePath[] = [];
  let there = path;
  while (there !== '' && !isThere(there)) {
    missing.unshift(there);
    there = dirNameBytes(there);
  }
  return { there: there === '' ? ('/' as BytePath) : there, missing };
}

function moveAside(from: BytePath, to: BytePath): void {
  // Done before a crash; what is at the old place now is looked at by the step that wants it.
  if (isThere(from) && !isThere(to)) rename(from, to);
}

function place(move: Move): void {
  const { from, to } = move;
  if (isThere(from) && !isThere(to)) return rename(from, to);
  if (isPlaced(move)) return;
  if (!isThere(from)) {
    throw new FerryError('target-unsafe', `${showPath(from)} vanished before it was put in place`, {
      hint: 'Everything is where it was before.',
    });
  }
  throw new FerryError('target-unsafe', `${showPath(to)} came into being at the same time`, {
    hint: 'Is a gateway running? Stop it, move this out of the way, and run the same again.',
  });
}

export function removeIfEmpty(path: BytePath): void {
  try {
    rmdirSync(toFsPath(path));
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? ''))
      throw error;
  }
}
