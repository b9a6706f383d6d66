/** What a check found. */
import type { AnswerChoices } from '../answers.ts';
import { printableLine } from '../text/printable.ts';
import type { CheckSummary } from '../summary.ts';
import { bytesText, countText, durationText, messageText } from '../text/words.ts';

export function checkLines(summary: CheckSummary, { paint }: AnswerChoices): string[] {
  const { problems, read } = summary;
  const of = `${countText(summary.snapshots, 'snapshot')} in ${countText(summary.packs, 'pack')}`;
  const data =
    summary.readPercent === 0
      ? 'structure only; --read-data reads the content too'
      : `${countText(read.objects, 'pack')} read, ${bytesText(read.bytes)}`;
  return [
    ...problems.flatMap((one) => problemLines(paint.bad('problem'), one)),
    problems.length === 0
      ? `${paint.good('no problems')} in ${of}${summary.ownOnly ? ' of this machine' : ''}`
      : `${countText(problems.length, 'problem')} in ${of}`,
    `${data}; took ${durationText(summary.durationMs)}`,
    ...nextLines(summary),
  ];
}

/** A repair reads nothing unless told to, and would not find again what only reading shows. */
function nextLines({ problems, announced, readPercent }: CheckSummary): string[] {
  const repairable = problems.filter(({ code }) => REPAIRABLE.has(code));
  if (repairable.length === 0) return [];
  if (repairable.every(({ object }) => announced.includes(object))) return PUSH_AGAIN;
  const command = readPercent > 0 ? 'stateferry repair --read-data' : 'stateferry repair';
  return [`next: ${command} has damaged content pushed again, where its machine still has it`];
}

const REPAIRABLE = new Set(['object-damaged', 'object-missing']);

/** After a repair: what is left to do, and what becomes of the snapshots that it cannot help. */
export const PUSH_AGAIN = [
  'next: stateferry push on each machine stores again what it still has, for its new snapshots;',
  'an old one that stays without it goes with its keep rules, or at once: stateferry forget ID',
];

/** What is wrong, and below it what that costs. */
export function problemLines(
  title: string,
  { object, code, message }: CheckSummary['problems'][number],
): string[] {
  const [why = '', ...cost] = message.split('; ');
  return [
    `${title} ${printableLine(object)}: ${messageText(why)} (${code})`,
    ...(cost.length === 0 ? [] : [`  ${messageText(cost.join('; '))}`]),
  ];
}
