/**
 * A swap, its undoing or a discard in a process of its own that is killed before the n-th change to the disk:
 * `swap-child.ts '{"scene":…,"verb":"undo","killBefore":n}'`. It prints how many changes there were if it lived.
 */
import { swap } from '../../src/pull/swap/swap.ts';
import { discard } from '../../src/pull/undo/undo.ts';
import { killBefore } from './kill-before.ts';
import { journalFile, partsOf, undoIn, type Scene } from './swap-scene.ts';

export type SwapChildWish = {
  readonly scene: Scene;
  readonly verb: 'swap' | 'undo' | 'discard';
  readonly killBefore: number;
};

const { scene, verb, ...wish } = JSON.parse(process.argv[2] ?? '{}') as SwapChildWish;
const counter = killBefore(wish.killBefore);
if (verb === 'swap') {
  const parts = partsOf(scene, '1');
  counter.start();
  swap(journalFile(scene, '1'), parts);
} else if (verb === 'undo') {
  // Whether a gateway runs is asked of every process of the machine before that.
  await undoIn(scene, { emit: (event) => void (event.type === 'stage' && counter.start()) });
} else {
  const request = { journals: scene.journals, install: undefined, dryRun: false };
  counter.start();
  await discard(request, { emit: () => {}, confirm: async () => {} });
}
counter.stop();
process.stdout.write(`${counter.count()}\n`);
