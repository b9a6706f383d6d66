/** The steps that put a staged install in its place. */
import { asBytePath, bytePathFromText, toFsPath, type BytePath } from '../../base/byte-path.ts';
import type { Clock } from '../../base/clock.ts';
import { identityOf } from '../../fs/identity.ts';
import { isThere, type FolderOwner, type SwapStep } from '../../fs/swap-steps.ts';
import { lstatIfAny } from '../../gateway/disk/read.ts';
import { timeText } from '../../repository/objects.ts';
import { freePlace } from '../places/free-place.ts';
import type { PlacedPart, PlacedRoot } from '../places/placement.ts';
import type { Landing, PullRequest, RelocatedFile } from '../plan/landing.ts';
import { removeEnded, type Journal, type SwappedInstall } from './journal.ts';
import { swap } from './swap.ts';
import { withTheirRights } from './their-rights.ts';

export type ReadyInstall = Pick<SwappedInstall, 'counted'> & {
  readonly landing: Landing;
  readonly relocated: readonly RelocatedFile[];
};

/** All of them or none. */
export function swapIn(
  { journals, stamp, site }: Pick<PullRequest, 'journals' | 'stamp' | 'site'>,
  ready: readonly ReadyInstall[],
  clock: Clock,
): Journal {
  const roots = ready.flatMap(({ landing }) => landing.placement.roots);
  const first = ready[0]?.landing.plan.snapshot ?? '';
  const file = freePlace(bytePathFromText(`${journals}/${stamp}-${first}`), '.json');
  const parts = {
    time: timeText(clock.nowMs()),
    stamp,
    installs: ready.map(swappedInstall),
    steps: swapSteps(roots, site.owner),
  };
  const places = roots.map(({ to }) => to);
  const journal = swap(file, parts, (move) => withTheirRights(site.owner, places, move));
  removeEnded(journals, new Set(journal.installs.map(({ install }) => install)));
  return journal;
}

const swappedInstall = ({ landing, relocated, counted }: ReadyInstall): SwappedInstall => ({
  snapshot: landing.plan.snapshot,
  install: landing.plan.install,
  placed: landing.plan.placed.map((one) => ({ ...one, aside: [...one.aside] })),
  mapped: [...landing.plan.mapped],
  relocated: relocated.map(({ file, edits }) => ({ file, edits })),
  counted,
  gateway: {
    brand: landing.brand.name,
    profile: landing.target.profile,
    stateDir: landing.target.stateDir,
    configPath: landing.target.configPath,
    port: landing.record.port,
  },
});

function swapSteps(roots: readonly PlacedRoot[], owner: FolderOwner): SwapStep[] {
  const missing = new Set(roots.flatMap((placed) => placed.missing));
  const makes = [...missing].map((to): SwapStep => ({
    kind: 'make',
    to,
    mode: modeOfMissing(roots, to),
    owner,
  }));
  const moves = roots.flatMap((root) => [
    ...root.parts.flatMap(stepsOfPart),
    ...root.stays.flatMap((place) => stepsOfStaying(root, place, owner)),
  ]);
  const discards = roots
    .filter((placed) => placed.isPartial)
    .map(({ stage }): SwapStep => ({ kind: 'discard', from: stage }));
  return [...makes, ...moves, ...discards];
}

/** An entry that the old machine did not have any more leaves alone what is here under its name. */
function stepsOfPart({ staged, target, aside }: PlacedPart): SwapStep[] {
  if (!isThere(staged)) return [];
  const moved = (from: BytePath, to: BytePath) => ({ from, to, identity: identityOf(from) });
  const place: SwapStep = { kind: 'place', ...moved(staged, target) };
  return aside ? [{ kind: 'aside', ...moved(target, aside) }, place] : [place];
}

/** Out of what was moved aside a moment ago, with the folders above it that the new tree does not have. */
function stepsOfStaying({ parts }: PlacedRoot, place: BytePath, owner: FolderOwner): SwapStep[] {
  const part = parts.find(({ target }) => place.startsWith(`${target}/`));
  if (part?.aside === undefined || !isThere(part.staged)) return [];
  const rest = place.slice(part.target.length);
  const above = rest.split('/').slice(1, -1);
  const makes = above.flatMap((_, index): SwapStep[] => {
    const folder = `/${above.slice(0, index + 1).join('/')}`;
    if (isThere(asBytePath(part.staged + folder))) return [];
    return [{ kind: 'make', to: asBytePath(part.target + folder), mode: 0o700, owner }];
  });
  const from = asBytePath(part.aside + rest);
  return [...makes, { kind: 'keep', from, to: place, identity: identityOf(place) }];
}

const MISSING_MODE = 0o755;

/** The folder of a partial root has the mode that it had; folders above a root were never part of a snapshot. */
function modeOfMissing(roots: readonly PlacedRoot[], folder: BytePath): number {
  const own = roots.find((placed) => placed.isPartial && placed.to === folder);
  const mode = own && lstatIfAny(toFsPath(own.stage))?.mode;
  return mode === undefined ? MISSING_MODE : mode & 0o3777;
}
