/** What is kept aside, and the commands that put it back or remove it. */
import type { Kept } from '../../pull/undo/kept.ts';
import type { WayBack } from '../output/pull/summary.ts';

export function wayBack({ installs, since, aside, byHand }: Kept): WayBack {
  const [first] = installs;
  const undo = ['stateferry undo', ...(first ? [first.install] : [])].join(' ');
  const command = { command: undo, discard: aside.length === 0 ? null : `${undo} --discard` };
  return { installs, since, aside, ...command, byHand };
}
