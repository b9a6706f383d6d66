/** Who writes to a repository, and what revoking one does and does not do: in words. */
import type { AnswerChoices } from '../answers.ts';
import { printableLine } from '../text/printable.ts';
import type { MachinesSummary, RevokedShown, RevokePlanShown } from './machines-summary.ts';
import { tableLines } from '../text/table.ts';
import { bytesText, countText, shortId, timeText } from '../text/words.ts';

export function revokePlanLines(plan: RevokePlanShown): string[] {
  const { counts, leftAside, isThis } = plan;
  const later = leftAside === 0 ? '' : `${countText(leftAside, 'later one')}, and `;
  return [
    `revoke ${nameOf(plan)}, which joined ${timeText(plan.since)}${isThis ? ': this very machine' : ''}`,
    counts === 0 ? '  no snapshot of it counts' : `  counts on: ${countedText(plan)}`,
    `  does not count: ${later}whatever it stores from now on`,
    '  its own next push is refused (exit status 25)',
  ];
}

export function machinesLines(
  { revoked, machines, repository }: MachinesSummary,
  { paint }: AnswerChoices,
): string[] {
  if (machines.length === 0) return [`no machine writes to ${printableLine(repository)}`];
  const rows = machines.map((one) => [
    printableLine(one.machine),
    shortId(one.id),
    timeText(one.since),
    one.lastSnapshot === null ? 'none' : timeText(one.lastSnapshot.time),
    String(one.snapshots),
    bytesText(one.bytesStored),
    one.installs.map(printableLine).join(', '),
    [
      ...(one.isThis ? ['this machine'] : []),
      ...(one.revoked === null ? [] : [`revoked ${timeText(one.revoked)}`]),
    ].join(', '),
  ]);
  return [
    ...(revoked ? revokedLines(revoked, paint.good) : []),
    ...tableLines(
      [
        { title: 'name' },
        { title: 'id' },
        { title: 'since' },
        { title: 'last snapshot' },
        { title: 'count', right: true },
        { title: 'stored', right: true },
        { title: 'installs' },
        { title: '' },
      ],
      rows,
    ),
  ];
}

function revokedLines(revoked: RevokedShown, good: (text: string) => string): string[] {
  const { isNew, before } = revoked;
  if (!isNew) return [`${nameOf(revoked)} is revoked already, since ${timeText(before ?? '')}`];
  const counted =
    revoked.counts === 0
      ? 'nothing of it counts'
      : `${countedText(revoked)} ${revoked.counts === 1 ? 'counts' : 'count'} on`;
  return [`${good('revoked')} ${nameOf(revoked)}: ${counted}`, ...NOT_ENOUGH];
}

const nameOf = ({ machine, id }: Pick<RevokedShown, 'machine' | 'id'>): string =>
  `"${printableLine(machine)}" (${shortId(id)})`;

function countedText({ counts, last }: Omit<RevokedShown, 'isNew'>): string {
  if (last === null) return 'nothing';
  const what = counts === 1 ? 'its snapshot' : `its ${counts} snapshots up to`;
  return `${what} ${shortId(last.id)} of ${timeText(last.time)}`;
}

const NOT_ENOUGH = [
  'That is not all there is to do:',
  '  Take away its access key or token at the provider: with it, it can still write to the bucket, or delete there.',
  '  It could not read these backups. Its own files it could: if it was stolen, rotate the keys and logins in them.',
  '  If the passphrase, the recovery code or a reader key was ever typed or kept on it, whoever has it may read',
  '  everything here, new backups too. Then make a fresh repository (stateferry init), copy into it what you keep',
  '  (stateferry copy), and push there from now on.',
];
