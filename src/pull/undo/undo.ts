/**
 * The way back: what the last pull put in place is moved aside, and what it had moved aside is put back, by the journal
 * of its swap. Nothing of it is deleted: what was pulled may hold new turns. `discard` is the other end: what is kept
 * aside is removed, and nothing can be undone after it.
 */
import { dirNameBytes, showPath, type BytePath } from '../../base/byte-path.ts';
import type { Clock } from '../../base/clock.ts';
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { shellWord } from '../../base/shell-word.ts';
import { identityOf, standsThere } from '../../fs/identity.ts';
import { isThere, type SwapStep } from '../../fs/swap-steps.ts';
import { isWritableFolder } from '../../fs/writable.ts';
import { timeText } from '../../repository/objects.ts';
import type { GatewayHere } from '../plan/gateway-here.ts';
import type { LandingSite } from '../plan/site.ts';
import { gatewaysOf, refuseRunningOnHalf } from '../swap/gateways-of.ts';
import { installNames, journalsIn, refuseForeign, type JournalFile } from '../swap/journal.ts';
import { completedNotice, discardAside, finishInterruptedSwaps, undoSwap } from '../swap/swap.ts';
import { whileStopped } from '../swap/while-stopped.ts';
import { bytesAt, keptOf, type Kept, type KeptPath, putBackCommands } from './kept.ts';
import { isPutBack, leftServices, removeLeftService, type LeftService } from './left-service.ts';
import { undoSteps } from './undo-steps.ts';

export type UndoRequest = {
  readonly site: LandingSite;
  /** Where journals of swaps are kept. */
  readonly journals: string;
  /** Whose last pull is meant; undefined: the last pull of all. */
  readonly install: string | undefined;
  readonly dryRun: boolean;
  /** For names: the local time as `20261121-080000`. */
  readonly stamp: string;
};

export type UndoPlan = {
  readonly installs: Kept['installs'];
  readonly since: string;
  readonly putBack: readonly KeptPath[];
  /** What the pull had placed, and where it will be. */
  readonly pulled: readonly (KeptPath & { readonly remove: string })[];
  /** Run now, and will be stopped meanwhile. */
  readonly gateways: readonly { readonly why: string; readonly startsAgain: boolean }[];
  /** Names of those that the pull had brought, and that have nothing left to start. */
  readonly services: readonly string[];
};

export type UndoDeps = {
  readonly emit: Emit;
  readonly clock: Clock;
  /** Shows the plan and asks. @throws confirmation-needed */
  confirm(plan: UndoPlan): Promise<void>;
  /** Instead of starting those that ran just before. */
  startGateways?(): Promise<void>;
};

export type Undone =
  | { readonly plan: UndoPlan; readonly downtimeMs: number }
  /** Nothing can be undone; what became of the last pull, if one is remembered. */
  | { readonly plan: undefined; readonly last: LastPull | undefined };

export type LastPull = {
  readonly state: 'undone' | 'discarded' | 'discarding' | 'taken back';
  readonly since: string;
};

/** @throws install-not-found, target-unsafe, gateway-unstoppable, confirmation-needed */
export async function undo(
  request: UndoRequest,
  deps: UndoDeps,
  signal: AbortSignal,
): Promise<Undone> {
  await refuseRunningOnHalf(request.journals, request.site, signal);
  completeSwaps(request, deps.emit);
  const meant = meantJournals(request);
  const last = meant.findLast(({ journal }) => journal.state === 'done');
  if (!last) return { plan: undefined, last: lastOf(meant) };
  const steps = undoSteps(last.journal, request.stamp);
  refuseChanged(last, steps);
  const gateways = await gatewaysOf(last.journal, request.site, signal);
  const left = leftServices(gateways, steps, request.site);
  const plan = planOf(last, steps, gateways, left);
  if (request.dryRun) return { plan, downtimeMs: 0 };
  refuseForeign(last.file);
  await deps.confirm(plan);
  const landings = gateways.map((gateway) => ({ gateway }));
  const { done, startAgain } = await whileStopped(landings, deps, signal, () => {
    // Asking and stopping take their time.
    refuseChanged(last, steps);
    deps.emit({ type: 'stage', stage: 'undo' });
    return undoSwap(last, { time: timeText(deps.clock.nowMs()), steps });
  });
  for (const one of left) await removeLeftService(one, request.site, deps.emit, signal);
  await (deps.startGateways ?? startAgain)();
  return { plan, downtimeMs: done.downtimeMs ?? 0 };
}

