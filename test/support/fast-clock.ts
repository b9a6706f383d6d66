/** A clock that runs faster than this machine's, for code that waits and gives up: it still sleeps a little. */
import { systemClock, type Clock } from '../../src/base/clock.ts';

export function fastClock(factor: number): Clock {
  const startedMs = systemClock.nowMs();
  return {
    nowMs: () => startedMs + (systemClock.nowMs() - startedMs) * factor,
    sleep: (delayMs, signal) => systemClock.sleep(delayMs / factor, signal),
  };
}
