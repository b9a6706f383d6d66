/** Types what a recovery kit tells to type, line by line as it stands there, into a shell of a machine that is new. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess, type RunResult } from '../../src/process/run.ts';

/** As the kit writes it. */
export const STATEFERRY_TYPED = 'npx -y -p node@24 -p stateferry stateferry';

/** Lines that are set off from the text. */
export const typedLines = (page: string): string[] =>
  page.split('\n').flatMap((line) => /^ {5}(?<typed>\S.*)$/.exec(line)?.groups?.['typed'] ?? []);

/** The one line of the page that runs this verb. */
export function lineOf(page: string, verb: string): string {
  const lines = typedLines(page).filter((line) => line.startsWith(`${STATEFERRY_TYPED} ${verb}`));
  const [only] = lines;
  assert.ok(only !== undefined && lines.length === 1, `${lines.length} lines run ${verb}`);
  return only;
}

/** `export NAME='...'`, with what a person puts in place of the dots. */
export function exportLines(page: string, keys: Readonly<Record<string, string>>): string {
  const lines = typedLines(page).filter((line) => line.startsWith('export '));
  const names = lines.map(
    (line) => /^export (?<name>[A-Z_]+)='\.\.\.'$/.exec(line)?.groups?.['name'],
  );
  assert.deepEqual(names.toSorted(), Object.keys(keys).toSorted());
  return Object.entries(keys)
    .map(([name, value]) => `export ${name}='${value}'`)
    .join('; ');
}

/** An npx that runs this command where it is asked for stateferry, as a machine without it would. */
export function fakeNpx(folder: string, command: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'npx');
  const words = command.map((word) => `'${word}'`).join(' ');
  writeFileSync(
    path,
    `#!/bin/sh
[ "npx $1 $2 $3 $4 $5 $6" = "${STATEFERRY_TYPED}" ] || { echo "npx: $*" >&2; exit 99; }
shift 6
exec ${words} "$@"
`,
  );
  chmodSync(path, 0o755);
  return folder;
}

export type Shell = { readonly env: Readonly<Record<string, string>>; readonly cwd: string };

export function typeInto({ env, cwd }: Shell, line: string): Promise<RunResult> {
  const signal = new AbortController().signal;
  return runProcess('/bin/sh', ['-c', line], { env, cwd, timeoutMs: 600_000, signal });
}
