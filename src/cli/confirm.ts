/** Asking before a dangerous step: `--yes` answers, a person at a terminal does, nobody else can. */
import { FerryError } from '../base/errors.ts';
import type { Session } from './session.ts';

/** @throws confirmation-needed without `--yes` and without a terminal, or when the answer is no */
export async function confirm(session: Session, question: string): Promise<void> {
  const { options, terminal, signal } = session;
  if (options.yes === true) return;
  if (!terminal.isThere || options.json === true) {
    throw new FerryError('confirmation-needed', `this needs a yes: ${question}`, {
      hint: 'Run the same with --yes when it is meant.',
    });
  }
  const answer = await terminal.ask(`${question} [y/N] `, signal);
  if (isYes(answer)) return;
  throw new FerryError('confirmation-needed', 'the answer was no, so nothing was changed', {
    hint: 'Run the same again when it is meant.',
  });
}

/**
 * For what cannot be taken back and is seldom meant: a yes is typed too easily.
 * @throws confirmation-needed without `--yes` and without a terminal, or when the answer is something else
 */
export async function confirmByWord(
  session: Session,
  question: string,
  word: string,
): Promise<void> {
  const { options, terminal, signal } = session;
  if (options.yes === true) return;
  if (!terminal.isThere || options.json === true) return confirm(session, question);
  const answer = await terminal.ask(`${question} Type ${word} to go on: `, signal);
  if (answer.trim().toLowerCase() === word) return;
  throw new FerryError('confirmation-needed', `${word} was not typed, so nothing was changed`, {
    hint: 'Run the same again when it is meant.',
  });
}

export const isYes = (answer: string): boolean => /^\s*y(es)?\s*$/i.test(answer);
