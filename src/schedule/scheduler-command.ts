/** The commands of a scheduler, run as the user or as root for somebody; and what they said where they failed. */
import { FerryError } from '../base/errors.ts';
import type { ProcessRunner, RunOptions, RunResult } from '../process/run.ts';
import type { Command } from './timer.ts';

export type TimerDeps = {
  readonly run: ProcessRunner;
  /** For the scheduler's own commands. */
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number;
  /** Root, at work for somebody: whose crontab, whose rights. */
  readonly owner?: { readonly uid: number; readonly gid: number; readonly name: string };
};

/** @throws scheduler-failed */
export async function must(
  command: Command,
  deps: TimerDeps,
  signal: AbortSignal,
  told: Told = {},
): Promise<void> {
  const ran = await tell(command, deps, signal, told);
  if (ran.exit !== 0) throw refusal(command, ran);
}

const COMMAND_TIMEOUT_MS = 60_000;

type Told = Pick<RunOptions, 'stdin' | 'isStdoutBytes'> & { readonly timeoutMs?: number };

/**
 * With the address of the user's own manager, which a plain ssh or sudo shell may lack, and which root has another one
 * of. That manager listens to its user alone.
 */
export async function tell(
  command: Command,
  { run, env, uid, owner }: TimerDeps,
  signal: AbortSignal,
  told: Told = {},
): Promise<RunResult> {
  const [program = '', ...args] = command;
  const runtime = owner ? undefined : env['XDG_RUNTIME_DIR'];
  try {
    return await run(program, args, {
      env: { ...env, XDG_RUNTIME_DIR: runtime ?? `/run/user/${uid}`, LC_ALL: 'C' },
      timeoutMs: COMMAND_TIMEOUT_MS,
      signal,
      ...(owner && args[0] === '--user' && { owner }),
      ...told,
    });
  } catch (error) {
    if (!(error instanceof FerryError) || error.code !== 'gateway-command') throw error;
    return { ...NOT_STARTED, stderr: error.message };
  }
}

/** As a shell tells it. */
export const COMMAND_NOT_FOUND = 127;
const NOT_STARTED: RunResult = {
  exit: COMMAND_NOT_FOUND,
  signal: null,
  stdout: '',
  stderr: '',
  durationMs: 0,
  timedOut: false,
  truncated: false,
};

export function refusal(command: Command, ran: RunResult): FerryError {
  return new FerryError('scheduler-failed', wordsOf(command, ran), {
    hint: 'Nothing was installed. Run that command by itself to see what is wrong with it.',
  });
}

export function wordsOf(command: Command, ran: RunResult): string {
  const said = lastWords(ran);
  const end = ran.timedOut ? 'took too long' : `ended with ${ran.exit ?? ran.signal}`;
  return `${command.join(' ')} ${end}${said === '' ? '' : `: ${said}`}`;
}

/** The line that says what is wrong; systemctl adds one that says where to see more. */
export const lastWords = ({ stderr }: RunResult): string => {
  const lines = stderr.trim().split('\n');
  return lines.findLast((line) => !line.startsWith('See ')) ?? '';
};

/** Undefined: the manager cannot be asked from here. */
export async function isSwitchedOn(
  command: Command,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const { exit, stderr } = await tell(command, deps, signal);
  if (exit === 0) return true;
  return exit === COMMAND_NOT_FOUND || /failed to connect/i.test(stderr) ? undefined : false;
}
