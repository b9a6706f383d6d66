/** The steps that put a staged install in its place, and the commands that put back what was there. */
import {
  asBytePath,
  bytePathFromText,
  joinBytes,
  showPath,
  toFsPath,
  type BytePath,
} from '../base/byte-path.ts';
import type { Clock } from '../base/clock.ts';
import { isThere, type FolderOwner, type SwapStep } from '../fs/swap-steps.ts';
import { lstatIfAny, namesIn } from '../gateway/read.ts';
import { timeText } from '../repository/objects.ts';
import { swap, type Journal, type SwappedInstall } from './journal.ts';
import type { Landing, PullRequest } from './landing.ts';
import { STAGE_PREFIX, type PlacedPart, type PlacedRoot, type Placement } from './placement.ts';

export type ReadyInstall = Pick<SwappedInstall, 'relocated' | 'counted'> & {
  readonly landing: Landing;
};

/** All of them or none. */
export function swapIn(
  { journals, stamp, site }: Pick<PullRequest, 'journals' | 'stamp' | 'site'>,
  ready: readonly [ReadyInstall, ...ReadyInstall[]],
  clock: Clock,
): Journal {
  const placements = ready.map(({ landing }) => landing.placement);
  const file = bytePathFromText(`${journals}/${stamp}-${ready[0].landing.plan.snapshot}.json`);
  return swap(file, {
    time: timeText(clock.nowMs()),
    installs: ready.map(({ landing: { plan }, relocated, counted }) => ({
      snapshot: plan.snapshot,
      install: plan.install,
      placed: plan.placed.map((one) => ({ ...one, aside: [...one.aside] })),
      relocated,
      counted,
    })),
    steps: swapSteps(
      placements.flatMap(({ roots }) => roots),
      site.owner,
    ),
    undo: placements.flatMap((placement) => putBackCommands(placement, stamp)),
  });
}

function swapSteps(roots: readonly PlacedRoot[], owner: FolderOwner): SwapStep[] {
  const missing = new Set(roots.flatMap((placed) => placed.missing));
  const makes = [...missing].map((to): SwapStep => ({
    kind: 'make',
    to,
    mode: modeOfMissing(roots, to),
    owner,
  }));
  const moves = roots.flatMap(({ parts }) => parts.flatMap(stepsOfPart));
  const discards = roots
    .filter((placed) => placed.isPartial)
    .map(({ stage }): SwapStep => ({ kind: 'discard', from: stage }));
  return [...makes, ...moves, ...discards];
}

/** An entry that the old machine did not have any more leaves alone what is here under its name. */
function stepsOfPart({ staged, target, aside }: PlacedPart): SwapStep[] {
  if (!isThere(staged)) return [];
  const place: SwapStep = { kind: 'place', from: staged, to: target };
  return aside ? [{ kind: 'aside', from: target, to: aside }, place] : [place];
}

const MISSING_MODE = 0o755;

/** The folder of a partial root has the mode that it had; folders above a root were never part of a snapshot. */
function modeOfMissing(roots: readonly PlacedRoot[], folder: BytePath): number {
  const own = roots.find((placed) => placed.isPartial && placed.to === folder);
  const mode = own && lstatIfAny(toFsPath(own.stage))?.mode;
  return mode === undefined ? MISSING_MODE : mode & 0o3777;
}

/** What puts everything back by hand, until `undo` does it. */
function putBackCommands({ roots }: Placement, stamp: string): string[] {
  return roots.flatMap(({ parts }) =>
    parts
      .filter(({ staged }) => isThere(staged))
      .map(({ target, aside }) => {
        const pulled = asBytePath(`${target}.pulled-${stamp}`);
        const away = `mv ${quote(target)} ${quote(pulled)}`;
        return aside ? `${away} && mv ${quote(aside)} ${quote(target)}` : away;
      }),
  );
}

/** Stages of other pulls beside ours: nobody completes them any more once this snapshot has landed. */
export function leftStages({ roots }: Placement): { shown: string; quoted: string }[] {
  return [...new Set(roots.map(({ base }) => base))].flatMap((base) =>
    namesIn(toFsPath(base))
      .filter((name) => name.startsWith(STAGE_PREFIX))
      .map((name) => joinBytes(base, asBytePath(name)))
      .map((path) => ({ shown: showPath(path), quoted: quote(path) })),
  );
}

/** For any shell, whatever bytes a name has. */
function quote(path: BytePath): string {
  const text = Buffer.from(path, 'latin1').toString('utf8');
  if (bytePathFromText(text) === path && showPath(path).replaceAll('\\\\', '\\') === text) {
    return `'${text.replaceAll("'", `'\\''`)}'`;
  }
  const escaped = Array.from(path, (char) => {
    const code = char.charCodeAt(0);
    const isPlain = /[A-Za-z0-9/._ -]/.test(char);
    return isPlain ? char : `\\${code.toString(8).padStart(3, '0')}`;
  });
  return `"$(printf '${escaped.join('')}')"`;
}
