/**
 * Swapping the staged trees of one install, or of several at once, in by rename, with a journal: after a crash at any
 * point the next run finishes what was begun, so that it is either all old or all new. A step that fails takes the
 * others back. What was there before is moved aside, never deleted.
 */
import { showPath, type BytePath } from '../../base/byte-path.ts';
import { assert, FerryError, messageOf, systemCode } from '../../base/errors.ts';
import type { FerryEvent } from '../../base/events.ts';
import { shellWord } from '../../base/shell-word.ts';
import { standsThere } from '../../fs/identity.ts';
import { isOutOfSpace } from '../../fs/out-of-space.ts';
import { asOwnerOf } from '../../fs/own-file.ts';
import { removeFolder } from '../../fs/private-folder.ts';
import { isThere, performSteps, takeBackSteps, type SwapStep } from '../../fs/swap-steps.ts';
import {
  isInterrupted,
  journalsIn,
  refuseForeign,
  writeJournal,
  type Journal,
  type JournalFile,
} from './journal.ts';

/** How files are moved: with whose rights. */
export type MoveFiles = <T>(move: () => T) => T;
const asWeAre: MoveFiles = (move) => move();

/** @param file where the journal is kept until an undo is no longer wanted */
export function swap(
  file: BytePath,
  parts: Omit<Journal, 'format' | 'state'>,
  moveFiles: MoveFiles = asWeAre,
): Journal {
  const swapping: Journal = { format: 1, state: 'swapping', ...parts };
  writeJournal(file, swapping);
  return finish({ file, journal: swapping }, moveFiles);
}

/** Moves what the swap placed aside, and what it had moved aside back. */
export function undoSwap(
  { file, journal }: JournalFile,
  undo: NonNullable<Journal['undo']>,
): Journal {
  assert(journal.state === 'done', 'what is undone was done');
  const undoing: Journal = { ...journal, state: 'undoing', undo };
  return asOwnerOf(file, () => {
    writeJournal(file, undoing);
    return finish({ file, journal: undoing });
  });
}

/** Removes what the swap had moved aside, also after it was interrupted at that: nothing can be undone after it. */
export function discardAside({ file, journal }: JournalFile): void {
  assert(journal.state === 'done' || journal.state === 'discarding', 'it is kept until now');
  asOwnerOf(file, () => {
    writeJournal(file, { ...journal, state: 'discarding' });
    for (const { to } of keptAside(journal)) removeAside(to);
    writeJournal(file, { ...journal, state: 'discarded' });
  });
}

function removeAside(path: BytePath): void {
  try {
    removeFolder(path);
  } catch (error) {
    throw new FerryError('file-write', `cannot remove ${showPath(path)}: ${messageOf(error)}`, {
      hint: `Another user may have to: rm -rf ${shellWord(path)} — then run the same again.`,
      cause: error,
    });
  }
}

/** Completes everything that was interrupted. Answers what it completed. */
export function finishInterruptedSwaps(directory: string): Journal[] {
  return journalsIn(directory)
    .filter(isInterrupted)
    .map((interrupted) => {
      refuseForeign(interrupted.file);
      return finishAsOwner(interrupted);
    });
}

function finishAsOwner(interrupted: JournalFile): Journal {
  const { file } = interrupted;
  try {
    return asOwnerOf(file, () => finish(interrupted));
  } catch (error) {
    if (error instanceof FerryError || systemCode(error) === undefined) throw error;
    throw new FerryError(
      'target-unsafe',
      `${showPath(file)} says what its owner may not do: ${messageOf(error)}`,
      {
        hint: 'It says which folders a pull was moving. Look at it before you delete it.',
        cause: error,
      },
    );
  }
}

export function completedNotice({ state, installs }: Journal): FerryEvent {
  const verb = state === 'undone' ? 'undo' : 'pull';
  const names = installs.map(({ install }) => install).join(', ');
  const message = `completed the ${verb} of ${names} that was interrupted`;
  return { type: 'notice', code: 'swap-completed', message };
}

function finish({ file, journal }: JournalFile, moveFiles: MoveFiles = asWeAre): Journal {
  switch (journal.state) {
    case 'swapping': {
      const ended = { done: 'done', back: 'taken back' } as const;
      const what = 'the new files could not be put in place';
      return perform({ file, journal }, journal.steps, ended, what, moveFiles);
    }
    case 'undoing': {
      assert(journal.undo, 'an undo knows its steps');
      const ended = { done: 'undone', back: 'done' } as const;
      const what = 'what was here before could not be put back';
      return perform({ file, journal }, journal.undo.steps, ended, what, moveFiles);
    }
    default:
      return journal;
  }
}

/** What a journal moved aside that is still there, and still what it moved. */
export const keptAside = ({ steps }: Journal): Extract<SwapStep, { kind: 'aside' }>[] =>
  steps
    .filter((step) => step.kind === 'aside')
    .filter(({ to, identity }) => (identity ? standsThere(identity, to) : isThere(to)));

function perform(
  { file, journal }: JournalFile,
  steps: readonly SwapStep[],
  ended: { readonly done: Journal['state']; readonly back: Journal['state'] },
  what: string,
  moveFiles: MoveFiles,
): Journal {
  let downtimeMs: number;
  try {
    downtimeMs = moveFiles(() => performSteps(steps));
  } catch (error) {
    // Where something stands in the way, the journal stays as it is, and the next run tries again.
    if (moveFiles(() => takeBackSteps(steps))) written(file, { ...journal, state: ended.back });
    else throw halfway(what, error, steps);
    throw takenBack(what, error);
  }
  return written(file, { ...journal, state: ended.done, downtimeMs });
}

function written(file: BytePath, journal: Journal): Journal {
  writeJournal(file, journal);
  return journal;
}

function takenBack(what: string, error: unknown): FerryError {
  const known = error instanceof FerryError ? error : undefined;
  const code = isOutOfSpace(error) ? 'no-space' : 'target-unsafe';
  return new FerryError(known?.code ?? code, `${what}: ${messageOf(error)}`, {
    hint: known?.hint ?? 'Everything is where it was before; run the same again.',
    cause: error,
  });
}

function halfway(what: string, error: unknown, steps: readonly SwapStep[]): FerryError {
  const inTheWay = steps.find((step) => step.kind === 'aside' && isThere(step.to));
  const place = inTheWay?.kind === 'aside' ? showPath(inTheWay.from) : '';
  return new FerryError('target-unsafe', `${what}: ${messageOf(error)}`, {
    hint: `Move ${place} out of the way, and run the same again: it goes on where it stopped.`,
    cause: error,
  });
}
