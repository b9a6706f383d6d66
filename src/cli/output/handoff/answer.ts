/** What a handoff and its cancelling say, and how status shows one. */
import { printableLine } from '../text/printable.ts';
import type { HandoffCancelSummary, HandoffLine, HandoffSummary } from './summary.ts';
import { timeText } from '../text/words.ts';

/** Of a handoff stdout has the ticket alone, so that it can be piped to the new machine. */
export function handoffLines(summary: HandoffSummary | HandoffCancelSummary): string[] {
  if (!('cancelled' in summary)) {
    return summary.ticketFile === null
      ? []
      : [`the ticket is in ${printableLine(summary.ticketFile)}`];
  }
  const install = printableLine(summary.install);
  const gateway = summary.isStarted ? 'its gateway runs again' : 'no gateway was started';
  return [
    summary.takenBy === null
      ? `cancelled the handoff of ${install}; ${gateway}`
      : `lifted the fence of ${install}, which ${printableLine(summary.takenBy)} has too; ${gateway}`,
  ];
}

export function handoffStatusLines(handoffs: readonly HandoffLine[]): string[] {
  if (handoffs.length === 0) return [];
  return ['handoffs', ...handoffs.flatMap(linesOf)];
}

function linesOf(line: HandoffLine): string[] {
  const { install, state, serviceFenced } = line;
  const fence = serviceFenced ? 'its service does not start it here' : 'it has no service here';
  return [
    `  ${printableLine(install)}: ${stateText(line)}`,
    ...(state === 'cancelled'
      ? []
      : [`    ${fence}; a start by hand cannot be prevented: do not start it`]),
    ...line.failed.map(
      ({ check, expected, found }) =>
        `    FAILED there: ${printableLine(`${check}: expected ${expected}, found ${found}`)}`,
    ),
  ];
}

function stateText(line: HandoffLine): string {
  const { state, offeredAt, endsAt, takenAt, takenBy, claimGone, confirmedAt, ok } = line;
  const by = `taken ${timeText(takenAt ?? offeredAt)} by ${printableLine(takenBy ?? '')}`;
  switch (state) {
    case 'interrupted':
      return `begun ${timeText(offeredAt)} and interrupted`;
    case 'offered':
      return `offered ${timeText(offeredAt)}, until ${timeText(endsAt ?? offeredAt)}; nobody has taken over`;
    case 'taken':
      return `${by}; ${claimGone ? 'its claim was removed since' : 'not confirmed yet'}`;
    case 'confirmed':
      return `${by}, confirmed ${timeText(confirmedAt ?? offeredAt)}: checklist ${ok === true ? 'passed' : 'FAILED'}`;
    case 'cancelled':
      return 'cancelled';
    case 'ended':
      return `offered ${timeText(offeredAt)}; the ticket ended, and nobody took over`;
    case 'unknown':
      return `offered ${timeText(offeredAt)}; the repository cannot be asked how it stands`;
    default:
      return state satisfies never;
  }
}
