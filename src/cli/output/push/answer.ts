/** What a push did, or would do. */
import { bytePathFromText } from '../../../base/byte-path.ts';
import { shellWord } from '../../../base/shell-word.ts';
import type { AnswerChoices } from '../answers.ts';
import { printableLine } from '../text/printable.ts';
import type { Omission, Problem } from '../summary-parts.ts';
import type { ImportSummary, PushedInstall, PushPlanSummary, PushSummary } from './summary.ts';
import { bytesText, countText, durationText, shortId } from '../text/words.ts';

/** All of them stand in `--json`, in `--verbose` and in the snapshot. */
const LISTED_MAX = 12;

/** What was not pushed was told as a problem, with the reason; here that would be twice. */
export function pushLines(summary: PushSummary, choices: AnswerChoices): string[] {
  if (summary.snapshots.length === 0) return ['nothing was pushed'];
  return [
    ...summary.snapshots.flatMap((one) => snapshotLines(one, choices)),
    `took ${durationText(summary.durationMs)}`,
  ];
}

export function importLines(summary: ImportSummary, choices: AnswerChoices): string[] {
  return [
    ...summary.snapshots.flatMap((one) => snapshotLines(one, choices)),
    `it was in ${printableLine(summary.stateDir)}, of the home ${printableLine(summary.home)}`,
    ...summary.roots.map(({ name, path }) => `  ${name}: ${printableLine(path)}`),
    ...summary.snapshots.map(pullLine),
  ];
}

const pullLine = ({ id, repository }: PushedInstall): string =>
  `next: stateferry pull ${shortId(id)} -r ${shellWord(bytePathFromText(repository))}`;

function snapshotLines(one: PushedInstall, { verbose, paint }: AnswerChoices): string[] {
  const listedMax = verbose ? Infinity : LISTED_MAX;
  return [
    `${paint.good('pushed')} ${printableLine(one.install)} as ${shortId(one.id)} to ${printableLine(one.repository)}`,
    `  ${countText(one.files, 'file')}, ${bytesText(one.bytes)}: ` +
      `${bytesText(one.bytesNew)} new, ${bytesText(one.bytesStored)} stored`,
    ...omissionLines(one.omissions, listedMax),
    ...problemLines(one.problems, listedMax),
  ];
}

export function pushPlanLines(summary: PushPlanSummary): string[] {
  return summary.plan.flatMap((one) => [
    `would push ${printableLine(one.install)} to ${printableLine(one.repository)}: ` +
      `${countText(one.files, 'file')}, ${bytesText(one.bytes)}`,
    ...one.roots.map(
      (root) =>
        `  ${root.name}: ${printableLine(root.path)} (${countText(root.files, 'file')}, ${bytesText(root.bytes)})`,
    ),
    ...omissionLines(one.omissions, LISTED_MAX),
    ...problemLines(one.problems, LISTED_MAX),
  ]);
}

function omissionLines(omissions: readonly Omission[], listedMax: number): string[] {
  if (omissions.length === 0) return [];
  return [
    `  left out on purpose: ${omissions.length}`,
    ...omissions
      .slice(0, listedMax)
      .map(({ path, reason }) => `    ${printableLine(path)}: ${printableLine(reason)}`),
    ...moreLine(omissions.length - listedMax),
  ];
}

function problemLines(problems: readonly Problem[], listedMax: number): string[] {
  if (problems.length === 0) return [];
  return [
    `  could not be read: ${problems.length}`,
    ...problems
      .slice(0, listedMax)
      .map(({ path, code }) => `    ${printableLine(path)}: ${printableLine(code)}`),
    ...moreLine(problems.length - listedMax),
  ];
}

const moreLine = (more: number): string[] =>
  more > 0 ? [`    and ${more} more (--verbose names them all)`] : [];
