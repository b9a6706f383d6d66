/**
 * Performs the plan of a timer: its files, the crontab, the scheduler's commands. Installing ends with a timer that has
 * proved itself, or with everything as it was.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { bytePathFromText } from '../base/byte-path.ts';
import { DAY_MS } from '../base/durations.ts';
import { FerryError, messageOf, systemCode } from '../base/errors.ts';
import { asOwnerOf } from '../fs/own-file.ts';
import { writeFileDurable } from '../fs/sync.ts';
import type { RunResult } from '../process/run.ts';
import { crontabWith, isInCrontab } from './cron.ts';
import { listCommand, lookAtCrontab, readCrontab, writeCrontab } from './crontab.ts';
import { isSwitchedOn, must, tell, wordsOf, type TimerDeps } from './scheduler-command.ts';
import { bareEnvironment, type Command, type Timer, type TimerPlan } from './timer.ts';

export type InstallSteps = {
  /** Looks at how the one run went, which `ran` may explain. Throws where it did not go well. */
  readonly judge: (ran: RunResult) => void;
  /** What has to stand before the timer fires for the first time; and the way back. */
  readonly record: () => void;
  readonly forget: () => void;
};

/** @throws what `judge` throws, scheduler-failed, file-write */
export async function installTimer(
  timer: Timer,
  plan: TimerPlan,
  steps: InstallSteps,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<void> {
  const before = await takeStock(plan, deps, signal);
  let isRecorded = false;
  try {
    writeFiles(plan.files, timer);
    for (const command of plan.reload) await must(command, deps, signal);
    steps.judge(await prove(timer, plan, deps, signal));
    steps.record();
    isRecorded = true;
    if (plan.crontab !== undefined) {
      const block = Buffer.from(plan.crontab, 'utf8').toString('latin1');
      await writeCrontab(crontabWith(before.crontab, block), deps, signal);
    }
    for (const command of plan.enable) await enable(command, plan, deps, signal);
  } catch (error) {
    if (isRecorded) steps.forget();
    // What was interrupted is tidied up all the same.
    await putBack(timer, plan, before, deps, new AbortController().signal);
    throw error;
  }
}

export type RemovedTimer = {
  readonly files: readonly string[];
  readonly crontab: boolean;
  /** What the scheduler said where it did not do as it was told. */
  readonly complaints: readonly string[];
};

/** May be done again; what is not there is not missed. */
export async function removeTimer(
  timer: Timer,
  plan: TimerPlan,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<RemovedTimer> {
  const complaints: string[] = [];
  const there = filesOf(plan)
    .filter(({ text }) => text !== undefined)
    .map(({ path }) => path);
  if (there.length > 0) {
    for (const command of plan.disable) {
      const ran = await tell(command, deps, signal);
      if (ran.exit !== 0) complaints.push(wordsOf(command, ran));
    }
  }
  if (there.length > 0) await clear(timer, plan, there, deps, signal);
  if (plan.crontab === undefined) return { files: there, crontab: false, complaints };
  const found = await lookAtCrontab(deps, signal);
  if ('unreadable' in found) complaints.push(wordsOf(listCommand(deps), found.unreadable));
  const isInIt = 'text' in found && isInCrontab(found.text);
  if (isInIt) await writeCrontab(crontabWith(found.text, undefined), deps, signal);
  return { files: there, crontab: isInIt, complaints };
}

/** The files, and what the scheduler keeps of them besides. */
async function clear(
  timer: Timer,
  { reload, tidy, traces }: TimerPlan,
  files: readonly string[],
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<void> {
  for (const path of [...files, ...traces]) {
    asUser(timer, path, () => rmSync(path, { force: true }));
  }
  for (const command of [...reload, ...tidy]) await tell(command, deps, signal);
}

export type TimerState = {
  readonly missing: readonly string[];
  /** Undefined: nobody could be asked. */
  readonly isOn: boolean | undefined;
};

/** What is there of a timer that was installed. */
export async function lookAtTimer(
  plan: TimerPlan,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<TimerState> {
  const missing = filesOf(plan)
    .filter(({ text }) => text === undefined)
    .map(({ path }) => path);
  const found = plan.crontab === undefined ? undefined : await lookAtCrontab(deps, signal);
  if (found && 'text' in found && !isInCrontab(found.text)) {
    missing.push('its line in the crontab');
  }
  const isAsked = plan.ask !== undefined && missing.length === 0;
  return { missing, isOn: isAsked ? await isSwitchedOn(plan.ask, deps, signal) : undefined };
}

type FileStock = { readonly path: string; readonly text: string | undefined };
type Stock = { readonly files: readonly FileStock[]; readonly crontab: string };

/** @throws scheduler-failed */
async function takeStock(plan: TimerPlan, deps: TimerDeps, signal: AbortSignal): Promise<Stock> {
  const crontab = plan.crontab === undefined ? '' : await readCrontab(deps, signal);
  return { files: filesOf(plan), crontab };
}

const filesOf = ({ files }: TimerPlan): FileStock[] =>
  files.map(({ path }) => ({ path, text: textIfAny(path) }));

/** Of whatever the timer was before: nothing, or an older one. */
async function putBack(
  timer: Timer,
  plan: TimerPlan,
  before: Stock,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<void> {
  const isNew = before.files.some(({ text }) => text === undefined);
  const wasThere = before.files.length > 0 && !isNew;
  if (isNew) for (const command of plan.disable) await tell(command, deps, signal);
  for (const { path, text } of before.files) {
    if (text !== undefined) writeFiles([{ path, text }], timer);
  }
  const added = before.files.filter(({ text }) => text === undefined).map(({ path }) => path);
  if (isNew) await clear(timer, plan, added, deps, signal);
  else for (const command of plan.reload) await tell(command, deps, signal);
  if (wasThere) for (const command of plan.enable) await tell(command, deps, signal);
  if (plan.crontab !== undefined && (await readCrontab(deps, signal)) !== before.crontab) {
    await writeCrontab(before.crontab, deps, signal);
  }
}

/** A first push may take a night. */
const PROOF_TIMEOUT_MS = DAY_MS;

async function prove(
  timer: Timer,
  { prove }: TimerPlan,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<RunResult> {
  if (prove.by === 'command') {
    const [node = '', ...args] = prove.command;
    const { owner } = deps;
    return deps.run(node, args, {
      env: bareEnvironment(timer),
      cwd: timer.user.home,
      timeoutMs: PROOF_TIMEOUT_MS,
      signal,
      ...(owner && { owner }),
    });
  }
  try {
    return await tell(prove.start, deps, signal, { timeoutMs: PROOF_TIMEOUT_MS });
  } catch (error) {
    await tell(prove.stop, deps, new AbortController().signal);
    throw error;
  }
}

/** launchd takes a changed job only after the old one was thrown out. */
async function enable(
  command: Command,
  plan: TimerPlan,
  deps: TimerDeps,
  signal: AbortSignal,
): Promise<void> {
  if (command[1] === 'bootstrap') {
    for (const before of plan.disable) await tell(before, deps, signal);
  }
  await must(command, deps, signal);
}

function writeFiles(files: TimerPlan['files'], timer: Timer): void {
  for (const { path, text } of files) {
    try {
      asUser(timer, path, () => {
        mkdirSync(dirname(path), { recursive: true });
        writeFileDurable(bytePathFromText(path), text, 0o644);
      });
    } catch (error) {
      if (error instanceof FerryError) throw error;
      throw new FerryError('file-write', `cannot write ${path}: ${messageOf(error)}`, {
        hint: 'Check who may write there; a timer of the whole system needs root.',
        cause: error,
      });
    }
  }
}

/** In somebody's home, root has no more rights than they have. */
function asUser<T>({ user }: Timer, path: string, work: () => T): T {
  return path.startsWith(`${user.home}/`) ? asOwnerOf(bytePathFromText(user.home), work) : work();
}

function textIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
