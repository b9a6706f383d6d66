/**
 * A home with a state dir and a single file in the way of a pull, and nothing where a third root will be; and pulls
 * that are only the swap, each with content of its own.
 */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytePathFromText } from '../../src/base/byte-path.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { identityOf } from '../../src/fs/identity.ts';
import { isThere, type SwapStep } from '../../src/fs/swap-steps.ts';
import { BRANDS } from '../../src/gateway/install/brands.ts';
import { runProcess } from '../../src/process/run.ts';
import type { Journal } from '../../src/pull/swap/journal.ts';
import { swap } from '../../src/pull/swap/swap.ts';
import { undo, type Undone } from '../../src/pull/undo/undo.ts';
import { makeTree } from './tree.ts';

export type Scene = { readonly folder: string; readonly home: string; readonly journals: string };

/** @param home where the gateway's things are, when that is somewhere else */
export function swapScene(
  folder = mkdtempSync(join(tmpdir(), 'stateferry-swap-')),
  home = join(folder, 'home'),
): Scene {
  const scene = { folder, home, journals: join(folder, 'journals') };
  for (const one of [home, scene.journals]) mkdirSync(one, { recursive: true });
  makeTree(join(home, 'state'), 1);
  writeFileSync(join(home, 'SOUL.md'), 'of before');
  return scene;
}

export const ROOTS = ['state', 'SOUL.md', 'a/b/work'];

export function pullIn(scene: Scene, stamp: string): Journal {
  return swap(journalFile(scene, stamp), partsOf(scene, stamp));
}

export const journalFile = ({ journals }: Scene, stamp: string) =>
  bytePathFromText(join(journals, `${stamp}.json`));

/** Stages what this pull brings, and answers with what its swap will do. */
export function partsOf(scene: Scene, stamp: string): Omit<Journal, 'format' | 'state'> {
  const { home } = scene;
  const makes = existsSync(join(home, 'a')) ? [] : ['a', 'a/b'];
  return {
    time: `2026-11-21T08:00:00.${stamp.padStart(3, '0')}Z`,
    stamp,
    installs: [{ snapshot: `snapshot ${stamp}`, install: 'openclaw', ...REST }],
    steps: [
      ...makes.map((name): SwapStep => ({
        kind: 'make',
        to: bytePathFromText(join(home, name)),
        mode: 0o755,
      })),
      ...ROOTS.flatMap((name) => placing(scene, name, stamp)),
    ],
  };
}

const REST = {
  placed: [],
  mapped: [],
  relocated: [],
  counted: { agents: [], credentialFiles: 0, channels: [], cronJobs: 0, workspaces: [] },
  gateway: { brand: 'openclaw', profile: 'default', stateDir: '', configPath: '', port: 1 },
};

function placing({ home }: Scene, name: string, stamp: string): SwapStep[] {
  const staged = join(home, `stage-${name.replaceAll('/', '-')}`);
  if (name.endsWith('.md')) writeFileSync(staged, `of pull ${stamp}`);
  else makeTree(staged, 100 + Number(stamp));
  const moved = (from: string, to: string) => ({
    from: bytePathFromText(from),
    to: bytePathFromText(to),
    identity: identityOf(bytePathFromText(from)),
  });
  const target = join(home, name);
  const place: SwapStep = { kind: 'place', ...moved(staged, target) };
  if (!isThere(bytePathFromText(target))) return [place];
  return [{ kind: 'aside', ...moved(target, `${target}.before-${stamp}`) }, place];
}

export type UndoWishes = {
  readonly install?: string;
  readonly dryRun?: boolean;
  readonly stamp?: string;
  readonly emit?: (event: FerryEvent) => void;
};

export function undoIn({ home, journals }: Scene, wishes: UndoWishes = {}): Promise<Undone> {
  const { emit = () => {}, ...more } = wishes;
  const env = { TMPDIR: home, PATH: '/nowhere' };
  const cli = { run: runProcess, env };
  const site = { home, uid: 1, owner: undefined, env, brands: BRANDS, cli };
  const request = { site, journals, install: undefined, dryRun: false, stamp: 'now', ...more };
  const deps = { emit, clock: systemClock, confirm: async () => {} };
  return undo(request, deps, new AbortController().signal);
}
