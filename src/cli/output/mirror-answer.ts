/** What a mirror has now. */
import type { AnswerChoices } from './answers.ts';
import { printableLine } from './printable.ts';
import type { MirrorSummary } from './summary.ts';
import { bytesText, countText, durationText } from './words.ts';

export function mirrorLines(summary: MirrorSummary, { paint }: AnswerChoices): string[] {
  const { objects, snapshots, problems, onlyThere, leftAside, signaturesChecked } = summary;
  const copied = `${countText(objects.copied, 'object')} (${bytesText(summary.bytesCopied)})`;
  const isBehind = problems.length > 0;
  return [
    ...problems.map(
      ({ object, code, message }) =>
        `${paint.bad('problem')} ${printableLine(object)}: ${printableLine(message)} (${code})`,
    ),
    `copied ${copied} to ${printableLine(summary.to)} and read them back; ${objects.present} were there`,
    `it has ${countText(snapshots.after, 'snapshot')} now, ${snapshots.before} before`,
    ...(isBehind ? ['it is no full mirror until the problems are gone: run the same again'] : []),
    ...(onlyThere > 0
      ? [`${countText(onlyThere, 'object')} there that the source does not have: left alone`]
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
