/**
 * pull, the mirror of push: select → plan → download → unseal → assemble → stage → relocate → swap → doctor →
 * restart → checklist. Up to the swap nothing outside the stage changes; the swap is one journal; what was there
 * before lies beside it.
 */
import type { BytePath } from '../base/byte-path.ts';
import { assert, FerryError } from '../base/errors.ts';
import type { FerryEvent } from '../base/events.ts';
import { applyRelocation } from '../gateway/relocate/relocate.ts';
import { editsPerFile } from '../gateway/relocate/relocation.ts';
import { finishLanding } from './finish-landing.ts';
import type { Placement } from './places/placement.ts';
import type {
  Landed,
  Landing,
  PullDeps,
  PullPlan,
  PullRequest,
  RelocatedFile,
} from './plan/landing.ts';
import { prepare } from './plan/prepare.ts';
import type { Restored } from './restore/restore.ts';
import { countStage, refuseMissing } from './stage/count-stage.ts';
import { rehearseRelocation } from './stage/rehearse.ts';
import { relocationOf, renameStaged } from './stage/relocate-stage.ts';
import { stageInstall } from './stage/stage-install.ts';
import { rememberAsLeft, stillAsLeft } from './swap/as-left.ts';
import { refuseRunningOnHalf } from './swap/gateways-of.ts';
import { interruptedInstalls, type Journal, type SwappedInstall } from './swap/journal.ts';
import { leftStages } from './swap/left-stages.ts';
import { swapIn, type ReadyInstall } from './swap/swap-in.ts';
import { completedNotice, finishInterruptedSwaps } from './swap/swap.ts';
import { withTheirRights } from './swap/their-rights.ts';
import { whileStopped } from './swap/while-stopped.ts';
import { keptOf } from './undo/kept.ts';
import type { Kept } from './undo/kept.ts';
import { orUndone } from './undo/undo-on-failure.ts';
import type { UndoPlan } from './undo/undo.ts';

export type Pulled = {
  readonly plan: PullPlan;
  /** undefined: a dry run. */
  readonly restored: Restored | undefined;
  readonly relocated: readonly RelocatedFile[];
  readonly landed: Landed | undefined;
  /** It did not pass, and everything is as it was before. */
  readonly undone: UndoPlan | undefined;
  /** What an undo would put back; undefined: nothing, or a dry run. */
  readonly kept: Kept | undefined;
  /** False: a dry run, or this snapshot was in place already. */
  readonly isNew: boolean;
  /** From the first rename of the swap to its last. */
  readonly downtimeMs: number;
};

