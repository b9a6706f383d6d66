const CELL = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread: only where synchronous code waits a few milliseconds for a writer to finish a line. */
export function pauseMs(delayMs: number): void {
  Atomics.wait(CELL, 0, 0, delayMs);
}