type KeptRequest = Pick<UndoRequest, 'journals' | 'install' | 'dryRun'>;

export type DiscardDeps = Pick<UndoDeps, 'emit'> & {
  /** Shows the plan and asks. @throws confirmation-needed */
  confirm(kept: readonly Kept[]): Promise<void>;
};

/**
 * Removes what is kept aside, of every pull that is meant: an earlier one cannot be undone without the later one.
 * @throws install-not-found, target-unsafe, confirmation-needed, file-write
 */
export async function discard(request: KeptRequest, deps: DiscardDeps): Promise<readonly Kept[]> {
  if (!request.dryRun) completeSwaps(request, deps.emit);
  const meant = meantJournals(request).filter(({ journal }) =>
    ['done', 'discarding'].includes(journal.state),
  );
  const kept = meant.map(({ journal }) => keptOf(journal));
  if (kept.length === 0 || request.dryRun) return kept;
  for (const { file } of meant) refuseForeign(file);
  if (kept.some(({ aside }) => aside.length > 0)) await deps.confirm(kept);
  deps.emit({ type: 'stage', stage: 'discard' });
  for (const one of meant) discardAside(one);
  return kept;
}

function completeSwaps({ journals, dryRun }: KeptRequest, emit: Emit): void {
  if (dryRun) return;
  for (const journal of finishInterruptedSwaps(journals)) emit(completedNotice(journal));
}

/** @throws install-not-found */
function meantJournals({ journals, install }: KeptRequest): JournalFile[] {
  const all = journalsIn(journals);
  if (install === undefined) return all;
  const own = all.filter((one) => installNames(one).includes(install));
  if (own.length > 0) return own;
  const known = [...new Set(all.flatMap(installNames))];
  throw new FerryError(
    'install-not-found',
    `no pull of ${install} is remembered on this machine` +
      (known.length === 0 ? '' : `; of ${known.join(', ')} there is`),
    { hint: 'stateferry status lists what pulls have kept aside.' },
  );
}

function lastOf(journals: readonly JournalFile[]): LastPull | undefined {
  const last = journals.at(-1)?.journal;
  if (last === undefined) return undefined;
  const { state, time } = last;
  if (state === 'done' || state === 'swapping' || state === 'undoing') return undefined;
  return { state, since: time };
}

/** @throws target-unsafe */
function refuseChanged({ journal }: JournalFile, steps: readonly SwapStep[]): void {
  const refused = (path: BytePath, why: string): FerryError =>
    new FerryError('target-unsafe', `${showPath(path)} ${why}; nothing was changed`, {
      hint: `By hand, where it is still right: ${putBackCommands(journal).join('; ')}`,
      details: { path: showPath(path) },
    });
  for (const step of journal.steps) {
    if (step.kind === 'place' && !isAsPlaced(step)) {
      throw refused(step.to, 'is not what the pull put there: it was moved or replaced since');
    }
    const { to, identity } = step.kind === 'aside' ? step : {};
    if (to !== undefined && !(identity ? standsThere(identity, to) : isThere(to))) {
      throw refused(to, 'is gone, where the pull had moved what was here before');
    }
  }
  for (const step of steps) {
    if (step.kind !== 'aside' && step.kind !== 'place') continue;
    if (!isWritableFolder(dirNameBytes(step.to))) {
      throw refused(step.to, 'cannot be made: its folder cannot be written');
    }
  }
}

/** A single file may have been written anew, or removed, by whoever uses it. */
function isAsPlaced({ to, identity }: Extract<SwapStep, { kind: 'place' }>): boolean {
  if (identity === undefined) return isThere(to);
  if (identity.kind === 'folder') return standsThere(identity, to);
  return identityOf(to)?.kind !== 'folder';
}

function planOf(
  { journal }: JournalFile,
  steps: readonly SwapStep[],
  gateways: readonly GatewayHere[],
  left: readonly LeftService[],
): UndoPlan {
  const { installs, since, aside } = keptOf(journal);
  const pulled = steps
    .filter((step) => step.kind === 'aside')
    .map(({ from, to }) => ({
      path: showPath(from),
      aside: showPath(to),
      bytes: bytesAt(from),
      remove: `rm -rf ${shellWord(to)}`,
    }));
  const running = gateways.flatMap(({ atHand, found }) => {
    const startsAgain = isPutBack(atHand.stateDir, steps);
    return found ? [{ why: found.why, startsAgain }] : [];
  });
  const services = left.map(({ name }) => name);
  return { installs, since, putBack: aside, pulled, gateways: running, services };
}
