/** What a check found. */
import type { AnswerChoices } from './answers.ts';
import { printableLine } from './printable.ts';
import type { CheckSummary } from './summary.ts';
import { bytesText, countText, durationText, messageText } from './words.ts';

export function checkLines(summary: CheckSummary, { paint }: AnswerChoices): string[] {
  const { problems, read } = summary;
  const of = `${countText(summary.snapshots, 'snapshot')} in ${countText(summary.packs, 'pack')}`;
  const data =
    summary.readPercent === 0
      ? 'structure only; --read-data reads the content too'
      : `${countText(read.objects, 'pack')} read, ${bytesText(read.bytes)}`;
  return [
    ...problems.map(
      ({ object, code, message }) =>
        `${paint.bad('problem')} ${printableLine(object)}: ${messageText(message)} (${code})`,
    ),
    problems.length === 0
      ? `${paint.good('no problems')} in ${of}${summary.ownOnly ? ' of this machine' : ''}`
      : `${countText(problems.length, 'problem')} in ${of}`,
    `${data}; took ${durationText(summary.durationMs)}`,
  ];
}
