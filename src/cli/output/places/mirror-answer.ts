/** What a mirror has now. */
import { bytePathFromText } from '../../../base/byte-path.ts';
import { shellWord } from '../../../base/shell-word.ts';
import type { AnswerChoices } from '../answers.ts';
import { refusedLines } from '../keeping/deleting.ts';
import { printableLine } from '../text/printable.ts';
import type { MirrorSummary } from '../summary.ts';
import { bytesText, countText, durationText, messageText } from '../text/words.ts';

export function mirrorLines(summary: MirrorSummary, { paint }: AnswerChoices): string[] {
  const { objects, snapshots, problems, onlyThere, leftAside, signaturesChecked } = summary;
  const copied = `${countText(objects.copied, 'object')} (${bytesText(summary.bytesCopied)})`;
  const isBehind = problems.length > 0;
  const { deleted, refused, held } = summary.forgotten;
  return [
    ...problems.map(
      ({ object, code, message }) =>
        `${paint.bad('problem')} ${printableLine(object)}: ${messageText(message)} (${code})`,
    ),
    ...(objects.present === 0
      ? [`nothing of this repository was in ${printableLine(summary.to)}: it is a new mirror`]
      : []),
    `copied ${copied} to ${printableLine(summary.to)} and read them back; ${objects.present} were there already`,
    `it has ${countText(snapshots.after, 'snapshot')} now, ${snapshots.before} before`,
    ...(deleted > 0
      ? [`deleted there, as it was forgotten here: ${countText(deleted, 'snapshot')}`]
      : []),
    ...refusedLines(refused, paint),
    ...(held > 0
      ? [`left there, though forgotten here: ${countText(held, 'snapshot')}; is a newer one there?`]
      : []),
    ...(isBehind ? ['it is no full mirror until the problems are gone: run the same again'] : []),
    ...(onlyThere > 0
      ? [`${countText(onlyThere, 'object')} there that the source does not have: left alone`]
      : []),
    ...(deleted + onlyThere > 0
      ? [
          `what no snapshot there needs is freed by: stateferry prune -r ${shellWord(bytePathFromText(summary.to))}`,
        ]
      : []),
    ...(leftAside > 0
      ? [`${countText(leftAside, 'snapshot')} that revoked machines made afterwards: not copied`]
      : []),
    signaturesChecked > 0
      ? `${countText(signaturesChecked, 'signature')} checked against the keys that this machine pinned`
      : 'whose work it is was not checked: this machine has not joined the source, and has no keys for it',
    `took ${durationText(summary.durationMs)}`,
  ];
}
