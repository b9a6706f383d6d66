/** A crontab, read and written as a whole through its command: it holds the lines of others too. */
import type { RunResult } from '../process/run.ts';
import { COMMAND_NOT_FOUND, must, refusal, tell, type TimerDeps } from './scheduler-command.ts';
import type { Command } from './timer.ts';

/** A string for each byte: lines of others may be of any encoding, and are written back as they were. */
export type Crontab = { readonly text: string } | { readonly unreadable: RunResult };

/** None at all has no line, and is not the same as one that cannot be read. */
export async function lookAtCrontab(deps: TimerDeps, signal: AbortSignal): Promise<Crontab> {
  const ran = await tell(listCommand(deps), deps, signal, { isStdoutBytes: true });
  if (ran.truncated) return { unreadable: ran };
  if (ran.exit === 0) return { text: ran.stdout };
  const isNone = ran.exit === COMMAND_NOT_FOUND || NO_CRONTAB.test(ran.stderr);
  return isNone ? { text: '' } : { unreadable: ran };
}

/** As the crons tell it. Who may not have one has none. */
const NO_CRONTAB = /\bno (?:f?crontab|such file)\b|does not exist|not allowed/i;

/** What is written in its place has to hold the lines of others too. @throws scheduler-failed */
export async function readCrontab(deps: TimerDeps, signal: AbortSignal): Promise<string> {
  const found = await lookAtCrontab(deps, signal);
  if ('text' in found) return found.text;
  throw refusal(listCommand(deps), found.unreadable);
}

/** @throws scheduler-failed */
export async function writeCrontab(
  text: string,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<void> {
  const command = [...crontabCommand(deps), ...(text === '' ? ['-r'] : ['-'])];
  await must(command, deps, signal, { stdin: Buffer.from(text, 'latin1') });
}

export const listCommand = (deps: TimerDeps): Command => [...crontabCommand(deps), '-l'];

const crontabCommand = ({ owner }: TimerDeps): Command =>
  owner ? ['crontab', '-u', owner.name] : ['crontab'];
