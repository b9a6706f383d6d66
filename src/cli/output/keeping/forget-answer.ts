/** What a forget is about to do, with the reason for every snapshot, and what it did. */
import type { Doomed, Kept } from '../../../maintenance/forget/forget-plan.ts';
import type { AnswerChoices } from '../answers.ts';
import { refusedLines, versionsLines } from './deleting.ts';
import { printableLine } from '../text/printable.ts';
import type { HoleLine } from '../push/summary.ts';
import { pruneLines } from './prune-answer.ts';
import type { DoomedLine, ForgetPlanShown, ForgetSummary, KeptLine } from './forget-summary.ts';
import { countText, durationText, shortId, timeText } from '../text/words.ts';

type Line = { readonly what: 'keep' | 'forget'; readonly why: string } & (KeptLine | DoomedLine);

export function forgetPlanLines(plan: ForgetPlanShown): string[] {
  const { kept, forgotten, tickets, unusual, lost, damaged } = plan;
  const lines: Line[] = [
    ...kept.map((one) => ({ ...one, what: 'keep' as const, why: keptText(one) })),
    ...forgotten.map((one) => ({ ...one, what: 'forget' as const, why: doomedText(one) })),
  ].toSorted(byTime);
  const groups = Map.groupBy(lines, ({ install, machine }) => `${install}@${machine}`);
  return [
    ...damaged.map(({ object, message }) => `damaged: ${object}: ${printableLine(message)}`),
    ...lost.map(lostLine),
    ...(lost.length + damaged.length > 0 ? LOST_LINES : []),
    ...[...groups].flatMap(([install, own]) => groupLines(install, own)),
    ...(tickets > 0 ? [`${countText(tickets, 'object')} of handoffs that are over: deleted`] : []),
    ...unusual.map(
      ({ machine, count, usual }) =>
        `far more than usual of ${printableLine(machine)}: ${count}, usually ${usual}`,
    ),
  ];
}

const byTime = (a: Line, b: Line): number =>
  Date.parse(a.countsAs) - Date.parse(b.countsAs) || a.sequence - b.sequence;

export function lostLine({ machine, first, last }: HoleLine): string {
  const what = first === last ? `number ${first}` : `numbers ${first} to ${last}`;
  return `lost: ${what} of the snapshots of ${printableLine(machine)}`;
}

/** The exact cost, before anybody types the word. */
const LOST_LINES = [
  'what is lost cannot be restored from here any more, nothing asks for it again, and prune frees what only it needed',
  'if somebody only hides it, or a mirror still has it, bring it back first: stateferry mirror MIRROR REPOSITORY',
];

/** Without rules nothing is said of what simply stays. */
function groupLines(install: string, own: readonly Line[]): string[] {
  const told = own.filter(({ why }) => why !== '');
  return told.length === 0 ? [] : [titleLine(install, own), ...told.map(lineText)];
}

function titleLine(install: string, own: readonly Line[]): string {
  const keeps = own.filter(({ what }) => what === 'keep').length;
  const name = printableLine(install);
  return `${name}: keeps ${keeps} of ${countText(own.length, 'snapshot')}`;
}

const lineText = ({ what, id, time, countsAs, label, why }: Line): string => {
  const name = label === null ? '' : ` "${printableLine(label)}"`;
  const said = isSameSecond(time, countsAs) ? '' : `; its machine says ${timeText(time)}`;
  const when = `${timeText(countsAs)}${name}`;
  return `  ${what.padEnd(6)}  ${shortId(id)}  ${when}  ${printableLine(why)}${said}`;
};

const isSameSecond = (a: string, b: string): boolean => timeText(a) === timeText(b);

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
        case 'whole':
          return 'the newest that is whole';
        case 'torn':
          return 'but packs of it are missing, so it takes no other one’s place';
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

/** One reason says enough where the machine-readable answer has them all: the newer one that it made room for. */
function doomedText({ reasons }: Pick<Doomed, 'reasons'>): string {
  const displaced = reasons.find((reason) => 'period' in reason);
  const others = reasons.filter(({ rule }) => rule !== 'label');
  const [only] = others.length === 0 ? reasons : others;
  if (displaced) return reasonText(displaced);
  return only && others.length < 2 ? reasonText(only) : 'older than all that the rules keep';
}

function reasonText(reason: Doomed['reasons'][number]): string {
  if ('period' in reason) {
    const { rule, period, by } = reason;
    return `${PERIOD_WORDS[rule]} ${period} has the newer ${shortId(by)}`;
  }
  switch (reason.rule) {
    case 'named':
      return 'named';
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
}

export function forgetLines(summary: ForgetSummary, choices: AnswerChoices): string[] {
  const { prune } = summary;
  return [...forgottenLines(summary, choices), ...(prune ? pruneLines(prune, choices) : [])];
}

function forgottenLines(summary: ForgetSummary, { paint }: AnswerChoices): string[] {
  const { kept, forgotten, deleted, refused, left, lost, prune } = summary;
  if (summary.dryRun === true) {
    const would = countText(forgotten.length, 'snapshot');
    return [`would forget ${would} and keep ${kept.length}; nothing was changed: it is a dry run`];
  }
  const did = `forgot ${countText(deleted.snapshots, 'snapshot')}, kept ${kept.length}`;
  const isNothing = deleted.snapshots + refused.length + lost.length === 0;
  const said = isNothing ? 'nothing to forget' : did;
  return [
    ...lost.map((one) => `${lostLine(one)}: accepted`),
    ...refusedLines(refused, paint),
    refused.length === 0 ? paint.good(said) : said,
    ...undoneLine(refused.length + left.length),
    ...(deleted.snapshots > 0 && !prune
      ? [
          ...versionsLines(summary.oldVersions),
          'next: stateferry prune announces what only they needed; a later one frees it',
        ]
      : []),
    ...(prune ? [] : [`took ${durationText(summary.durationMs)}`]),
  ];
}

const undoneLine = (count: number): string[] =>
  count === 0
    ? []
    : [`${countText(count, 'object')} still there: the next forget tries again to delete them`];
