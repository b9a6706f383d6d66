/** Who asks once wants it tidy, who asks again wants it now, and one asking may come as two signals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whenAsked } from '../../../src/cli/interrupt.ts';

function scene(): {
  readonly interrupt: AbortController;
  readonly askAt: (nowMs: number, signal?: string) => void;
  readonly ended: number[];
} {
  const interrupt = new AbortController();
  const ended: number[] = [];
  let now = 0;
  const ask = whenAsked(interrupt, { nowMs: () => now }, () => ended.push(now));
  const askAt = (nowMs: number, signal = 'SIGINT'): void => {
    now = nowMs;
    ask(signal);
  };
  return { interrupt, askAt, ended };
}

test('two signals of one moment ask once', () => {
  const { interrupt, askAt, ended } = scene();
  askAt(5000);
  assert.equal((interrupt.signal.reason as Error).message, 'SIGINT');
  askAt(5000);
  askAt(5999, 'SIGTERM');
  assert.deepEqual(ended, []);
});

test('a second later it is insisting, whatever came in between', () => {
  const { askAt, ended } = scene();
  askAt(5000);
  askAt(5900);
  askAt(6000);
  assert.deepEqual(ended, [6000]);
});

test('a clock that was set back keeps nobody waiting', () => {
  const { askAt, ended } = scene();
  askAt(5000);
  askAt(1000);
  assert.deepEqual(ended, [1000]);
});

test('what ends already for another reason ends at the first signal', () => {
  const { interrupt, askAt, ended } = scene();
  interrupt.abort(new Error('the reader is gone'));
  askAt(5000);
  assert.deepEqual(ended, [5000]);
});
