/** The command that was typed, with other arguments: for people to copy. */
import { bytePathFromText } from '../../base/byte-path.ts';
import { shellWord } from '../../base/shell-word.ts';
import type { Call } from '../verb.ts';

/** @param without options that do not go with the new arguments */
export function commandAgain(
  verb: string,
  args: readonly string[],
  { options }: Call,
  without: readonly string[],
): string {
  const left = new Set([...without, ...OF_THE_OUTPUT]);
  const words = Object.entries(options)
    .filter(([name]) => !left.has(name))
    .flatMap(([name, value]) => optionWords(name, value));
  return ['stateferry', verb, ...args, ...words].join(' ');
}

const OF_THE_OUTPUT = ['json', 'quiet', 'verbose', 'color'];
/** On unless `--no-…` is said. */
const SWITCHED_OFF = new Set(['doctor', 'restart']);

function optionWords(name: string, value: unknown): string[] {
  const flag =
    name === 'repository'
      ? '-r'
      : `--${name.replaceAll(/[A-Z]/g, (one) => `-${one.toLowerCase()}`)}`;
  if (SWITCHED_OFF.has(name)) return value === false ? [`--no-${name}`] : [];
  if (value === true) return [flag];
  const values = Array.isArray(value)
    ? value.map(String)
    : typeof value === 'string'
      ? [value]
      : [];
  return values.flatMap((one) => [flag, quoted(one)]);
}

const quoted = (text: string): string =>
  /^[A-Za-z0-9@%+=:,./_-]+$/.test(text) ? text : shellWord(bytePathFromText(text));
