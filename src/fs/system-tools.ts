import type { ProcessRunner, RunResult } from '../process/run.ts';
import { FerryError, systemCode } from '../base/errors.ts';

export type SystemTools = { readonly run: ProcessRunner; readonly signal: AbortSignal };

/**
 * Runs a tool of the operating system. Undefined when there is no such tool; with a fixed search path, since whatever
 * the user has first in theirs is not what is meant here.
 */
export async function runSystemTool(
  tools: SystemTools,
  command: string,
  args: readonly string[],
  stdin?: Uint8Array,
): Promise<RunResult | undefined> {
  try {
    return await tools.run(command, args, {
      env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
      timeoutMs: TOOL_TIMEOUT_MS,
      signal: tools.signal,
      ...(stdin === undefined ? {} : { stdin }),
    });
  } catch (error) {
    const code = systemCode(error instanceof FerryError ? error.cause : error);
    if (code === 'ENOENT' || code === 'EACCES') return undefined;
    throw error;
  }
}

const SYSTEM_PATH = '/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin:/run/current-system/sw/bin';
const TOOL_TIMEOUT_MS = 10 * 60_000;
