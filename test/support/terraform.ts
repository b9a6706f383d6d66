/** Running Terraform or OpenTofu, whichever is here. */
import { runProcess, type RunResult } from '../../src/process/run.ts';
import { tmpdir } from 'node:os';

/** By its name on PATH; undefined: there is none. */
export async function findTerraform(): Promise<string | undefined> {
  for (const program of ['terraform', 'tofu']) {
    const found = await askTerraform(program, ['version'], tmpdir(), tmpdir()).catch(
      () => undefined,
    );
    if (found?.exit === 0) return program;
  }
  return undefined;
}

/** @param variables beside PATH and HOME */
export function askTerraform(
  program: string,
  args: readonly string[],
  cwd: string,
  home: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    CHECKPOINT_DISABLE: '1',
    ...variables,
  };
  const plain = args[0] === 'version' ? [] : ['-no-color'];
  const signal = new AbortController().signal;
  return runProcess(program, [...args, ...plain], { env, cwd, timeoutMs: 300_000, signal });
}
