/** Words for people: the talk on stderr with a progress line on a terminal, the answer on stdout. */
import type { Clock } from '../../base/clock.ts';
import { unreachable } from '../../base/errors.ts';
import type { FerryEvent } from '../../base/events.ts';
import { answerLines, isOnlyAReport, itemLine } from './answers.ts';
import { failureLines } from './failure.ts';
import { leavePlanLines } from './members/leave-answer.ts';
import { revokePlanLines } from './members/machines-answer.ts';
import { Meter, type Progress } from './meter.ts';
import type { AnyPlanShown, Output, OutputChoices, Sinks } from './output.ts';
import { forgetPlanLines } from './keeping/forget-answer.ts';
import { paintFor } from './text/paint.ts';
import { planLines } from './pull/answer.ts';
import { printableLine, printableText } from './text/printable.ts';
import { prunePlanLines } from './keeping/prune-answer.ts';
import { schedulePlanLines } from './schedule/answer.ts';
import { repairPlanLines } from './keeping/repair-answer.ts';
import { repackPlanLines } from './keeping/repack-answer.ts';
import { undoPlanLines } from './pull/undo-answer.ts';
import { durationText, messageText } from './text/words.ts';

/** @param stop ends a command whose answer does not arrive any more */
export function textOutput(
  sinks: Sinks,
  choices: OutputChoices,
  clock: Clock,
  stop: (why: Error) => void,
): Output {
  const talk = new Talk(sinks, choices, clock);
  const stopIfOver = (): void => {
    const why = sinks.stdout.over();
    if (why) stop(why);
  };
  return {
    emit: (event) => talk.hear(event),
    step: (text) => {
      if (!choices.quiet) talk.lines([printableLine(text)]);
    },
    plan: (plan) => {
      if (!choices.quiet) talk.lines(linesOf(plan));
    },
    item: (item) => {
      talk.clearProgress();
      sinks.stdout.write(`${itemLine(item)}\n`);
      stopIfOver();
    },
    payload: async (bytes) => {
      talk.clearProgress();
      await sinks.stdout.writeBytes(bytes);
      stopIfOver();
    },
    finish: (summary, exit) => {
      talk.clearProgress();
      if (choices.quiet && isOnlyAReport(summary)) return;
      const paint = paintFor(choices.color && sinks.stdout.isTerminal);
      const lines = answerLines(summary, { exit, verbose: choices.verbose, paint });
      if (lines.length > 0) sinks.stdout.write(`${lines.join('\n')}\n`);
    },
    fail: (failure) => {
      talk.clearProgress();
      talk.lines(failureLines(failure, choices.verbose));
    },
  };
}

function linesOf(plan: AnyPlanShown): string[] {
  if (!('verb' in plan)) return planLines(plan);
  switch (plan.verb) {
    case 'leave':
      return leavePlanLines(plan);
    case 'revoke':
      return revokePlanLines(plan);
    case 'forget':
      return forgetPlanLines(plan);
    case 'prune':
      return prunePlanLines(plan);
    case 'repack':
      return repackPlanLines(plan);
    case 'repair':
      return repairPlanLines(plan);
    case 'schedule':
      return schedulePlanLines(plan);
    default:
      return undoPlanLines(plan);
  }
}

/** In a pipe or a log the progress is a line this often. */
const PLAIN_EVERY_MS = 10_000;
const UNSAID_MS = 1000;
/** A retry is worth a word when it is no longer a hiccup; of several that wait for the same store, one. */
const ATTEMPTS_UNSAID = 2;
const WAITING_EVERY_MS = 5_000;

class Talk {
  readonly #sinks: Sinks;
  readonly #choices: OutputChoices;
  readonly #clock: Clock;
  readonly #meter = new Meter();
  #isProgressShown = false;
  #plainSaidMs: number;
  #waitingSaidMs = -Infinity;

  constructor(sinks: Sinks, choices: OutputChoices, clock: Clock) {
    this.#sinks = sinks;
    this.#choices = choices;
    this.#clock = clock;
    this.#plainSaidMs = clock.nowMs();
  }

