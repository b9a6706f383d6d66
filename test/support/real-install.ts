/**
 * An install made by a real product in a throwaway home, its turns answered by the model's stand-in. Products run with
 * a minimal environment of their own, never with the caller's.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { listens } from '../../src/gateway/running/running.ts';
import { runProcess } from '../../src/process/run.ts';
import type { RunResult } from '../../src/process/run.ts';
import { LLM_MODEL_REFERENCE, llmProviderConfig } from './llm-double.ts';
import type { Product } from './products.ts';

export type RealInstall = {
  readonly product: Product;
  readonly home: string;
  readonly stateDir: string;
  readonly configPath: string;
  /** What the product runs with; also right for whoever calls the product through us. */
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly isOnDefaultPort: boolean;
  readonly token: string;
  readonly agents: readonly string[];
  /** Before every command: `--profile work`. */
  readonly flags: readonly string[];
};

/** Where an install is, or will be; whatever is left out is as the product has it by itself. */
export type Place = {
  readonly product: Product;
  /** Made if it is not there. */
  readonly home: string;
  /** Below the home. */
  readonly stateDirName?: string;
  readonly configPath?: string;
  /** Where it listens when nobody says another: then its config says none. */
  readonly defaultPort?: number;
  readonly agents?: readonly string[];
  readonly flags?: readonly string[];
  /** For the product, beside those that every user has. */
  readonly variables?: Readonly<Record<string, string>>;
};

const STEP_TIMEOUT_MS = 300_000;
export const TOKEN = 'token-of-a-test';

/** One call of the product's own setup, nothing asked. */
export async function onboard(install: RealInstall, ...more: string[]): Promise<void> {
  await mustRun(install, [...onboardArguments(install), ...more]);
}

export function runCli(install: RealInstall, args: readonly string[]): Promise<RunResult> {
  return runProcess(install.product.cliPath, [...install.flags, ...args], {
    env: install.env,
    cwd: install.home,
    timeoutMs: STEP_TIMEOUT_MS,
    signal: new AbortController().signal,
  });
}

/** One agent turn in a process of its own, without a gateway. */
export async function runTurn(
  install: RealInstall,
  agent: string,
  message: string,
): Promise<string> {
  const result = await mustRun(install, [
    'agent',
    '--local',
    '--agent',
    agent,
    '--message',
    message,
    '--json',
  ]);
  return result.stdout;
}

export type RunningGateway = {
  readonly pid: number;
  /** One turn through the running gateway, fast: no process is started. */
  turn(agent: string, message: string): Promise<string>;
  output(): string;
  /** Asks it to end and waits for that. */
  stop(): Promise<void>;
};

const GATEWAY_START_MS = 120_000;
const GATEWAY_STOP_MS = 30_000;

