/** What pages, hints and answers tell people to type is there: each verb, and each option of it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ERROR_CODES } from '../../../src/base/errors.ts';
import { parseArguments } from '../../../src/cli/program.ts';
import type { Verb } from '../../../src/cli/verb.ts';
import { VERBS } from '../../../src/cli/verbs.ts';
import { shellWords } from '../../support/shell-words.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** For people who use it. FORMAT.md and PRODUCTS.md name commands of others, and words of the format. */
const PAGES = globSync('{README,CHANGELOG,SECURITY,infra/**/*,src/THREAT-MODEL}.md', { cwd: ROOT });
const SOURCES = globSync('src/**/*.ts', { cwd: ROOT });
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const verbs = new Map<string, Verb>(
  VERBS.flatMap((verb) =>
    [verb.usage.split(' ')[0] ?? '', ...(verb.aliases ?? [])].map((name) => [name, verb] as const),
  ),
);
const optionsIn = (words: string): readonly string[] =>
  words.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [];
const optionsOf = ({ options = [] }: Verb): readonly string[] =>
  options.flatMap(({ flags }) => optionsIn(flags));

async function globalOptions(): Promise<ReadonlySet<string>> {
  let help = '';
  await parseArguments(['--help'], (more) => {
    help += more;
  });
  return new Set(optionsIn(help));
}
const globals = await globalOptions();

/** The first word that is not ours; undefined: all of them are. */
function strange(name: string, rest: string): string | undefined {
  const verb = verbs.get(name);
  if (!verb) return name;
  const known = optionsOf(verb);
  return optionsIn(rest).find((option) => !known.includes(option) && !globals.has(option));
}

describe('the pages', () => {
  test('every line to type parses as it stands', async () => {
    let lines = 0;
    for (const page of PAGES) {
      for (const [, block = ''] of text(page).matchAll(/^```\w*\n([^]*?)^```/gm)) {
        for (const line of block.split('\n')) {
          const [, typed] =
            /^(?:sudo |[A-Z_]+=\S+ )?stateferry (.*?)(?:\s+[#>|].*)?$/.exec(line) ?? [];
          if (typed === undefined) continue;
          lines += 1;
          await assert.doesNotReject(
            parseArguments(shellWords(typed), () => undefined),
            `${page}: ${line}`,
          );
        }
      }
    }
    assert.ok(lines >= 18, `${lines} lines`);
  });

  test('every verb and option that they name is there', () => {
    const wrong: string[] = [];
    let named = 0;
    const all = new Set([...VERBS.flatMap(optionsOf), ...globals, ...OF_OTHERS]);
    for (const page of PAGES) {
      for (const [, code = ''] of text(page).matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)) {
        const [, tool, name = '', rest = ''] = /^(stateferry )?([a-z]+)\b(.*)$/.exec(code) ?? [];
        const isOurs = tool !== undefined || (verbs.has(name) && rest.startsWith(' '));
        const option = isOurs
          ? strange(name, rest)
          : code.startsWith('--') && optionsIn(code).find((one) => !all.has(one));
        if (isOurs || code.startsWith('--')) named += 1;
        if (typeof option === 'string') wrong.push(`${page}: \`${code}\`: ${option}`);
      }
    }
    assert.ok(named >= 60, `${named} named`);
    assert.deepEqual(wrong, []);
  });
});

test('the README tells every exit status', () => {
  const [line = ''] = /^Exit statuses: [^]*?\n\n/m.exec(text('README.md')) ?? [];
  const told = [...line.matchAll(/\*\*(\d+)\*\*/g)].map(([, status]) => Number(status));
  const used = new Set([0, ...Object.values(ERROR_CODES).map(({ exit }) => exit)]);
  assert.deepEqual(
    told,
    [...used].toSorted((a, b) => a - b),
  );
});

/** Of docker and versitygw. */
const OF_OTHERS = ['--profile', '--sidecar'];

test('every option in a hint or an answer belongs to the verb before it', () => {
  const wrong: string[] = [];
  let named = 0;
  for (const source of SOURCES) {
    for (const [all, name = '', rest = ''] of text(source).matchAll(COMMAND)) {
      if (!verbs.has(name)) continue;
      named += 1;
      const option = strange(name, rest);
      if (option !== undefined) wrong.push(`${source}: ${all}: ${option}`);
    }
  }
  assert.ok(named >= 100, `${named} named`);
  assert.deepEqual(wrong, []);
});

/** Until the sentence goes on with something else. */
const COMMAND = /\bstateferry ([a-z]+)((?:(?!\. |, |; | and )[^\n`])*)/g;
