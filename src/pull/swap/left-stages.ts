/** What an interrupted pull has left of its stages: the same pull goes on with it, and nobody else needs it. */
import {
  asBytePath,
  baseNameBytes,
  joinBytes,
  showPath,
  toFsPath,
  type BytePath,
} from '../../base/byte-path.ts';
import { shellWord } from '../../base/shell-word.ts';
import { folderBytes } from '../../fs/folder-bytes.ts';
import { lstatIfAny, namesIn } from '../../gateway/disk/read.ts';
import { STAGE_PREFIX, type Placement } from '../places/placement.ts';
import { isInterrupted, journalsIn } from './journal.ts';

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

/** Stages of other pulls beside ours: nobody completes them any more once this snapshot has landed. */
export function leftStages({ roots }: Placement): { shown: string; quoted: string }[] {
  return [...new Set(roots.map(({ base }) => base))].flatMap((base) =>
    namesIn(toFsPath(base))
      .filter((name) => name.startsWith(STAGE_PREFIX))
      .map((name) => joinBytes(base, asBytePath(name)))
      .map((path) => ({ shown: showPath(path), quoted: shellWord(path) })),
  );
}
