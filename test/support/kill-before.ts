/** A process that is killed before the n-th change that it makes to the disk, of those that are counted. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CHANGES = [
  'renameSync',
  'mkdirSync',
  'rmdirSync',
  'chmodSync',
  'lchownSync',
  'rmSync',
  'openSync',
  'fsyncSync',
] as const;

export type ChangeCounter = {
  start(): void;
  stop(): void;
  count(): number;
};

export function killBefore(change: number): ChangeCounter {
  let isCounting = false;
  let changes = 0;
  for (const name of CHANGES) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    const counted = (...args: unknown[]): unknown => {
      if (isCounting && changes++ === change) process.kill(process.pid, 'SIGKILL');
      return original(...args);
    };
    Object.assign(fs, { [name]: counted });
  }
  syncBuiltinESMExports();
  return {
    start: () => {
      isCounting = true;
    },
    stop: () => {
      isCounting = false;
    },
    count: () => changes,
  };
}
