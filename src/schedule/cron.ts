/**
 * cron: a block of lines in the user's own crontab, the rest of which stays as it is. cron makes up for nothing, so the
 * hourly look does. The lock of the settings keeps two runs apart.
 */
import { minuteOf, type Timer, type TimerPlan } from './timer.ts';

const BEGIN =
  '# stateferry: begin (written by stateferry schedule install, removed by schedule remove)';
const END = '# stateferry: end';

export function cronPlan(timer: Timer): TimerPlan {
  return {
    scheduler: { kind: 'cron', scope: 'user' },
    files: [],
    crontab: blockText(timer),
    reload: [],
    prove: { by: 'command', command: timer.command, environment: timer.environment },
    enable: [],
    disable: [],
    tidy: [],
    traces: [],
    ask: undefined,
  };
}

/** The text with our block in it once, at its end; without one, taken out. */
export function crontabWith(text: string, block: string | undefined): string {
  const kept = withoutBlock(text);
  if (block === undefined) return kept;
  return `${kept}${kept === '' || kept.endsWith('\n') ? '' : '\n'}${block}`;
}

export const isInCrontab = (text: string): boolean => text.split('\n').includes(BEGIN);

/** From the line that begins it to the one that ends it; a block that somebody cut off ends with our own line. */
function withoutBlock(text: string): string {
  const lines = text.split('\n');
  const begin = lines.indexOf(BEGIN);
  if (begin < 0) return text;
  const end = lines.indexOf(END, begin);
  const count = end < 0 ? 2 : end - begin + 1;
  return withoutBlock([...lines.slice(0, begin), ...lines.slice(begin + count)].join('\n'));
}

/** All of it on the command's line: a variable of its own line would hold for the lines of others below it. */
function blockText({ at, command, environment }: Timer): string {
  const words = [
    ...Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`),
    'nice -n 10',
    ...command.map(quoted),
  ];
  return `${BEGIN}\n${minuteOf(at)} * * * * ${words.join(' ')}\n${END}\n`;
}

/** A backslash before a `%` cron takes away: it stands outside of the quotes, where no other one is before it. */
const quoted = (text: string): string =>
  /^[\w@+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`).replaceAll('%', `'\\%'`)}'`;
