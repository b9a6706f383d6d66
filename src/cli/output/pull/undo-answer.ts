/** What an undo or a discard is about to do, and what it did. */
import type { AnswerChoices } from '../answers.ts';
import type { UndoPlanShown } from '../output.ts';
import { printableLine } from '../text/printable.ts';
import type { UndoSummary, WayBack } from './summary.ts';
import { bytesText, durationText, shortId, timeText } from '../text/words.ts';

export function undoPlanLines(plan: UndoPlanShown): string[] {
  if (plan.verb === 'discard') {
    return plan.kept.flatMap((one) => [`remove what ${pullText(one)} keeps:`, ...keptLines(one)]);
  }
  return [
    `undo ${pullText(plan)}:`,
    ...plan.pulled.map((one) => moveLine(one.path, one.aside, one.bytes)),
    ...plan.putBack.map((one) => moveLine(one.aside, one.path, one.bytes)),
    ...plan.gateways.map(
      ({ why, startsAgain }) =>
        `  the gateway that runs (${printableLine(why)}) is stopped${startsAgain ? ', and started again' : ''}`,
    ),
    ...plan.services.map((name) => `  its service ${name}, which the pull made, is taken away`),
  ];
}

const moveLine = (from: string, to: string, bytes: number): string =>
  `  ${printableLine(from)} → ${printableLine(to)} (${bytesText(bytes)})`;

const namesOf = (installs: UndoSummary['installs']): string =>
  [...new Set(installs.map(({ install }) => printableLine(install)))].join(', ');

function pullText({ installs, since }: Pick<UndoSummary, 'installs' | 'since'>): string {
  const ids = [...new Set(installs.map(({ snapshot }) => shortId(snapshot)))].join(', ');
  const when = since === null ? '' : ` of ${timeText(since)}`;
  return `the pull${when} (${namesOf(installs)} from ${ids})`;
}

export function undoLines(summary: UndoSummary, { paint }: AnswerChoices): string[] {
  const { installs, putBack, pulled, discarded, dryRun, downtimeMs } = summary;
  if (installs.length === 0) return [nothingLine(summary)];
  if (putBack.length === 0 && pulled.length === 0) {
    const done = dryRun === true ? 'would remove' : 'removed';
    return discarded.length === 0
      ? [`nothing was kept aside of ${pullText(summary)}; it is not undone any more`]
      : discarded.map((one) => `${done} ${printableLine(one.path)} (${bytesText(one.bytes)})`);
  }
  const took = dryRun === true ? '' : ` in ${durationText(downtimeMs)}`;
  return [
    `${paint.good(dryRun === true ? 'would undo' : 'undone')}${took}: ${pullText(summary)}`,
    ...movedBackLines(summary),
  ];
}

export const movedBackLines = ({
  putBack,
  pulled,
}: Pick<UndoSummary, 'putBack' | 'pulled'>): string[] => [
  ...putBack.map((one) => `  back: ${printableLine(one.path)} (${bytesText(one.bytes)})`),
  ...pulled.flatMap((one) => [
    `  what was pulled is kept: ${printableLine(one.aside)} (${bytesText(one.bytes)})`,
    `    to remove it: ${printableLine(one.remove)}`,
  ]),
];

export const keptLines = ({ aside }: Pick<WayBack, 'aside'>): string[] =>
  aside.map((one) => `  kept aside: ${printableLine(one.aside)} (${bytesText(one.bytes)})`);

function nothingLine({ lastPull }: UndoSummary): string {
  if (lastPull === null) return 'nothing to undo: no pull keeps anything on this machine';
  const became = {
    undone: 'was undone already',
    discarded: 'was accepted: what it had moved aside is removed',
    discarding: 'was accepted; go on removing what it keeps: stateferry undo --discard',
    'taken back': 'changed nothing',
  }[lastPull.state];
  return `nothing to undo: the last pull (${timeText(lastPull.since)}) ${became}`;
}