  hear(event: FerryEvent): void {
    const { quiet, verbose } = this.#choices;
    switch (event.type) {
      case 'problem':
        return this.lines([`problem: ${printableLine(event.path)}: ${messageText(event.message)}`]);
      case 'progress':
        return quiet ? undefined : this.#progress(event);
      case 'stage':
        return quiet ? undefined : this.#stage(event.stage, event.detail);
      case 'underway':
        return quiet ? undefined : this.#underWay(event);
      case 'notice':
        return quiet ? undefined : this.lines(noticeLines(event));
      case 'omission':
        if (!verbose) return;
        return this.lines([`left out: ${printableLine(event.path)}: ${event.reason}`]);
      case 'retry': {
        if (quiet || (!verbose && !this.#isWorthAWord(event.attempt))) return;
        const when = `again in ${durationText(event.delayMs)}`;
        const what = printableLine(event.message);
        return this.lines([`waiting: ${what} (try ${event.attempt}, ${when})`]);
      }
      case 'check':
        return verbose ? this.lines([checkLine(event)]) : undefined;
      case 'command':
        return quiet ? undefined : this.lines(commandLines(event, verbose));
      default:
        return unreachable(event);
    }
  }

  #isWorthAWord(attempt: number): boolean {
    const nowMs = this.#clock.nowMs();
    if (attempt <= ATTEMPTS_UNSAID || nowMs - this.#waitingSaidMs < WAITING_EVERY_MS) return false;
    this.#waitingSaidMs = nowMs;
    return true;
  }

  lines(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.clearProgress();
    this.#sinks.stderr.write(`${lines.join('\n')}\n`);
  }

  clearProgress(): void {
    if (this.#isProgressShown) this.#sinks.stderr.write('\r\u001b[K');
    this.#isProgressShown = false;
  }

  #stage(stage: string, detail: string | undefined): void {
    const line = printableLine(
      detail === undefined || detail === '' ? stage : `${stage} ${detail}`,
    );
    if (this.#sinks.stderr.isTerminal) this.#show(`${line} …`);
    else this.lines([line]);
  }

  #progress(progress: Progress): void {
    this.#tick(this.#meter.line(progress, this.#clock.nowMs()));
  }

  #underWay({ what, durationMs }: Of<'underway'>): void {
    // What is over in a moment is not worth a word.
    if (durationMs < UNSAID_MS || (!this.#sinks.stderr.isTerminal && durationMs < PLAIN_EVERY_MS))
      return;
    this.#tick(`${printableLine(what)} … ${durationText(durationMs)}`);
  }

  #tick(line: string): void {
    const nowMs = this.#clock.nowMs();
    if (this.#sinks.stderr.isTerminal) return this.#show(line);
    if (nowMs - this.#plainSaidMs < PLAIN_EVERY_MS) return;
    this.#plainSaidMs = nowMs;
    this.lines([line]);
  }

  /** In place of the line before, never wider than the terminal. */
  #show(line: string): void {
    const columns = Math.max(20, this.#sinks.stderr.columns() - 1);
    this.#sinks.stderr.write(`\r\u001b[K${line.slice(0, columns)}`);
    this.#isProgressShown = true;
  }
}

type Of<T extends FerryEvent['type']> = Extract<FerryEvent, { readonly type: T }>;

function noticeLines({ message, hint }: Of<'notice'>): string[] {
  const lines = [`note: ${messageText(message)}`];
  return hint === undefined ? lines : [...lines, `hint: ${printableLine(hint)}`];
}

function checkLine({ check, ok, expected, found }: Of<'check'>): string {
  const what = ok ? found : `expected ${expected}, found ${found}`;
  return printableLine(`${ok ? 'ok' : 'FAILED'}: ${check}: ${what}`);
}

function commandLines(event: Of<'command'>, verbose: boolean): string[] {
  const end = event.exit === null ? 'ended by a signal' : `exit ${event.exit}`;
  const line = `ran: ${printableLine(event.command)} (${end}, ${durationText(event.durationMs)})`;
  const output = verbose && event.output.trim() !== '' ? [printableText(event.output.trim())] : [];
  return [line, ...output];
}
