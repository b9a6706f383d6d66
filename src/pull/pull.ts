/**
 * pull, the mirror of push: select → plan → download → unseal → assemble → stage → relocate → swap → doctor →
 * restart → checklist. Up to the swap nothing outside the stage changes; the swap is one journal; what was there
 * before lies beside it.
 */
import { assert, FerryError } from '../base/errors.ts';
import { applyRelocation, editsPerFile } from '../gateway/relocate.ts';
import { finishLanding } from './finish-landing.ts';
import { interruptedInstalls, type Journal, type SwappedInstall } from './journal.ts';
import { keptOf } from './kept.ts';
import { completedNotice, finishInterruptedSwaps } from './swap.ts';
import type { Landing, Pulled, PullDeps, PullRequest } from './landing.ts';
import { whileStopped } from './gateway-here.ts';
import { orUndone } from './undo-on-failure.ts';
import { prepare } from './prepare.ts';
import { rehearseRelocation } from './rehearse.ts';
import type { Restored } from './restore.ts';
import {
  countStage,
  refuseMissing,
  relocationOf,
  renameStaged,
  stageInstall,
} from './stage-install.ts';
import { leftStages, swapIn } from './swap-in.ts';

export type { LandingSite, Pulled, PullPlan } from './landing.ts';

export async function pull(
  request: PullRequest,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  if (request.dryRun) return await rehearse(request, deps, signal);
  const completed = completeSwaps(request, deps);
  const landing = await prepare(request, deps.emit, signal);
  for (const journal of completed.filter(({ state }) => state === 'done')) {
    const { plan } = landing;
    const own = journal.installs.find(
      (one) => one.snapshot === plan.snapshot && one.install === plan.install,
    );
    if (!own) continue;
    // Whether a gateway ran before the run that was interrupted, nobody knows any more.
    const swapped = { ...own, journal, startAgain: async () => {} };
    return await land(request, landing, swapped, stagedBefore(landing), deps, signal);
  }
  if (!(await deps.confirm(landing.plan))) {
    throw new FerryError('interrupted', 'nothing was changed');
  }
  const restored = await stageInstall(request, landing.placement, deps, signal);
  deps.emit({ type: 'stage', stage: 'relocate' });
  const counted = countStage(landing);
  refuseMissing(landing, request.snapshot.body, counted);
  const relocation = relocationOf(request, landing);
  for (const notice of relocation.notices) deps.emit({ type: 'notice', ...notice });
  applyRelocation(relocation);
  renameStaged(landing.placement);
  const ready = { landing, relocated: editsPerFile(relocation), counted };
  const { done: journal, startAgain } = await whileStopped([landing], deps, signal, () => {
    deps.emit({ type: 'stage', stage: 'swap' });
    return swapIn(request, [ready], deps.clock);
  });
  const [swapped] = journal.installs;
  assert(swapped, 'the journal holds what was swapped');
  const { relocated } = ready;
  const landable = { ...swapped, relocated, journal, startAgain };
  return await land(request, landing, landable, restored, deps, signal);
}

/** Before anything else looks at the places concerned. */
function completeSwaps(request: PullRequest, deps: PullDeps): Journal[] {
  const completed = finishInterruptedSwaps(request.journals);
  for (const journal of completed) deps.emit(completedNotice(journal));
  return completed;
}

/** An earlier run had all of it in the stage when it was interrupted. */
const stagedBefore = ({ plan: { files, bytes } }: Landing): Restored => ({
  files,
  bytes,
  bytesFetched: 0,
  problems: [],
});

type Swapped = Omit<SwappedInstall, 'relocated'> &
  Pick<Pulled, 'relocated'> & {
    readonly journal: Journal;
    /** The gateway that ran before the swap. */
    startAgain(): Promise<void>;
  };

async function land(
  request: PullRequest,
  landing: Landing,
  swapped: Swapped,
  restored: Restored,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  const { placed, relocated, journal, counted } = swapped;
  const plan = { ...landing.plan, placed };
  for (const stage of leftStages(landing.placement)) {
    const message = `${stage.shown} is left over from another pull that was interrupted`;
    deps.emit({ type: 'notice', code: 'stage-left', message, hint: `rm -rf ${stage.quoted}` });
  }
  const back = { installs: [plan.install], startGateways: swapped.startAgain };
  const landed = await orUndone(request, back, deps, signal, () =>
    finishLanding({ request, landing, counted }, deps, signal),
  );
  const { downtimeMs = 0 } = journal;
  return { plan, restored, relocated, ...landed, kept: keptOf(journal), downtimeMs };
}

async function rehearse(
  request: PullRequest,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  for (const install of interruptedInstalls(request.journals)) {
    const message = `a swap of ${install} was interrupted; the next pull completes it`;
    deps.emit({ type: 'notice', code: 'swap-interrupted', message });
  }
  const landing = await prepare(request, deps.emit, signal);
  const relocation = await rehearseRelocation(request, landing, deps, signal);
  for (const notice of relocation.notices) deps.emit({ type: 'notice', ...notice });
  const relocated = editsPerFile(relocation);
  const nothing = { restored: undefined, landed: undefined, kept: undefined, downtimeMs: 0 };
  return { plan: landing.plan, relocated, undone: undefined, ...nothing };
}
