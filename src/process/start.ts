/** A program that goes on when we have ended: nothing of ours is connected to it. */
import { spawn } from 'node:child_process';
import { FerryError, messageOf } from '../base/errors.ts';
import type { RunOptions } from './run.ts';

export type StartOptions = Pick<RunOptions, 'env' | 'cwd' | 'owner'>;

/** Answers its process id. @throws gateway-command when it cannot be started at all */
export function startProcess(
  command: string,
  args: readonly string[],
  options: StartOptions,
): Promise<number> {
  const child = spawn(command, [...args], {
    env: { ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.owner === undefined ? {} : options.owner),
    stdio: 'ignore',
    detached: true,
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(
        new FerryError('gateway-command', `cannot start ${command}: ${messageOf(error)}`, {
          cause: error,
        }),
      ),
    );
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}
