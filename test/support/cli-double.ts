/** A product command without a process: what it answers to which words, and what it was asked. */
import { BRANDS, findBrand } from '../../src/gateway/install/brands.ts';
import type { ProductCli } from '../../src/gateway/product/product-cli.ts';
import type { RunResult } from '../../src/process/run.ts';

export type CliDouble = ProductCli & { readonly asked: string[] };

/** @param answers by the words of a command; the longest beginning counts */
export function cliDouble(
  answers: Readonly<Record<string, Partial<RunResult> | string>>,
  version = '2026.3.2',
): CliDouble {
  const brand = findBrand(BRANDS, 'openclaw');
  if (brand === undefined) throw new Error('no brand');
  const asked: string[] = [];
  return {
    brand,
    path: '/usr/bin/openclaw',
    version,
    asked,
    run: async (args) => {
      const line = args.join(' ');
      asked.push(line);
      const [found] = Object.keys(answers)
        .filter((words) => line.startsWith(words))
        .toSorted((a, b) => b.length - a.length);
      const answer = answers[found ?? ''] ?? { exit: 1, stderr: `unknown command '${line}'` };
      return { ...CALM, ...(typeof answer === 'string' ? { stdout: answer } : answer) };
    },
  };
}

const CALM: RunResult = {
  exit: 0,
  signal: null,
  stdout: '',
  stderr: '',
  durationMs: 1,
  timedOut: false,
  truncated: false,
};
