/**
 * pull, the mirror of push: select → plan → download → unseal → assemble → stage → relocate → swap → doctor →
 * restart → checklist. Up to the swap nothing outside the stage changes; the swap is one journal; what was there
 * before lies beside it.
 */
import { assert, FerryError } from '../base/errors.ts';
import { applyRelocation, editsPerFile } from '../gateway/relocate.ts';
import { finishLanding } from './finish-landing.ts';
import {
  finishInterruptedSwaps,
  interruptedInstalls,
  type Journal,
  type SwappedInstall,
} from './journal.ts';
import type { Landing, Pulled, PullDeps, PullRequest } from './landing.ts';
import { whileStopped } from './gateway-here.ts';
import { prepare } from './prepare.ts';
import { rehearseRelocation } from './rehearse.ts';
import type { Restored } from './restore.ts';
import { countStage, refuseMissing, relocationOf, stageInstall } from './stage-install.ts';
import { leftStages, swapIn } from './swap-in.ts';

export type { LandingSite, Pulled, PullPlan } from './landing.ts';

export async function pull(
  request: PullRequest,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  const { snapshot } = request;
  if (request.dryRun) return await rehearse(request, deps, signal);
  const completed = completeSwaps(request, deps);
  const landing = await prepare(request, deps.emit, signal);
  for (const journal of completed) {
    const own = journal.installs.find((one) => one.snapshot === snapshot.cover.id);
    if (!own) continue;
    const swapped = { ...own, undo: journal.undo };
    return await land(request, landing, swapped, stagedBefore(landing), deps, signal);
  }
  if (!(await deps.confirm(landing.plan))) {
    throw new FerryError('interrupted', 'nothing was changed');
  }
  const restored = await stageInstall(request, landing.placement, deps, signal);
  deps.emit({ type: 'stage', stage: 'relocate' });
  const counted = countStage(landing);
  refuseMissing(landing, snapshot.body, counted);
  const relocation = relocationOf(request, landing);
  for (const notice of relocation.notices) deps.emit({ type: 'notice', ...notice });
  applyRelocation(relocation);
  const ready = { landing, relocated: editsPerFile(relocation), counted };
  const { installs, undo } = await whileStopped([landing], deps, signal, () => {
    deps.emit({ type: 'stage', stage: 'swap' });
    return swapIn(request, [ready], deps.clock);
  });
  const [swapped] = installs;
  assert(swapped, 'the journal holds what was swapped');
  return await land(request, landing, { ...swapped, undo }, restored, deps, signal);
}

/** Before anything else looks at the places concerned. */
function completeSwaps(request: PullRequest, deps: PullDeps): Journal[] {
  const completed = finishInterruptedSwaps(request.journals);
  for (const { install } of completed.flatMap(({ installs }) => installs)) {
    const message = `completed the pull of ${install} that was interrupted while it swapped`;
    deps.emit({ type: 'notice', code: 'swap-completed', message });
  }
  return completed;
}

/** An earlier run had all of it in the stage when it was interrupted. */
const stagedBefore = ({ plan: { files, bytes } }: Landing): Restored => ({
  files,
  bytes,
  bytesFetched: 0,
  problems: [],
});

async function land(
  request: PullRequest,
  landing: Landing,
  swapped: SwappedInstall & Pick<Journal, 'undo'>,
  restored: Restored,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  const { placed, relocated, undo, counted } = swapped;
  const plan = { ...landing.plan, placed };
  for (const stage of leftStages(landing.placement)) {
    const message = `${stage.shown} is left over from another pull that was interrupted`;
    deps.emit({ type: 'notice', code: 'stage-left', message, hint: `rm -rf ${stage.quoted}` });
  }
  try {
    const landed = await finishLanding({ request, landing, counted }, deps, signal);
    return { plan, restored, relocated, landed, undo };
  } catch (error) {
    // Its answer would have told this: the files are in place, whatever became of the doctor.
    const message = `${plan.install} is in place; what was here before can be put back`;
    for (const hint of undo) deps.emit({ type: 'notice', code: 'in-place', message, hint });
    throw error;
  }
}

async function rehearse(
  request: PullRequest,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  for (const install of interruptedInstalls(request.journals)) {
    const message = `a pull of ${install} was interrupted while it swapped; the next pull completes it`;
    deps.emit({ type: 'notice', code: 'swap-interrupted', message });
  }
  const landing = await prepare(request, deps.emit, signal);
  const relocation = await rehearseRelocation(request, landing, deps, signal);
  for (const notice of relocation.notices) deps.emit({ type: 'notice', ...notice });
  const relocated = editsPerFile(relocation);
  return { plan: landing.plan, restored: undefined, relocated, landed: undefined, undo: [] };
}
