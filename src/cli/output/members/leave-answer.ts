/** What goes when a machine lets go of a repository, and what stays where it is. */
import type { AnswerChoices } from '../answers.ts';
import { printableLine } from '../text/printable.ts';
import type { LeaveSummary } from '../summary.ts';

export function leavePlanLines(plan: LeaveSummary): string[] {
  const { repository, handoffs } = plan;
  return [
    `let go of ${printableLine(repository)}, on this machine only:`,
    ...goingLines(plan),
    ...handoffs.map((install) => `  ${handoffLine(install, plan)}`),
    'stays:',
    ...stayingLines(plan),
  ];
}

function handoffLine(install: string, { interrupted, fences }: LeaveSummary): string {
  const fence = fences.find((one) => one.install === install);
  const stays = fence ? `, and its fence stays: ${fence.file} says how to lift it by hand` : '';
  const what = interrupted.includes(install)
    ? `a handoff of ${install} was begun there and made no ticket; to have it back here, first: ` +
      `stateferry handoff ${install} --cancel`
    : `${install} was handed off there: that cannot be taken back then${stays}`;
  return printableLine(what);
}

export function leaveLines(summary: LeaveSummary, { paint }: AnswerChoices): string[] {
  const { repository, dryRun, wasDefault, newDefault } = summary;
  if (dryRun === true) return leavePlanLines(summary);
  const next =
    newDefault === null ? 'no repository is the default now' : `the default is ${newDefault} now`;
  return [
    `${paint.good('left')} ${printableLine(repository)}: nothing of it is kept here any more`,
    ...(wasDefault ? [printableLine(next)] : []),
    'stays:',
    ...stayingLines(summary),
  ];
}

function goingLines({ machine, cache }: LeaveSummary): string[] {
  return [
    ...(machine === null
      ? ['  what this machine remembers of it (it had not joined)']
      : [
          `  the keys that it writes there with, as "${printableLine(machine)}"`,
          '  the newest snapshots that it has seen, by which it would notice a rollback',
        ]),
    ...cache.map((path) => `  ${printableLine(path)}`),
  ];
}

function stayingLines({ repository, machine, installs }: LeaveSummary): string[] {
  const revoke = `stateferry machines revoke '${machine}' -r '${repository}'`;
  return [
    '  the repository itself, which opens with its passphrase and recovery code as before',
    ...(machine === null ? [] : [`  this machine's name in it, until it is revoked: ${revoke}`]),
    ...(repository.startsWith('s3:') ? ["  the bucket's credentials"] : []),
    ...(installs.length === 0 ? [] : [`  ${installs.join(', ')} on this machine`]),
  ].map(printableLine);
}
