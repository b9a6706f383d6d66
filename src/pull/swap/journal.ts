/**
 * What a swap moves, written down before it moves anything: enough to finish it after a crash, to undo it later, and
 * to tell what it was. A journal is a file of its own, kept until nothing can be undone any more.
 */
import { z } from 'zod';
import {
  bytePathFromText,
  parseShownPath,
  showPath,
  toFsPath,
  type BytePath,
} from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { isOwn } from '../../fs/own-file.ts';
import { removeFolder } from '../../fs/private-folder.ts';
import type { SwapStep } from '../../fs/swap-steps.ts';
import { writeFileDurable } from '../../fs/sync.ts';
import { namesIn, readFileIfAny } from '../../gateway/disk/read.ts';
import { countsSchema } from '../../gateway/install/counts.ts';

const path = z.string().transform(parseShownPath);
const owner = z.object({ uid: z.int(), gid: z.int() }).optional();
const identity = z
  .object({ kind: z.enum(['folder', 'file', 'other']), inode: z.string(), born: z.string() })
  .optional();
const stepsSchema = z.array(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('make'), to: path, mode: z.int(), owner }),
    z.object({ kind: z.literal('unmake'), from: path, mode: z.int(), owner }),
    z.object({ kind: z.literal('aside'), from: path, to: path, identity }),
    z.object({ kind: z.literal('place'), from: path, to: path, identity }),
    z.object({ kind: z.literal('keep'), from: path, to: path, identity }),
    z.object({ kind: z.literal('discard'), from: path }),
  ]),
);

/** What a pull tells of an install at its end, also when another run finishes the swap. */
const swappedSchema = z.object({
  snapshot: z.string(),
  install: z.string(),
  placed: z.array(
    z.object({ root: z.string(), from: z.string(), to: z.string(), aside: z.array(z.string()) }),
  ),
  /** The user's own path rules that it was pulled with. */
  mapped: z.array(z.object({ from: z.string(), to: z.string() })),
  relocated: z.array(z.object({ file: z.string(), edits: z.int() })),
  /** In the stage, before anything was moved. */
  counted: countsSchema,
  /** Whose gateway must not run while this is moved. */
  gateway: z.object({
    brand: z.string(),
    profile: z.string(),
    stateDir: z.string(),
    configPath: z.string(),
    port: z.int(),
  }),
});
export type SwappedInstall = z.infer<typeof swappedSchema>;

const journalSchema = z.object({
  format: z.literal(1),
  /** When the swap began. */
  time: z.string(),
  /** In names of what is moved: local time, as `20261121-080000`. */
  stamp: z.string(),
  /**
   * `swapping` → `done`, or `taken back` when a step failed; `done` → `undoing` → `undone`, or `done` again;
   * `done` → `discarding` → `discarded`: what was moved aside is no more.
   */
  state: z.enum(['swapping', 'taken back', 'done', 'undoing', 'undone', 'discarding', 'discarded']),
  /** All or none of them are in place. */
  installs: z.array(swappedSchema),
  /** Of all installs, in the order in which they are done. */
  steps: stepsSchema,
  /** From the first rename of the swap, or of its undoing, to the last. */
  downtimeMs: z.number().optional(),
  /** How the pull left what it placed. */
  asLeft: z.string().optional(),
  undo: z.object({ time: z.string(), steps: stepsSchema }).optional(),
});
type Parsed = z.infer<typeof journalSchema>;
export type Journal = Omit<Parsed, 'steps' | 'undo'> & {
  readonly steps: readonly SwapStep[];
  readonly undo?: { readonly time: string; readonly steps: readonly SwapStep[] } | undefined;
};

/** A journal and where it lies. */
export type JournalFile = { readonly file: BytePath; readonly journal: Journal };

/**
 * The oldest first.
 * @throws target-unsafe when there is one that cannot be read
 */
export const journalsIn = (directory: string): JournalFile[] =>
  namesIn(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => bytePathFromText(`${directory}/${name}`))
    .map((file) => ({ file, journal: readJournal(file) }))
    .toSorted((a, b) => (a.journal.time < b.journal.time ? -1 : 1));

/** A discard that was interrupted stands in nobody's way. */
export const isInterrupted = ({ journal: { state } }: JournalFile): boolean =>
  state === 'swapping' || state === 'undoing';

/** Names the installs whose swap, or the undoing of it, waits to be completed. */
export const interruptedInstalls = (directory: string): string[] =>
  journalsIn(directory).filter(isInterrupted).flatMap(installNames);

export const installNames = ({ journal }: JournalFile): string[] =>
  journal.installs.map(({ install }) => install);

/** @throws target-unsafe: what another user wrote down is done with that user's rights, which only root can take on */
export function refuseForeign(file: BytePath): void {
  if (isOwn(file) || process.geteuid?.() === 0) return;
  throw new FerryError('target-unsafe', `${showPath(file)} was written by another user`, {
    hint: 'It moves folders: run the same as that user, who may move theirs.',
  });
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

/** Before this returns, it is on the disk. */
export function writeJournal(file: BytePath, journal: Journal): void {
  const text = JSON.stringify(
    {
      ...journal,
      steps: journal.steps.map(shownStep),
      ...(journal.undo && { undo: { ...journal.undo, steps: journal.undo.steps.map(shownStep) } }),
    },
    undefined,
    2,
  );
  writeFileDurable(file, `${text}\n`);
}

const shownStep = (step: SwapStep): object => ({
  ...step,
  ...('from' in step && { from: showPath(step.from) }),
  ...('to' in step && { to: showPath(step.to) }),
});

/** Forgets journals of these installs that nothing can be undone by. */
export function removeEnded(directory: string, installs: ReadonlySet<string>): void {
  for (const one of journalsIn(directory)) {
    const isEnded = ['taken back', 'undone', 'discarded'].includes(one.journal.state);
    const isOfThese = installNames(one).every((install) => installs.has(install));
    if (isEnded && isOfThese && isOwn(one.file)) removeFolder(one.file);
  }
}
