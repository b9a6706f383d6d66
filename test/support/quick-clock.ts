/**
 * For code that waits and gives up. Time passes only while somebody sleeps: who may look 300 times looks 300 times,
 * however slow the machine is, and needs a twentieth of the time for it.
 */
import { systemClock, type Clock } from '../../src/base/clock.ts';

const FACTOR = 20;

export function quickClock(): Clock {
  let nowMs = systemClock.nowMs();
  return {
    nowMs: () => nowMs,
    sleep: async (delayMs, signal) => {
      nowMs += delayMs;
      await systemClock.sleep(delayMs / FACTOR, signal);
    },
  };
}
