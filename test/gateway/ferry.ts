/** The command line as its users run it, for tests with real products: a process with an environment of its own. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrandSetting } from '../../src/gateway/install/brands.ts';
import { runProcess, type RunResult } from '../../src/process/run.ts';
import type { TestServer } from '../support/servers.ts';

/** An installed command can be put to the test instead of the checkout. */
const COMMAND = process.env['STATEFERRY_TEST_COMMAND'];
const MAIN = join(import.meta.dirname, '../../src/main.ts');
const TIMEOUT_MS = 600_000;
const PASSPHRASE = 'planted-passphrase-of-a-test';

export type Ferry = {
  /** Answers the summary; everything that was said before it is in `lines`. */
  run(...args: string[]): Promise<FerryAnswer>;
};

export type FerryAnswer = {
  readonly exit: number | null;
  readonly lines: readonly Record<string, unknown>[];
  readonly summary: Record<string, unknown>;
  readonly stderr: string;
};

export type FerryPlace = {
  /** Settings and cache of this machine. */
  readonly settings: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whose bucket it is; none where the repository is a folder. */
  readonly server?: TestServer;
  /** That the settings make known. */
  readonly brands?: readonly BrandSetting[];
};

export function ferryIn({ settings, env, server, brands = [] }: FerryPlace): Ferry {
  const variables = {
    ...env,
    STATEFERRY_HOME: settings,
    STATEFERRY_PASSPHRASE: PASSPHRASE,
    ...(server && {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    }),
  };
  if (brands.length > 0) {
    mkdirSync(settings, { recursive: true, mode: 0o700 });
    writeFileSync(join(settings, 'brands.json'), JSON.stringify(brands));
  }
  const [command, ...first] = COMMAND === undefined ? [process.execPath, MAIN] : [COMMAND];
  return {
    run: async (...args) => {
      const options = {
        env: variables,
        timeoutMs: TIMEOUT_MS,
        signal: new AbortController().signal,
      };
      return answerOf(
        await runProcess(command ?? '', [...first, ...args, '--json', '--yes'], options),
      );
    },
  };
}

function answerOf({ exit, stdout, stderr }: RunResult): FerryAnswer {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { exit, lines, summary: lines.at(-1) ?? {}, stderr };
}

/** @throws with all that was said when it did not end with 0 */
export function mustSucceed(answer: FerryAnswer): FerryAnswer {
  const said = answer.lines.map((line) => JSON.stringify(line)).join('\n');
  assert.equal(answer.exit, 0, `${said}\n${answer.stderr}`);
  assert.equal(answer.summary['ok'], true);
  return answer;
}
