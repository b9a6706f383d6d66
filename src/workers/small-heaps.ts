import { setFlagsFromString } from 'node:v8';

/**
 * From here on the collector keeps the heaps of all threads small: 80 MiB less at the peak of a push, 40 at that of a
 * pull. Not from the start: a push that finds nothing new has no such peak, and spends a seventh of its time on it.
 */
export const keepHeapsSmall = (): void => setFlagsFromString('--optimize-for-size');

/**
 * From here on a heap that was collected gets room for 70 % more than it holds, not for 10: in a pull half as many
 * collections for 5 MiB.
 */
export const collectLessOften = (): void => setFlagsFromString('--heap-growing-percent=70');

/**
 * From here on no heap gets more room for what is young. A check makes little else: 30 MiB less of 260 at its peak.
 * What is kept for long, as a push's entries are, would only be moved sooner.
 */
export const keepYoungHeapsSmall = (): void => setFlagsFromString('--semi-space-growth-factor=1');
