/** The command line as people run it: a process of its own, with a home and settings of its own. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageText } from '../../src/cli/output/text/words.ts';
import { runProcess, type RunOptions } from '../../src/process/run.ts';

export const MAIN = join(import.meta.dirname, '../../src/main.ts');
const TIMEOUT_MS = 120_000;
/** Planted wherever a secret may be given: it must never come out. */
export const PASSPHRASE = 'planted-passphrase-4711';

export type Answer = {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON Lines. */
  lines(): Record<string, unknown>[];
  last(): Record<string, unknown>;
};

export type Machine = {
  readonly folder: string;
  readonly home: string;
  readonly settings: string;
  readonly passphraseFile: string;
  run(...args: string[]): Promise<Answer>;
  runWith(variables: Record<string, string>, ...args: string[]): Promise<Answer>;
};

export function makeFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'cli-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** @param owner for tests that shall not be root's; its folder is theirs, what lies in it not yet */
export function makeMachine(
  parent: string,
  name: string,
  owner?: NonNullable<RunOptions['owner']>,
): Machine {
  const folder = join(parent, name);
  const home = join(folder, 'home', name);
  mkdirSync(home, { recursive: true });
  const passphraseFile = join(folder, 'passphrase');
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`);
  if (owner) for (const path of [folder, home]) chownSync(path, owner.uid, owner.gid);
  const settings = join(folder, 'ferry');
  const runWith: Machine['runWith'] = async (variables, ...args) => {
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: home,
      TMPDIR: folder,
      STATEFERRY_HOME: settings,
      ...variables,
    };
    const signal = new AbortController().signal;
    const options = { env, cwd: folder, timeoutMs: TIMEOUT_MS, signal, ...(owner && { owner }) };
    const { exit, stdout, stderr } = await runProcess(process.execPath, [MAIN, ...args], options);
    const lines = (): Record<string, unknown>[] =>
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => asRecord(JSON.parse(line)));
    return { exit, stdout, stderr, lines, last: () => lines().at(-1) ?? {} };
  };
  return {
    folder,
    home,
    settings,
    passphraseFile,
    runWith,
    run: (...args) => runWith({}, ...args),
  };
}

export function succeeded(answer: Answer): Answer {
  assert.equal(answer.exit, 0, answer.stderr + answer.stdout);
  return answer;
}

/** The last line is an error, the same one as in words. */
export async function fails(
  machine: Machine,
  args: readonly string[],
  expected: { readonly exit: number; readonly code: string },
): Promise<void> {
  const words = await machine.run(...args);
  assert.equal(words.exit, expected.exit, words.stderr);
  const [error, hint, ...more] = words.stderr
    .split('\n')
    .filter((line) => /^(error|hint):/.test(line))
    .slice(-2);
  assert.match(error ?? '', /^error: ./);
  assert.match(hint ?? '', /^hint: ./);
  assert.deepEqual(more, []);
  const json = (await machine.run(...args, '--json')).last();
  assert.equal(json['type'], 'error');
  assert.equal(json['code'], expected.code);
  assert.equal(json['exit'], expected.exit);
  assert.equal(`error: ${messageText(String(json['message']))}`, error);
  assert.equal(`hint: ${String(json['hint'])}`, hint);
}

export function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error('not an object');
  return { ...value };
}
