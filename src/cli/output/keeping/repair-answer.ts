/** What a repair is about to do, and what it did. */
import type { AnswerChoices } from '../answers.ts';
import { problemLines, PUSH_AGAIN } from './check-answer.ts';
import { printableLine } from '../text/printable.ts';
import type { RepairPlanShown, RepairSummary } from './repair-summary.ts';
import { bytesText, countText, durationText } from '../text/words.ts';

export function repairPlanLines({ indexes, condemn, repository }: RepairPlanShown): string[] {
  const lines = indexes.flatMap(({ machine, packs, bad }) => {
    const what = `  index ${countText(packs, 'pack')} of ${printableLine(machine)}`;
    return [
      bad.length === 0
        ? what
        : `${what}, in place of ${countText(bad.length, 'bad index', 'bad indexes')}`,
    ];
  });
  const announced = condemn.map(
    (name) => `  announce ${name}: the next push stores its content again`,
  );
  const steps = [...lines, ...announced];
  return steps.length === 0 ? [] : [`${printableLine(repository)}:`, ...steps];
}

export function repairLines(summary: RepairSummary, { paint }: AnswerChoices): string[] {
  const { made, replaced, condemn, problems, refused, read } = summary;
  const done = [
    ...(made > 0 ? [`made ${countText(made, 'index', 'indexes')}`] : []),
    ...(replaced > 0 ? [`removed ${countText(replaced, 'bad index', 'bad indexes')}`] : []),
    ...(condemn.length > 0 ? [`announced ${countText(condemn.length, 'damaged object')}`] : []),
  ];
  const said =
    summary.dryRun === true && condemn.length + summary.indexes.length > 0
      ? 'nothing was changed: it is a dry run'
      : done.length === 0
        ? 'nothing to repair'
        : done.join(', ');
  const data =
    summary.readPercent === 0
      ? 'damage inside packs is found with --read-data'
      : `${countText(read.objects, 'pack')} read, ${bytesText(read.bytes)}`;
  return [
    ...refused.map(
      ({ object, message }) => `${paint.bad('refused')} ${object}: ${printableLine(message)}`,
    ),
    ...problems.flatMap((one) => problemLines(paint.bad('lost'), one)),
    problems.length + refused.length === 0 ? paint.good(said) : said,
    `${data}; took ${durationText(summary.durationMs)}`,
    ...(problems.length === 0 ? [] : PUSH_AGAIN),
  ];
}
