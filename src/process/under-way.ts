/** A command that takes long is told of while it runs: it says nothing by itself until it has ended. */
import { basename } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { ProcessRunner } from './run.ts';

const TELL_EVERY_MS = 1000;

export function tellingRunner(run: ProcessRunner, clock: Clock, emit: Emit): ProcessRunner {
  return async (command, args, options) => {
    const ended = new AbortController();
    const what = [basename(command), ...args].join(' ');
    const telling = tellUntil(ended.signal, what, clock, emit);
    try {
      return await run(command, args, options);
    } finally {
      ended.abort();
      await telling;
    }
  };
}

async function tellUntil(
  ended: AbortSignal,
  what: string,
  clock: Clock,
  emit: Emit,
): Promise<void> {
  const startMs = clock.nowMs();
  for (;;) {
    await clock.sleep(TELL_EVERY_MS, ended).catch((error: unknown) => {
      if (!ended.aborted) throw error;
    });
    if (ended.aborted) return;
    emit({ type: 'underway', what, durationMs: clock.nowMs() - startMs });
  }
}
