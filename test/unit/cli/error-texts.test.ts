/**
 * Every message and hint in the source, as the terminal shows them, held against `error-texts.txt`. A change of words
 * is a change of that file: STATEFERRY_UPDATE_TEXTS=1 writes it anew, and the diff is what people will read.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ERROR_CODES, FerryError, type ErrorCode } from '../../../src/base/errors.ts';
import { failureLines, failureOf } from '../../../src/cli/output/failure.ts';

const src = join(import.meta.dirname, '../../../src');
const pinnedFile = join(import.meta.dirname, 'error-texts.txt');
const codes = Object.keys(ERROR_CODES) as ErrorCode[];
/** Bugs are for us, and an interruption has one text. */
const WITHOUT_SOURCE: readonly ErrorCode[] = ['bug', 'interrupted'];

type Found = { readonly code: ErrorCode; readonly message: string; readonly hint?: string };

describe('the texts of errors', () => {
  const found = sourceTexts();

  test('are found in the source', () => {
    assert.ok(found.length > 80, `only ${found.length}`);
  });

  test('are the pinned ones', () => {
    const rendered = render(found);
    if (process.env['STATEFERRY_UPDATE_TEXTS'] !== undefined) writeFileSync(pinnedFile, rendered);
    const pinned = readFileSync(pinnedFile, 'utf8');
    assert.deepEqual(rendered.split('\n'), pinned.split('\n'));
  });

  test('have one error and one hint each, for every code', () => {
    const blocks = readFileSync(pinnedFile, 'utf8').trimEnd().split('\n\n');
    for (const block of blocks) assert.match(block, /^\[[a-z-]+, exit \d+\]\nerror: .+\nhint: .+$/);
    const pinnedCodes = new Set(blocks.map((block) => /^\[([a-z-]+),/.exec(block)?.[1]));
    assert.deepEqual([...pinnedCodes].toSorted(), codes.toSorted());
  });

  test('name no stack, no internal word and no secret', () => {
    const pinned = readFileSync(pinnedFile, 'utf8');
    for (const word of [
      'undefined',
      '[object Object]',
      '    at ',
      'passphrase}',
      'secret}',
      'recoveryCode}',
    ]) {
      assert.ok(!pinned.includes(word), word);
    }
  });
});

function render(found: readonly Found[]): string {
  const calm = new AbortController().signal;
  const texts = codes.flatMap((code) => {
    const own = found.filter((one) => one.code === code && !WITHOUT_SOURCE.includes(code));
    const all = own.length > 0 ? own : [{ code, message: '{what happened}' }];
    return all.map(({ message, hint }: Omit<Found, 'code'>) => {
      const error = new FerryError(code, message, hint === undefined ? {} : { hint });
      const failure = failureOf(error, calm);
      return `[${code}, exit ${failure.exit}]\n${failureLines(failure, false).join('\n')}`;
    });
  });
  return `${[...new Set(texts)].join('\n\n')}\n`;
}

/** What stands in `new FerryError('code', 'message', { hint: 'hint' })`, values as `{expression}`. */
function sourceTexts(): Found[] {
  const found: Found[] = [];
  for (const file of globSync('**/*.ts', { cwd: src }).toSorted()) {
    const text = readFileSync(join(src, file), 'utf8');
    for (const { index } of text.matchAll(/new FerryError\(/g)) {
      const call = callAt(text, index + 'new FerryError'.length);
      const match = /^\(\s*'([a-z-]+)'\s*,\s*/.exec(call);
      const code = codes.find((one) => one === match?.[1]);
      const message = textAt(call, match?.[0].length ?? 0);
      if (code === undefined || message === '') continue;
      const hintAt = /\bhint:\s*/.exec(call);
      const hint = hintAt ? textAt(call, hintAt.index + hintAt[0].length) : '';
      found.push({ code, message, ...(hint !== '' && { hint }) });
    }
  }
  return found;
}

/** From the opening bracket to the closing one. */
function callAt(text: string, from: number): string {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (`'"\``.includes(char)) at += literalAt(text, at).length - 1;
    else if (char === '(') depth += 1;
    else if (char === ')' && --depth === 0) return text.slice(from, at + 1);
  }
  return text.slice(from);
}

/** One literal, or several joined by `+`; '' where an expression stands there. */
function textAt(text: string, from: number): string {
  let said = '';
  let at = from;
  while (`'"\``.includes(text.charAt(at) || ' ')) {
    const literal = literalAt(text, at);
    said += spoken(literal);
    at += literal.length;
    const plus = /^\s*\+\s*/.exec(text.slice(at));
    if (!plus) break;
    at += plus[0].length;
  }
  return said;
}

function literalAt(text: string, from: number): string {
  const quote = text.charAt(from);
  let depth = 0;
  for (let at = from + 1; at < text.length; at++) {
    if (text.charAt(at) === '\\') at += 1;
    else if (quote === '`' && text.startsWith('${', at)) depth += 1;
    else if (depth > 0 && text.charAt(at) === '}') depth -= 1;
    else if (depth === 0 && text.charAt(at) === quote) return text.slice(from, at + 1);
  }
  return text.slice(from);
}

function spoken(literal: string): string {
  const inside = literal.slice(1, -1).replaceAll(/\\(['"`\\])/g, '$1');
  return inside.replaceAll(/\$\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}/g, '{$1}');
}
