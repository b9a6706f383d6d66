/** What a forget is about to do, with the reason for every snapshot, and what it did. */
import type { Doomed, Kept } from '../../maintenance/forget-plan.ts';
import type { AnswerChoices } from './answers.ts';
import { refusedLines, versionsLines } from './deleting.ts';
import { printableLine } from './printable.ts';
import type { DoomedLine, ForgetPlanShown, ForgetSummary, KeptLine } from './summary-forget.ts';
import { countText, durationText, shortId, timeText } from './words.ts';

type Line = { readonly what: 'keep' | 'forget'; readonly why: string } & (KeptLine | DoomedLine);

export function forgetPlanLines(plan: ForgetPlanShown): string[] {
  const { kept, forgotten, tickets, unusual } = plan;
  const lines: Line[] = [
    ...kept.map((one) => ({ ...one, what: 'keep' as const, why: keptText(one) })),
    ...forgotten.map((one) => ({ ...one, what: 'forget' as const, why: doomedText(one) })),
  ].toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.sequence - b.sequence));
  const groups = Map.groupBy(lines, ({ install, machine }) => `${install}@${machine}`);
  return [
    ...[...groups].flatMap(([install, own]) => [titleLine(install, own), ...own.map(lineText)]),
    ...(tickets > 0 ? [`${countText(tickets, 'object')} of handoffs that are over: deleted`] : []),
    ...unusual.map(
      ({ machine, count, usual }) =>
        `far more than usual of ${printableLine(machine)}: ${count}, usually ${usual}`,
    ),
  ];
}

function titleLine(install: string, own: readonly Line[]): string {
  const keeps = own.filter(({ what }) => what === 'keep').length;
  const name = printableLine(install);
  return `${name}: keeps ${keeps} of ${countText(own.length, 'snapshot')}`;
}

const lineText = ({ what, id, time, label, why }: Line): string => {
  const name = label === null ? '' : ` "${printableLine(label)}"`;
  return `  ${what.padEnd(6)}  ${shortId(id)}  ${timeText(time)}${name}  ${printableLine(why)}`;
};

const PERIOD_WORDS = {
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  yearly: 'year',
} as const;

const keptText = ({ reasons }: Pick<Kept, 'reasons'>): string =>
  reasons
    .map((reason) => {
      switch (reason.rule) {
        case 'newest':
          return 'the newest';
        case 'forked':
          return 'another one has the same number: look at both';
        case 'last':
          return 'last';
        case 'within':
          return 'within';
        case 'label':
          return 'label';
        case 'granted':
          return `a ticket may fetch it until ${timeText(new Date(reason.untilMs).toISOString())}`;
        default:
          return `${PERIOD_WORDS[reason.rule]} ${reason.period}`;
      }
    })
    .join(', ');

const doomedText = ({ reasons }: Pick<Doomed, 'reasons'>): string =>
  reasons
    .map((reason) => {
      if ('period' in reason) {
        const { rule, period, by } = reason;
        return `${PERIOD_WORDS[rule]} ${period} has the newer ${shortId(by)}`;
      }
      switch (reason.rule) {
        case 'recorded':
          return 'forgotten by an earlier run, and still there';
        case 'last':
          return 'not among the last';
        case 'within':
          return 'older than --keep-within';
        case 'label':
          return 'no such label';
        default:
          return `older than the ${PERIOD_WORDS[reason.rule]}s that are kept`;
      }
    })
    .join('; ');

export function forgetLines(summary: ForgetSummary, { paint }: AnswerChoices): string[] {
  const { kept, forgotten, deleted, refused, left } = summary;
  if (summary.dryRun === true) {
    const would = countText(forgotten.length, 'snapshot');
    return [`would forget ${would} and keep ${kept.length}; nothing was changed: it is a dry run`];
  }
  const did = `forgot ${countText(deleted.snapshots, 'snapshot')}, kept ${kept.length}`;
  const said = deleted.snapshots === 0 && refused.length === 0 ? 'nothing to forget' : did;
  return [
    ...refusedLines(refused, paint),
    refused.length === 0 ? paint.good(said) : said,
    ...undoneLine(refused.length + left.length),
    ...(deleted.snapshots > 0
      ? [
          ...versionsLines(summary.oldVersions),
          'what only they needed is freed by prune: stateferry prune',
        ]
      : []),
    `took ${durationText(summary.durationMs)}`,
  ];
}

const undoneLine = (count: number): string[] =>
  count === 0
    ? []
    : [`${countText(count, 'object')} still there: the next forget tries again to delete them`];