export async function startGateway(install: RealInstall): Promise<RunningGateway> {
  const port = install.isOnDefaultPort ? [] : ['--port', String(install.port)];
  const args = [...install.flags, 'gateway', 'run', ...port];
  const child = spawn(install.product.cliPath, args, {
    env: { ...install.env },
    cwd: install.home,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-200_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.on('error', (error) => collect(Buffer.from(error.message)));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${install.product.cliPath}`);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (): Promise<void> => {
    if (hasEnded()) return;
    process.kill(-pid, 'SIGTERM');
    const kill = setTimeout(() => process.kill(-pid, 'SIGKILL'), GATEWAY_STOP_MS);
    await exited;
    clearTimeout(kill);
  };
  try {
    await untilUp(install, hasEnded);
  } catch (error) {
    await stop();
    throw new Error(`the gateway did not come up: ${output.slice(-3_000)}`, { cause: error });
  }
  return {
    pid,
    stop,
    output: () => output,
    turn: (agent, message) => httpTurn(install, agent, message),
  };
}

/** The product answers on its port with more than an open socket. */
async function untilUp(install: RealInstall, gone: () => boolean): Promise<void> {
  const signal = AbortSignal.timeout(GATEWAY_START_MS);
  const url = `http://127.0.0.1:${install.port}/`;
  for (;;) {
    if (gone()) throw new Error('it ended');
    if (await listens(install.port, signal)) {
      // One that came too early may never be answered.
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
      const answer = await fetch(url, { signal: limit }).catch(() => undefined);
      if (answer?.status === 200) return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const POLL_MS = 250;
const ANSWER_MS = 5_000;

/** Asked once more where it fails within: on a busy machine one that has just come up sometimes does. */
async function httpTurn(install: RealInstall, agent: string, message: string): Promise<string> {
  const first = await askOnce(install, agent, message);
  const { status, text } = first.status === 500 ? await askOnce(install, agent, message) : first;
  if (status === 200) return text;
  throw new Error(`turn: HTTP ${status} ${text.slice(0, 500)}`);
}

async function askOnce(
  install: RealInstall,
  agent: string,
  message: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const { apiName } = install.product;
  const response = await fetch(`http://127.0.0.1:${install.port}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${install.token}`,
      'content-type': 'application/json',
      [`x-${apiName}-agent-id`]: agent,
      [`x-${apiName}-session-key`]: `agent:${agent}:main`,
    },
    body: JSON.stringify({
      model: `${apiName}/${agent}`,
      messages: [{ role: 'user', content: message }],
    }),
  });
  return { status: response.status, text: await response.text() };
}

export function installAt(
  place: Place,
  { port, token }: { readonly port: number; readonly token: string },
): RealInstall {
  const { product, home } = place;
  const stateDir = `${home}/${place.stateDirName ?? `.${product.name}`}`;
  // A folder of its own for temporary files, so that nothing of it lands in the machine's.
  const temporary = join(dirname(home), `tmp-${basename(home)}`);
  mkdirSync(temporary, { recursive: true });
  return {
    product,
    home,
    stateDir,
    configPath: place.configPath ?? `${stateDir}/${product.name}.json`,
    port,
    isOnDefaultPort: place.defaultPort !== undefined,
    token,
    agents: place.agents ?? ['main', 'work', 'lab'],
    flags: place.flags ?? [],
    env: {
      PATH: [product.binDir, product.nodeBinDir, '/usr/bin', '/bin'].join(':'),
      HOME: home,
      USER: basename(home),
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      NO_COLOR: '1',
      TMPDIR: temporary,
      // January's dies of a channel that it cannot reach.
      [`${product.envPrefix}_SKIP_CHANNELS`]: '1',
      ...place.variables,
    },
  };
}

export async function mustRun(install: RealInstall, args: readonly string[]): Promise<RunResult> {
  const result = await runCli(install, args);
  if (result.exit === 0) return result;
  const said = `${result.stdout.slice(-1_500)}\n${result.stderr.slice(-1_500)}`;
  throw new Error(`${install.product.name} ${args.join(' ')}: exit ${result.exit}\n${said}`);
}

const onboardArguments = (install: RealInstall): string[] =>
  [
    'onboard --non-interactive --accept-risk --mode local --flow manual --auth-choice apiKey',
    `--anthropic-api-key no-real-key --gateway-port ${install.port} --gateway-bind loopback`,
    `--gateway-auth token --gateway-token ${install.token} --skip-channels --skip-skills`,
    '--skip-health --skip-ui --no-install-daemon --json',
  ]
    .join(' ')
    .split(' ');

/** The model's stand-in and the HTTP turns, written into the config as a person would. */
export function configure(install: RealInstall, llmBaseUrl: string): void {
  const config = JSON.parse(readFileSync(install.configPath, 'utf8')) as {
    agents: { defaults: Record<string, unknown> };
    gateway: Record<string, unknown>;
    [key: string]: unknown;
  };
  config['models'] = { mode: 'merge', providers: { double: llmProviderConfig(llmBaseUrl) } };
  config.agents.defaults['model'] = { primary: LLM_MODEL_REFERENCE };
  config.gateway['http'] = { endpoints: { chatCompletions: { enabled: true } } };
  writeFileSync(install.configPath, JSON.stringify(config, null, 2), { mode: 0o600 });
}
