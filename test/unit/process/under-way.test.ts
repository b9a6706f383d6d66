/** A command that takes long is told of every second, and no more once it has ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import type { FerryEvent } from '../../../src/base/events.ts';
import type { RunOptions, RunResult } from '../../../src/process/run.ts';
import { tellingRunner } from '../../../src/process/under-way.ts';

const OPTIONS: RunOptions = { env: {}, timeoutMs: 1, signal: new AbortController().signal };
const DONE: RunResult = {
  exit: 0,
  signal: null,
  stdout: 'well',
  stderr: '',
  durationMs: 1,
  timedOut: false,
  truncated: false,
};

/** Time passes when the test says so. */
function handClock(): Clock & {
  readonly pass: (ms: number) => Promise<void>;
  waiting: () => number;
} {
  let now = 5000;
  const sleepers = new Map<() => void, number>();
  return {
    nowMs: () => now,
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        const wake = (): void => {
          sleepers.delete(wake);
          resolve();
        };
        sleepers.set(wake, now + delayMs);
        signal.addEventListener('abort', () => {
          sleepers.delete(wake);
          reject(new Error('woken'));
        });
      }),
    pass: async (ms) => {
      now += ms;
      for (const [wake, at] of sleepers) if (at <= now) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
    waiting: () => sleepers.size,
  };
}

test('what it is and how long already, until it ends', async () => {
  const clock = handClock();
  const events: FerryEvent[] = [];
  const { promise, resolve } = Promise.withResolvers<RunResult>();
  const run = tellingRunner(
    () => promise,
    clock,
    (event) => void events.push(event),
  );
  const running = run('/usr/bin/openclaw', ['doctor', '--non-interactive'], OPTIONS);
  await clock.pass(999);
  assert.deepEqual(events, []);
  await clock.pass(1);
  await clock.pass(1500);
  const what = 'openclaw doctor --non-interactive';
  const told = [1000, 2500].map((durationMs) => ({ type: 'underway', what, durationMs }));
  assert.deepEqual(events, told);
  resolve(DONE);
  assert.equal((await running).stdout, 'well');
  assert.equal(clock.waiting(), 0);
  await clock.pass(5000);
  assert.deepEqual(events, told);
});

test('one that cannot be started fails as it did', async () => {
  const clock = handClock();
  const events: FerryEvent[] = [];
  const refused = (): Promise<RunResult> => Promise.reject(new Error('cannot start'));
  const run = tellingRunner(refused, clock, (event) => void events.push(event));
  await assert.rejects(run('openclaw', [], OPTIONS), /cannot start/);
  assert.deepEqual([events, clock.waiting()], [[], 0]);
});
