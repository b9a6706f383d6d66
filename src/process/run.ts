/**
 * The only door to child processes. Never a shell; the environment is given whole, nothing is inherited. The child
 * leads a process group of its own, so that a timeout or an abort ends everything it started.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  FerryError,
  messageOf,
  openFilesLimit,
  systemCode,
  throwIfAborted,
} from '../base/errors.ts';

export type RunOptions = {
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs: number;
  /** Absent: stdin is closed at once, so that nothing can wait for an answer. */
  readonly stdin?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** Of each stream; what comes after it is read and dropped. */
  readonly outputBytesMax?: number;
  /** One character for each byte of stdout, whatever text it is: for what is written back as it was. */
  readonly isStdoutBytes?: boolean;
  /** Run as somebody else (needs root). */
  readonly owner?: { readonly uid: number; readonly gid: number };
};

export type RunResult = {
  /** Null when a signal ended it. */
  readonly exit: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly timedOut: boolean;
  /** Some output was dropped because of `outputBytesMax`. */
  readonly truncated: boolean;
};

/** What the engine asks for, so that a test can stand in. Exit codes are answers; not starting at all throws. */
export type ProcessRunner = (
  command: string,
  args: readonly string[],
  options: RunOptions,
) => Promise<RunResult>;

const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
/** Between asking a group to end and ending it. */
const KILL_GRACE_MS = 3_000;
/** A grandchild may keep our pipes open for ever after the child is gone. */
const PIPE_GRACE_MS = 1_000;

export const runProcess: ProcessRunner = async (command, args, options) => {
  throwIfAborted(options.signal);
  const startedMs = performance.now();
  const child = spawn(command, [...args], {
    env: { ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.owner === undefined ? {} : options.owner),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const bytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
  const stdout = collect(
    child.stdout,
    bytesMax,
    options.isStdoutBytes === true ? 'latin1' : 'utf8',
  );
  const stderr = collect(child.stderr, bytesMax);
  feed(child, options.stdin);
  const ending = endInTime(child, options);
  try {
    const { exit, signal } = await finished(child, command);
    throwIfAborted(options.signal);
    return {
      exit,
      signal,
      stdout: stdout.text(),
      stderr: stderr.text(),
      durationMs: Math.round(performance.now() - startedMs),
      timedOut: ending.timedOut(),
      truncated: stdout.truncated() || stderr.truncated(),
    };
  } finally {
    ending.stop();
  }
};

type Collected = { readonly text: () => string; readonly truncated: () => boolean };

function collect(
  stream: NodeJS.ReadableStream | null,
  bytesMax: number,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Collected {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let dropped = false;
  stream?.on('data', (chunk: Uint8Array) => {
    const room = bytesMax - bytes;
    if (chunk.length > room) dropped = true;
    if (room <= 0) return;
    const kept = chunk.subarray(0, room);
    chunks.push(kept);
    bytes += kept.length;
  });
  // A pipe that we destroyed ourselves may report it; the exit status is what counts.
  stream?.on('error', () => undefined);
  return { text: () => Buffer.concat(chunks).toString(encoding), truncated: () => dropped };
}

function feed(child: ChildProcess, stdin: string | Uint8Array | undefined): void {
  // A child that does not read its input is no failure: EPIPE is expected.
  child.stdin?.on('error', () => undefined);
  if (stdin === undefined) child.stdin?.end();
  else child.stdin?.end(stdin);
}

type Ending = { readonly timedOut: () => boolean; readonly stop: () => void };

function endInTime(child: ChildProcess, options: RunOptions): Ending {
  let timedOut = false;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (): void => {
    signalGroup(child, 'SIGTERM');
    killTimer ??= setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_GRACE_MS);
  };
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, options.timeoutMs);
  options.signal.addEventListener('abort', end, { once: true });
  return {
    timedOut: () => timedOut,
    stop: () => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', end);
      if (killTimer === undefined) return;
      clearTimeout(killTimer);
      // The leader is gone; what it started and left in the group must not outlive the timeout.
      signalGroup(child, 'SIGKILL');
    },
  };
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

type Exit = { readonly exit: number | null; readonly signal: string | null };

function finished(child: ChildProcess, command: string): Promise<Exit> {
  return new Promise((resolve, reject) => {
    let pipeTimer: NodeJS.Timeout | undefined;
    child.once('error', (error) => {
      // Without a pid it never ran; otherwise 'exit' still follows.
      if (child.pid !== undefined) return;
      reject(
        openFilesLimit(error) ??
          new FerryError('gateway-command', `cannot start ${command}: ${messageOf(error)}`, {
            cause: error,
          }),
      );
    });
    child.once('exit', (exit, signal) => {
      pipeTimer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ exit, signal });
      }, PIPE_GRACE_MS);
    });
    child.once('close', (exit, signal) => {
      clearTimeout(pipeTimer);
      resolve({ exit, signal });
    });
  });
}
