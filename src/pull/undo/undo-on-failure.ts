/** What becomes of a pull whose files are in place and whose doctor or checklist fails. */
import type { Landed, PullDeps, PullRequest } from '../plan/landing.ts';
import { undo, type UndoPlan } from './undo.ts';

export type LandedOrUndone = {
  readonly landed: readonly Landed[];
  /** What was undone, because it was wished for and a critical line failed. */
  readonly undone: UndoPlan | undefined;
};

type WayBack = {
  /** That landed together. */
  readonly installs: readonly string[];
  /** As they ran before. */
  startGateways(): Promise<void>;
};

export async function orUndone(
  request: PullRequest,
  back: WayBack,
  deps: PullDeps,
  signal: AbortSignal,
  finish: () => Promise<readonly Landed[]>,
): Promise<LandedOrUndone> {
  let landed: readonly Landed[];
  try {
    landed = await finish();
  } catch (error) {
    // Its answer would have told this: the files are in place, whatever became of the doctor.
    const isWished = request.undoOnFailure && !signal.aborted;
    if (isWished) await undoNow(request, back, deps, signal);
    else tellWayBack(back, deps);
    throw error;
  }
  if (landed.every(({ ok }) => ok) || !request.undoOnFailure) return { landed, undone: undefined };
  return { landed, undone: await undoNow(request, back, deps, signal) };
}

function tellWayBack({ installs }: WayBack, { emit }: PullDeps): void {
  const [first = ''] = installs;
  const message = `${installs.join(', ')} is in place; what was here before can be put back`;
  emit({ type: 'notice', code: 'in-place', message, hint: `stateferry undo ${first}` });
}

async function undoNow(
  { site, journals, stamp }: PullRequest,
  { installs, startGateways }: WayBack,
  { emit, clock }: PullDeps,
  signal: AbortSignal,
): Promise<UndoPlan | undefined> {
  const [install] = installs;
  const request = { site, journals, install, dryRun: false, stamp };
  const deps = { emit, clock, confirm: async () => {}, startGateways };
  const { plan } = await undo(request, deps, signal);
  if (plan === undefined) return acceptedBefore(installs, emit);
  const message = `${installs.join(', ')} was undone: everything is as it was before the pull`;
  const hint = `What was pulled lies beside it: ${plan.pulled.map(({ aside }) => aside).join(', ')}`;
  emit({ type: 'notice', code: 'undone', message, hint });
  return plan;
}

/** It was in place already, and what had been here before it is gone for good. */
function acceptedBefore(installs: readonly string[], emit: PullDeps['emit']): undefined {
  const message = `${installs.join(', ')} cannot be undone: an earlier pull of it was accepted`;
  emit({ type: 'notice', code: 'not-undone', message });
  return undefined;
}
