/** What `--read-data` asks for, and how a check ends. */
import { ERROR_CODES, FerryError, type ErrorCode } from '../../base/errors.ts';

/** @param typed as commander leaves `--read-data[=PERCENT]`: absent, true, or text */
export function readPercent(typed: unknown): number {
  if (typed === undefined) return 0;
  if (typed === true) return 100;
  const text = typeof typed === 'string' ? typed : '';
  const match = /^(\d{1,3}(?:\.\d{1,3})?)%?$/.exec(text);
  const percent = Number(match?.[1]);
  if (match !== null && percent > 0 && percent <= 100) return percent;
  throw new FerryError('usage', `--read-data=${text} is no percentage`, {
    hint: 'Give a number above 0 and up to 100, as --read-data=5%; without one everything is read.',
  });
}

const isCode = (code: string): code is ErrorCode => code in ERROR_CODES;

/** The gravest: damaged weighs more than missing. */
export function exitOfProblems(problems: readonly { readonly code: string }[]): number {
  const damaged = ERROR_CODES['object-damaged'].exit;
  const exits = problems.map(({ code }) => (isCode(code) ? ERROR_CODES[code].exit : damaged));
  return Math.max(0, ...exits);
}
