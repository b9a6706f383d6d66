import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * From here on the collector keeps the heaps of all threads small: 80 MiB less at the peak of a push, 40 at that of a
 * pull. Not from the start: a push that finds nothing new has no such peak, and spends a seventh of its time on it.
 */
export const keepHeapsSmall = (): void => setFlagsFromString('--optimize-for-size');

/**
 * From here on no heap gets more room for what is young. Of two hundred thousand files that are looked at one after the
 * other a little more lives on than usual, now and then, and V8 answers that with a hundred MiB.
 */
export const keepYoungAsItIs = (): void => setFlagsFromString('--semi-space-growth-factor=1');

/** From so many packs on a heap is shrunk for them: it takes as long as one or two. */
export const PACKS_TO_SHRINK_FOR = 6;

/**
 * For who is going to need much beside the heap: collects that of this thread once, and from here on none gets more
 * room for what is young. Starting leaves 30 MiB there that nobody needs again. It takes a twentieth of a second, so it
 * is not for who has nothing to do.
 */
export function shrinkHeap(): void {
  keepYoungAsItIs();
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  const allThereIs = { type: 'major', execution: 'sync', flavor: 'last-resort' };
  if (typeof collect === 'function') Reflect.apply(collect, undefined, [allThereIs]);
}
