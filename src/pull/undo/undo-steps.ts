/** The steps of a swap the other way round: each thing where it was, and what was pulled aside. */
import { asBytePath, dirNameBytes, joinBytes, type BytePath } from '../../base/byte-path.ts';
import { isThere, type SwapStep } from '../../fs/swap-steps.ts';
import { freePlace } from '../places/free-place.ts';
import type { Journal } from '../swap/journal.ts';

export function undoSteps({ steps }: Pick<Journal, 'steps'>, stamp: string): SwapStep[] {
  const lastFirst = steps.toReversed();
  const made = steps.flatMap((step) => (step.kind === 'make' ? [step.to] : []));
  const taken = new Set<BytePath>();
  const moves = lastFirst.flatMap((step): SwapStep[] => {
    if (step.kind === 'aside') return [{ ...step, kind: 'place', from: step.to, to: step.from }];
    if (step.kind === 'keep' && isThere(step.to)) {
      return [{ ...step, from: step.to, to: step.from }];
    }
    if (step.kind !== 'place' || !isThere(step.to)) return [];
    const to = freePlace(pulledPlace(step.to, made, stamp), '', taken);
    taken.add(to);
    return [{ kind: 'aside', from: step.to, to, identity: step.identity }];
  });
  const unmakes = lastFirst.flatMap((step): SwapStep[] => {
    if (step.kind !== 'make') return [];
    const { to, mode, owner } = step;
    return [{ kind: 'unmake', from: to, mode, ...(owner && { owner }) }];
  });
  return [...moves, ...unmakes];
}

/** Beside where it was, or beside the outermost folder that was made for it: so that this one is empty and goes too. */
function pulledPlace(target: BytePath, made: readonly BytePath[], stamp: string): BytePath {
  const outermost = made
    .filter((folder) => target.startsWith(`${folder}/`))
    .toSorted((a, b) => a.length - b.length)[0];
  const beside = dirNameBytes(outermost ?? target);
  const name = target.slice(beside.length + 1).replaceAll('/', '-');
  return joinBytes(beside, asBytePath(`${name}.pulled-${stamp}`));
}
