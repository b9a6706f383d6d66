/**
 * Swapping the staged trees of one install, or of several at once, in by rename, with a journal: after a crash at any
 * point the next pull finishes it, so that it is either all old or all new. A step that fails takes the others back.
 * What was there before is moved aside, never deleted.
 */
import { z } from 'zod';
import {
  bytePathFromText,
  parseShownPath,
  showPath,
  toFsPath,
  type BytePath,
} from '../base/byte-path.ts';
import { FerryError, messageOf } from '../base/errors.ts';
import { isOwn } from '../fs/own-file.ts';
import { isThere, performStep, takeBackStep, type SwapStep } from '../fs/swap-steps.ts';
import { writeFileDurable } from '../fs/sync.ts';
import { countsSchema } from '../gateway/counts.ts';
import { namesIn, readFileIfAny } from '../gateway/read.ts';

const path = z.string().transform(parseShownPath);
const owner = z.object({ uid: z.int(), gid: z.int() }).optional();
const stepSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('make'), to: path, mode: z.int(), owner }),
  z.object({ kind: z.literal('aside'), from: path, to: path }),
  z.object({ kind: z.literal('place'), from: path, to: path }),
  z.object({ kind: z.literal('discard'), from: path }),
]);

/** What a pull tells of an install at its end, also when another run finishes the swap. */
const swappedSchema = z.object({
  snapshot: z.string(),
  install: z.string(),
  placed: z.array(
    z.object({ root: z.string(), from: z.string(), to: z.string(), aside: z.array(z.string()) }),
  ),
  relocated: z.array(z.object({ file: z.string(), edits: z.int() })),
  /** In the stage, before anything was moved. */
  counted: countsSchema,
});
export type SwappedInstall = z.infer<typeof swappedSchema>;

const journalSchema = z.object({
  format: z.literal(1),
  /** When the swap began. */
  time: z.string(),
  /** `swapping` until every step is done, or taken back. */
  state: z.enum(['swapping', 'done', 'taken back']),
  /** All or none of them are in place. */
  installs: z.array(swappedSchema),
  /** Of all installs, in the order in which they are done. */
  steps: z.array(stepSchema),
  undo: z.array(z.string()),
});
export type Journal = Omit<z.infer<typeof journalSchema>, 'steps'> & {
  readonly steps: readonly SwapStep[];
};

/** @param file where the journal is kept until an undo is no longer wanted */
export function swap(file: BytePath, parts: Omit<Journal, 'format' | 'state'>): Journal {
  const swapping: Journal = { format: 1, state: 'swapping', ...parts };
  writeJournal(file, swapping);
  return finishSwap(file, swapping);
}

/** Completes every swap that was interrupted. Answers what it completed. */
export function finishInterruptedSwaps(directory: string): Journal[] {
  return interrupted(directory).map(({ file, journal }) => {
    if (isOwn(file)) return finishSwap(file, journal);
    throw new FerryError('target-unsafe', `${showPath(file)} was written by another user`, {
      hint: 'It moves folders: run the same pull as that user, who may move theirs, and then again.',
    });
  });
}

/** Names the installs whose swap waits to be completed. */
export const interruptedInstalls = (directory: string): string[] =>
  interrupted(directory).flatMap(({ journal }) => journal.installs.map(({ install }) => install));

function interrupted(directory: string): { file: BytePath; journal: Journal }[] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => bytePathFromText(`${directory}/${name}`))
    .map((file) => ({ file, journal: readJournal(file) }))
    .filter(({ journal }) => journal.state === 'swapping');
}

function finishSwap(file: BytePath, journal: Journal): Journal {
  try {
    for (const step of journal.steps) {
      if (!isOutdated(step, journal.steps)) performStep(step);
    }
  } catch (error) {
    for (const step of journal.steps.toReversed()) takeBackStep(step);
    writeJournal(file, { ...journal, state: 'taken back' });
    throw takenBack(error);
  }
  const done: Journal = { ...journal, state: 'done' };
  writeJournal(file, done);
  return done;
}

/**
 * A replay after a crash: once the stage is in place, what lies there is the new tree, and is not moved aside
 * whether or not there was anything to move the first time.
 */
const isOutdated = (step: SwapStep, steps: readonly SwapStep[]): boolean =>
  step.kind === 'aside' &&
  steps.some((one) => one.kind === 'place' && one.to === step.from && !isThere(one.from));

function takenBack(error: unknown): FerryError {
  const known = error instanceof FerryError ? error : undefined;
  const message = `the new files could not be put in place: ${messageOf(error)}`;
  const hint =
    known?.hint ?? 'Everything is where it was before; the stage is kept for another try.';
  return new FerryError(known?.code ?? 'target-unsafe', message, { hint, cause: error });
}

function readJournal(file: BytePath): Journal {
  const text = readFileIfAny(toFsPath(file))?.toString('utf8') ?? '';
  const parsed = journalSchema.safeParse(asJson(text));
  if (parsed.success) return parsed.data;
  throw new FerryError('target-unsafe', `${showPath(file)} is not a journal of this version`, {
    hint: 'It says which folders a pull was moving. Look at it before you delete it.',
  });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses it by name.
    return undefined;
  }
}

function writeJournal(file: BytePath, journal: Journal): void {
  const steps = journal.steps.map((step) =>
    Object.fromEntries(
      Object.entries(step).map(([key, value]) => [
        key,
        key === 'from' || key === 'to' ? showPath(value as BytePath) : value,
      ]),
    ),
  );
  writeFileDurable(file, `${JSON.stringify({ ...journal, steps }, undefined, 2)}\n`);
}
