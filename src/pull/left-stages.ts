/** What an interrupted pull has left of its stages: the same pull goes on with it, and nobody else needs it. */
import { baseNameBytes, showPath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { shellWord } from '../base/shell-word.ts';
import { folderBytes } from '../fs/folder-bytes.ts';
import { lstatIfAny } from '../gateway/disk/read.ts';
import { isInterrupted, journalsIn } from './journal.ts';
import { STAGE_PREFIX } from './placement.ts';

export type LeftStage = {
  readonly path: string;
  readonly bytes: number;
  /** The command that deletes it. */
  readonly remove: string;
};

export const isStageThere = (stage: BytePath): boolean =>
  baseNameBytes(stage).startsWith(STAGE_PREFIX) &&
  lstatIfAny(toFsPath(stage))?.isDirectory() === true;

/** Of these, without what a swap that was interrupted has yet to move. */
export function leftOf(stages: readonly BytePath[], journals: string): LeftStage[] {
  const moving = journalsIn(journals)
    .filter(isInterrupted)
    .flatMap(({ journal }) => journal.steps)
    .flatMap((step) => ('from' in step ? [step.from] : []));
  const isMoving = (stage: BytePath): boolean =>
    moving.some((from) => from === stage || from.startsWith(`${stage}/`));
  return stages
    .filter((stage) => isStageThere(stage) && !isMoving(stage))
    .map((stage) => ({
      path: showPath(stage),
      bytes: folderBytes(stage),
      remove: `rm -rf ${shellWord(stage)}`,
    }));
}
