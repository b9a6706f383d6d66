/** This machine's name in a repository: the part behind `@` of an install. */
import { hostname } from 'node:os';
import { FerryError } from '../../base/errors.ts';

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,63}$/u;

/**
 * A name that no other machine there has: installs are told apart by it. One that was typed is meant, even if it is
 * taken (the same machine, set up anew).
 */
export function nameAmong(typed: string | undefined, taken: ReadonlySet<string>): string {
  const name = machineName(typed);
  if (typed !== undefined || !taken.has(name)) return name;
  for (let number = 2; ; number++) {
    const next = `${name.slice(0, 60)}-${number}`;
    if (!taken.has(next)) return next;
  }
}

export function machineName(typed: string | undefined): string {
  if (typed === undefined) {
    const host = hostname()
      .replaceAll(/[^\p{L}\p{N}._-]/gu, '-')
      .slice(0, 64);
    return NAME.test(host) ? host : 'machine';
  }
  if (NAME.test(typed)) return typed;
  throw new FerryError('usage', "the machine's name cannot be used", {
    hint: 'Use 1 to 64 letters, digits, dots, dashes and underscores; no @ and no colon.',
  });
}
