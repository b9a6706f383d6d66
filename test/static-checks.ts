/** What can be known without running anything: `npm run check`, and the first ring of `npm test`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export type CheckResult = {
  readonly name: string;
  readonly command: string;
  readonly isPassed: boolean;
  /** Empty where the check passed. */
  readonly output: string;
};

const projectFolder = join(import.meta.dirname, '..');

/** In this order: publint looks at what the build left. */
const CHECKS = [
  ['types', 'tsc'],
  ['lint', 'oxlint --type-aware --deny-warnings'],
  ['format', 'oxfmt --check .'],
  ['nothing unused', 'knip'],
  ['build', 'npm run build'],
  ['package', 'publint --strict'],
] as const;

export function* runStaticChecks(env: Readonly<Record<string, string>>): Generator<CheckResult> {
  const bin = join(projectFolder, 'node_modules/.bin');
  const PATH = `${bin}:${env['PATH'] ?? ''}`;
  for (const [name, command] of CHECKS) {
    const [file = '', ...args] = command.split(' ');
    const options = { cwd: projectFolder, env: { ...env, PATH }, encoding: 'utf8' } as const;
    const result = spawnSync(file, args, options);
    const isPassed = result.status === 0;
    const said = [result.stdout, result.stderr, result.error?.message].join('\n').trim();
    yield { name, command, isPassed, output: isPassed ? '' : said };
  }
}

export function sayCheck(result: CheckResult): void {
  process.stdout.write(`${result.isPassed ? '✔' : '✖'} ${result.name} (${result.command})\n`);
  if (!result.isPassed) process.stdout.write(`${result.output}\n`);
}

if (import.meta.main) {
  const env = Object.fromEntries(
    Object.entries(process.env).map(([name, value]) => [name, value ?? '']),
  );
  for (const result of runStaticChecks(env)) {
    sayCheck(result);
    if (!result.isPassed) process.exitCode = 1;
  }
}