/** One install, or several of one machine: all of them are in place in the end, or none. */
export async function pull(
  requests: readonly PullRequest[],
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled[]> {
  const [first] = requests;
  assert(first, 'something is pulled');
  if (first.dryRun) return await rehearse(requests, deps, signal);
  await refuseRunningOnHalf(first.journals, first.site, signal);
  const completed = completeSwaps(first, deps);
  const landings = await prepare(requests, deps.emit, signal);
  const before = landedBefore(first, landings, completed, deps);
  if (before) {
    const swapped = landings.map((landing) => ({ landing, restored: stagedBefore(landing) }));
    return await land(before, swapped, deps, signal);
  }
  if (!(await deps.confirm(landings.map(({ plan }) => plan)))) {
    throw new FerryError('interrupted', 'nothing was changed');
  }
  deps.onStages?.(landings.flatMap(({ placement }) => stagesOf(placement)));
  const staged: Staged[] = [];
  for (const landing of landings.toSorted(holdersLast)) {
    staged.push(await stage(landing, deps, signal));
  }
  const { done: journal, startAgain } = await whileStopped(landings, deps, signal, () => {
    deps.emit({ type: 'stage', stage: 'swap' });
    return swapIn(first, staged, deps.clock);
  });
  const swap = { journal, isNew: true, startAgain };
  return await land(swap, inOrder(landings, staged), deps, signal);
}

/** Before anything else looks at the places concerned. */
function completeSwaps(request: PullRequest, deps: PullDeps): Journal[] {
  const completed = finishInterruptedSwaps(request.journals);
  for (const journal of completed) deps.emit(completedNotice(journal));
  return completed;
}

/** By a run that was interrupted behind its swap, or by one since which nothing has changed. */
function landedBefore(
  { journals }: PullRequest,
  landings: readonly Landing[],
  completed: readonly Journal[],
  { emit }: PullDeps,
): Swap | undefined {
  const finished = completed.find((journal) => isOfAll(journal, landings));
  const plans = landings.map(({ plan }) => plan);
  const journal = finished ?? stillAsLeft(journals, plans);
  if (!journal) return undefined;
  if (!finished) emit(inPlaceNotice(plans));
  // Whether a gateway ran before that run, nobody knows any more.
  return { journal, isNew: finished !== undefined, startAgain: async () => {} };
}

const inPlaceNotice = (plans: readonly PullPlan[]): FerryEvent => ({
  type: 'notice',
  code: 'already-in-place',
  message: `${plans.map(({ install }) => install).join(', ')}: in place already, and unchanged since`,
});

const isOfAll = (journal: Journal, landings: readonly Landing[]): boolean =>
  journal.state === 'done' && landings.every(({ plan }) => swappedOf(journal, plan) !== undefined);

const swappedOf = ({ installs }: Journal, plan: PullPlan): SwappedInstall | undefined =>
  installs.find((one) => one.snapshot === plan.snapshot && one.install === plan.install);

/** Without those that lie in another one. */
const stagesOf = ({ roots }: Placement): BytePath[] =>
  roots.filter(({ parts }) => parts.length > 0).map(({ stage }) => stage);

/** A folder in which another install's stage lies gets its times and its mode after it. */
const holdersLast = (one: Landing, other: Landing): number => heldBy(one) - heldBy(other);

const heldBy = ({ placement: { roots } }: Landing): number =>
  Math.max(0, ...roots.map(({ without, parts }) => (parts.length > 0 ? without.length : 0)));

type Staged = ReadyInstall & { readonly restored: Restored };

/** All of an install beside its places: whole, counted, its paths repaired. */
async function stage(landing: Landing, deps: PullDeps, signal: AbortSignal): Promise<Staged> {
  const { request, placement } = landing;
  const restored = await stageInstall(request, placement, deps, signal);
  deps.emit({ type: 'stage', stage: 'relocate' });
  const counted = countStage(landing);
  // A rehearsal is to tell everything that is wrong, and puts nothing in anybody's place.
  if (request.rehearsal) await request.rehearsal.inspect(landing, signal);
  else refuseMissing(landing, request.snapshot.body, counted);
  const relocation = relocationOf(request, landing);
  for (const notice of relocation.notices) deps.emit({ type: 'notice', ...notice });
  const stages = placement.roots.map((root) => root.stage);
  withTheirRights(request.site.owner, stages, () => {
    applyRelocation(relocation);
    renameStaged(placement);
  });
  return { landing, restored, counted, relocated: editsPerFile(relocation) };
}

const inOrder = (landings: readonly Landing[], staged: readonly Staged[]): readonly Staged[] =>
  staged.toSorted((a, b) => landings.indexOf(a.landing) - landings.indexOf(b.landing));

/** An earlier run had all of it in the stage when it was interrupted. */
const stagedBefore = ({ plan: { files, bytes } }: Landing): Restored => ({
  files,
  bytes,
  bytesFetched: 0,
  problems: [],
  packsLost: [],
});

type Swap = {
  readonly journal: Journal;
  /** False: everything was in place already. */
  readonly isNew: boolean;
  /** The gateways that ran before it. */
  startAgain(): Promise<void>;
};
type Swapped = Pick<Staged, 'landing' | 'restored'> & Partial<Pick<Staged, 'relocated'>>;

async function land(
  { journal, isNew, startAgain }: Swap,
  swapped: readonly Swapped[],
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled[]> {
  const [first] = swapped;
  assert(first, 'something was swapped');
  const ownOf = ({ landing: { plan } }: Swapped): SwappedInstall => {
    const own = swappedOf(journal, plan);
    assert(own, 'the journal holds what was swapped');
    return own;
  };
  const installs = swapped.map(({ landing: { plan } }) => plan.install);
  const back = { installs, startGateways: startAgain };
  const { landed, undone } = await orUndone(first.landing.request, back, deps, signal, async () => {
    const each: Landed[] = [];
    for (const one of swapped) each.push(await finish(one.landing, ownOf(one), deps, signal));
    return each;
  });
  if (!undone) rememberAsLeft(first.landing.request.journals, journal);
  const downtimeMs = isNew ? (journal.downtimeMs ?? 0) : 0;
  return swapped.map((one, index) => {
    const { placed, relocated: counted } = ownOf(one);
    const { landing, restored, relocated = counted } = one;
    const plan = { ...landing.plan, placed };
    const kept = journal.state === 'done' ? keptOf(journal) : undefined;
    const more = { undone, kept, isNew, downtimeMs };
    return { plan, restored, relocated, landed: landed[index], ...more };
  });
}

async function finish(
  landing: Landing,
  { counted }: SwappedInstall,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Landed> {
  for (const left of leftStages(landing.placement)) {
    const message = `${left.shown} is left over from another pull that was interrupted`;
    deps.emit({ type: 'notice', code: 'stage-left', message, hint: `rm -rf ${left.quoted}` });
  }
  return await finishLanding({ request: landing.request, landing, counted }, deps, signal);
}

async function rehearse(
  requests: readonly PullRequest[],
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled[]> {
  for (const install of interruptedInstalls(requests[0]?.journals ?? '')) {
    const message = `a swap of ${install} was interrupted; the next pull completes it`;
    deps.emit({ type: 'notice', code: 'swap-interrupted', message });
  }
  const landings = await prepare(requests, deps.emit, signal);
  const plans = landings.map(({ plan }) => plan);
  if (stillAsLeft(requests[0]?.journals ?? '', plans)) deps.emit(inPlaceNotice(plans));
  const pulled: Pulled[] = [];
  for (const landing of landings) {
    const relocation = await rehearseRelocation(landing.request, landing, deps, signal);
    for (const notice of relocation.notices) deps.emit({ type: 'notice', ...notice });
    pulled.push({ plan: landing.plan, relocated: editsPerFile(relocation), ...NOTHING_DONE });
  }
  return pulled;
}

const NOTHING_DONE = {
  restored: undefined,
  landed: undefined,
  undone: undefined,
  kept: undefined,
  isNew: false,
  downtimeMs: 0,
} as const;
