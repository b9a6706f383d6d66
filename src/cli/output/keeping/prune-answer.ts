/** What a prune is about to do, and what it did. */

import type { AnswerChoices } from '../answers.ts';
import { refusedLines, versionsLines } from './deleting.ts';
import { printableLine } from '../text/printable.ts';
import type { LocksSummary, PruneAmount, PrunePlanShown, PruneSummary } from './prune-summary.ts';
import { repackLines } from './repack-answer.ts';
import { bytesText, countText, durationText, timeText } from '../text/words.ts';

export function prunePlanLines(plan: PrunePlanShown): string[] {
  const { announce } = plan;
  const snapshots = countText(plan.snapshots, 'snapshot');
  return [
    `${printableLine(plan.repository)} has ${snapshots} and ${amountText(plan.stored)}`,
    ...amountLine('delete', plan.delete, deleteWhy(plan.delete)),
    ...amountLine('announce', announce, `to be deleted after ${when(announce.until)}`),
    ...leaveLines(plan),
    ...costLine(plan.changes),
    ...(plan.delete.bytes > 0 ? versionsLines(plan.oldVersions) : []),
  ];
}

const when = (time: string | null): string => (time === null ? '' : timeText(time));

const leaveLines = ({ waiting, young, needed }: PrunePlanShown | PruneSummary): string[] => [
  ...amountLine('leave', waiting, `announced before, to be deleted after ${when(waiting.until)}`),
  ...amountLine('leave', young, 'not needed, and too new to be announced: not older than --grace'),
  ...amountLine('leave', needed, 'announced, and needed by a snapshot'),
];

/** A drill record is not announced: nothing rests on it that a newer one does not tell. */
const deleteWhy = ({ packs, lists, drills }: PruneAmount): string =>
  drills > 0 && packs + lists === 0 ? 'newer ones tell as much' : 'announced long enough ago';

const amountLine = (what: string, amount: PruneAmount, why: string): string[] =>
  isNothing(amount) ? [] : [`  ${what} ${amountText(amount)}: ${why}`];

const costLine = (changes: PrunePlanShown['changes']): string[] =>
  changes.put + changes.delete === 0
    ? []
    : [`  takes ${countText(changes.put, 'put')} and ${countText(changes.delete, 'delete')}`];

const isNothing = ({ packs, lists, indexes, tombstones, drills }: PruneAmount): boolean =>
  packs + lists + indexes + tombstones + drills === 0;

function amountText({ packs, lists, indexes, tombstones, drills, bytes }: PruneAmount): string {
  const counts = [
    packs > 0 ? [countText(packs, 'pack')] : [],
    lists > 0 ? [countText(lists, 'pack list')] : [],
    indexes > 0 ? [countText(indexes, 'index', 'indexes')] : [],
    tombstones > 0 ? [countText(tombstones, 'tombstone')] : [],
    drills > 0 ? [countText(drills, 'old drill record')] : [],
  ].flat();
  return `${counts.length === 0 ? 'no packs' : counts.join(', ')} (${bytesText(bytes)})`;
}

export function pruneLines(summary: PruneSummary, { paint }: AnswerChoices): string[] {
  const { deleted, announce, refused, left, next } = summary;
  if (summary.dryRun === true) {
    return [
      'nothing was changed: it is a dry run',
      ...locksLines(summary.locks, 'would be'),
      ...nextLine(next),
    ];
  }
  const did = [
    ...(isNothing(deleted) ? [] : [`deleted ${amountText(deleted)}`]),
    ...(isNothing(announce) ? [] : [`announced ${amountText(announce)}`]),
  ];
  const said = did.length === 0 ? 'nothing to announce or to delete' : did.join('; ');
  return [
    ...repackLines(summary.repack),
    ...refusedLines(refused, paint),
    refused.length === 0 ? paint.good(said) : said,
    // Where nothing is to be done, no plan was shown that would say why.
    ...(did.length === 0 ? leaveLines(summary) : []),
    ...(isNothing(left) ? [] : [`left to the next run: ${amountText(left)}`]),
    ...(isNothing(deleted) ? [] : versionsLines(summary.oldVersions)),
    ...locksLines(summary.locks, 'are'),
    `took ${durationText(summary.durationMs)}`,
    ...nextLine(next),
  ];
}

function locksLines(locks: LocksSummary | null, are: 'are' | 'would be'): string[] {
  if (!locks) return [];
  const { due, until, refused, replaced } = locks;
  const done = due - refused.length;
  const [first] = refused;
  return [
    ...(done > 0 ? [`${countText(done, 'object')} ${are} locked until ${timeText(until)}`] : []),
    ...(first
      ? [
          `${countText(refused.length, 'object')} could not be locked for longer: ${printableLine(first.message)}`,
        ]
      : []),
    ...replaced
      .slice(0, REPLACED_LISTED_MAX)
      .map((name) => `stored more than once: ${name}; its first version is the locked one`),
  ];
}

const REPLACED_LISTED_MAX = 5;

const nextLine = (next: string | null): string[] =>
  next === null ? [] : [`next: a prune after ${timeText(next)} deletes what is announced`];
