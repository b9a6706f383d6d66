/** The package as a stranger gets it: packed from a copy of the sources, and unpacked elsewhere. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runProcess } from '../../src/process/run.ts';

const PROJECT = join(import.meta.dirname, '../..');

export type Packed = {
  /** The package's own folder. */
  readonly installed: string;
  readonly bin: string;
  readonly files: readonly string[];
  readonly bytes: number;
};

/** @param folder of the test, which removes it */
export async function packedIn(folder: string): Promise<Packed> {
  const copy = join(folder, 'copy');
  mkdirSync(copy);
  const config = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
  const texts = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE'];
  for (const name of [...config, ...texts, 'src', 'infra', 'test']) {
    cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
  const compiler = 'node_modules/typescript/bin/tsc';
  await mustRunIn(folder, process.execPath, [compiler, '-p', 'tsconfig.build.json'], copy);
  const packed = await mustRunIn(folder, 'npm', ['pack', '--ignore-scripts', '--json'], copy);
  const [report] = JSON.parse(packed) as {
    filename: string;
    size: number;
    files: { path: string }[];
  }[];
  assert.ok(report);
  const installed = join(folder, 'elsewhere/node_modules/stateferry');
  mkdirSync(installed, { recursive: true });
  const unpack = ['-xzf', report.filename, '--strip-components=1', '-C', installed];
  await mustRunIn(folder, 'tar', unpack, copy);
  symlinkSync(join(PROJECT, 'node_modules'), join(installed, 'node_modules'));
  return {
    installed,
    bin: join(installed, 'dist/bin.cjs'),
    files: report.files.map(({ path }) => path).toSorted(),
    bytes: report.size,
  };
}

/** With the Node of this project, a home of its own, and nothing else of the caller. */
export async function mustRunIn(
  folder: string,
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  const env = {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: home,
    TMPDIR: folder,
  };
  const signal = new AbortController().signal;
  const ran = await runProcess(command, [...args], { env, cwd, timeoutMs: 120_000, signal });
  assert.equal(ran.exit, 0, ran.stdout + ran.stderr);
  return ran.stdout;
}
