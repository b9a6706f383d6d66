/** What was copied into another repository, or would be. */
import type { AnswerChoices } from '../answers.ts';
import { printableLine } from '../text/printable.ts';
import type { CopySummary } from '../summary.ts';
import {
  bytesText,
  countText,
  durationText,
  messageText,
  shortId,
  timeText,
} from '../text/words.ts';

export function copyLines(summary: CopySummary, { paint }: AnswerChoices): string[] {
  const { copied, present, problems, dryRun, to } = summary;
  return [
    ...copied.map(({ install, origin, files, bytes, pushed }) => {
      const name = `${printableLine(install)}@${printableLine(origin.machine)}`;
      const what = `${shortId(origin.snapshot)} of ${timeText(origin.time)} (${name})`;
      if (!pushed) return `would copy ${what}: ${countText(files, 'file')}, ${bytesText(bytes)}`;
      const cost = `${bytesText(pushed.bytesNew)} new, ${bytesText(pushed.bytesStored)} stored`;
      return `${paint.good('copied')} ${what} as ${shortId(pushed.id)}: ${cost}`;
    }),
    ...problems.map(
      ({ object, code, message }) =>
        `${paint.bad('not copied')} ${idOf(object)}: ${messageText(message)} (${code})`,
    ),
    `${countText(copied.length, 'snapshot')} ${dryRun ? 'to copy' : 'copied'} to ${printableLine(to)}; ` +
      `${present} were there already`,
    `took ${durationText(summary.durationMs)}`,
  ];
}

/** Of `snapshots/WRITER/ID`, as `stateferry snapshots` lists it. */
const idOf = (object: string): string => shortId(printableLine(object).split('/').at(-1) ?? '');
