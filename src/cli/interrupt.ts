/** Signals that ask to end: the first lets everything tidy up after itself, another one does not. */
import type { Clock } from '../base/clock.ts';

/** @param end ends the process where it is */
export function whenAsked(
  interrupt: AbortController,
  clock: Pick<Clock, 'nowMs'>,
  end: () => void,
): (signal: string) => void {
  let firstMs = -Infinity;
  return (signal) => {
    const nowMs = clock.nowMs();
    if (!interrupt.signal.aborted) {
      firstMs = nowMs;
      interrupt.abort(new Error(signal));
    } else if (Math.abs(nowMs - firstMs) >= ONE_ASKING_MS) {
      // Asked twice: the one who asks does not want to wait for tidying up.
      end();
    }
  };
}

/** `timeout` signals the process and then its group, a closed terminal sends two signals: nobody insists by that. */
const ONE_ASKING_MS = 1000;
