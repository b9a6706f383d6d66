/** What pulls have moved aside and an undo would put back: told at their end, and by `status` until it is gone. */
import { asBytePath, showPath, toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { shellWord } from '../../base/shell-word.ts';
import { folderBytes } from '../../fs/folder-bytes.ts';
import { lstatIfAny } from '../../gateway/disk/read.ts';
import { journalsIn, type Journal } from '../swap/journal.ts';
import { keptAside } from '../swap/swap.ts';

export type Kept = {
  /** What one pull put in place together. */
  readonly installs: readonly { readonly install: string; readonly snapshot: string }[];
  readonly since: string;
  readonly aside: readonly KeptPath[];
  /** Commands that do what undo does, for whom it refuses. */
  readonly byHand: readonly string[];
};

export type KeptPath = {
  /** Where it was, and will be again. */
  readonly path: string;
  readonly aside: string;
  readonly bytes: number;
};

export const keptOf = (journal: Journal): Kept => ({
  installs: journal.installs.map(({ install, snapshot }) => ({ install, snapshot })),
  since: journal.time,
  aside: keptAside(journal).map(({ from, to }) => ({
    path: showPath(from),
    aside: showPath(to),
    bytes: bytesAt(to),
  })),
  byHand: putBackCommands(journal),
});

/** What puts everything back by hand. */
export const putBackCommands = ({ steps, stamp }: Pick<Journal, 'steps' | 'stamp'>): string[] =>
  steps
    .filter((step) => step.kind === 'place')
    .map(({ to }) => {
      const away = `mv ${shellWord(to)} ${shellWord(asBytePath(`${to}.pulled-${stamp}`))}`;
      const aside = steps.find((step) => step.kind === 'aside' && step.from === to);
      return aside?.kind === 'aside'
        ? `${away} && mv ${shellWord(aside.to)} ${shellWord(to)}`
        : away;
    });

/** Of all pulls that can be undone, the last one first. */
export const keptIn = (directory: string): Kept[] =>
  journalsIn(directory)
    .filter(({ journal }) => journal.state === 'done')
    .map(({ journal }) => keptOf(journal))
    .toReversed();

export function bytesAt(path: BytePath): number {
  const stat = lstatIfAny(toFsPath(path));
  return stat?.isFile() === true ? stat.size : folderBytes(path);
}
