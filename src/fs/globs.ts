/**
 * What a user wants left out: `--exclude` and `.stateferryignore`, a subset of gitignore.
 *
 * - One pattern a line; blank lines and lines that begin with `#` say nothing; `\` takes the meaning of what follows.
 * - `*` any bytes but `/`; `?` one character but `/`; `[abc]`, `[a-z]`, `[!a-z]` one ASCII character of a set;
 *   `**` as a whole component any number of directories.
 * - A pattern with a `/` at its start or middle counts from the root, any other matches at every depth.
 * - A `/` at its end: only directories. What lies in a directory that is left out is left out too.
 * - `!` takes back what an earlier pattern left out (not below a directory that is left out). The last match counts.
 *
 * Matching takes time in proportion to pattern times name, never more: the file may have been written by a stranger.
 */
import { readFileSync } from 'node:fs';
import { asBytePath, bytePathFromText, joinBytes, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { FerryError, systemCode } from '../base/errors.ts';
import type { OmitRule } from './walk.ts';

export const IGNORE_FILE = '.stateferryignore';

export type Pattern = {
  /** As written, for the reason of the omission. */
  readonly text: string;
  readonly takesBack: boolean;
  readonly directoriesOnly: boolean;
  readonly components: readonly Component[];
};

/** `deep` is `**`. */
type Component = 'deep' | readonly Token[];
type Token =
  | { readonly kind: 'byte'; readonly byte: string }
  | { readonly kind: 'star' }
  | { readonly kind: 'one' }
  | { readonly kind: 'set'; readonly negated: boolean; readonly allowed: ReadonlySet<string> };

/** `source` names the lines in an error: `--exclude` or the path of the file. */
export function parsePatterns(lines: readonly string[], source: string): Pattern[] {
  const patterns = lines.flatMap((line, at) =>
    parseLine(bytePathFromText(line), `${source}:${at + 1}`),
  );
  if (patterns.length > PATTERNS_MAX) {
    throw refused(source, `has more than ${PATTERNS_MAX} patterns`);
  }
  return patterns;
}

/** The patterns of the file in a root directory; none when it is not there. */
export function readIgnoreFile(root: BytePath): Pattern[] {
  try {
    const text = readFileSync(toFsPath(joinBytes(root, asBytePath(IGNORE_FILE))), 'utf8');
    return parsePatterns(text.split(/\r?\n/), IGNORE_FILE);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** The omission rule of these patterns for `walkTree`. */
export function omitMatching(patterns: readonly Pattern[]): OmitRule {
  const newestFirst = patterns.toReversed();
  return (path, type) => {
    if (newestFirst.length === 0) return undefined;
    const names = path.split('/');
    const match = newestFirst.find(
      (pattern) =>
        (!pattern.directoriesOnly || type === 'dir') && matchesFrom(pattern.components, names),
    );
    return match === undefined || match.takesBack ? undefined : `excluded by ${match.text}`;
  };
}

const PATTERNS_MAX = 1_000;
const PATTERN_BYTES_MAX = 1_024;

function parseLine(line: BytePath, where: string): Pattern[] {
  const text = line.replace(/(?<!\\)[ \t]+$/, '');
  if (text === '' || text.startsWith('#')) return [];
  if (text.length > PATTERN_BYTES_MAX) throw refused(where, 'is too long');
  const takesBack = text.startsWith('!');
  const body = takesBack ? text.slice(1) : text;
  const directoriesOnly = body.endsWith('/');
  const path = directoriesOnly ? body.slice(0, -1) : body;
  const anchored = path.includes('/');
  const parts = (path.startsWith('/') ? path.slice(1) : path).split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw refused(where, 'has an empty, `.` or `..` component');
  }
  const components = parts.map((part) => (part === '**' ? 'deep' : parseComponent(part, where)));
  const shown = Buffer.from(text, 'latin1').toString('utf8');
  const full: Component[] = anchored ? components : ['deep', ...components];
  return [{ text: shown, takesBack, directoriesOnly, components: full }];
}

function parseComponent(part: string, where: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < part.length;) {
    const char = part.charAt(at);
    if (char === '[') {
      const end = part.indexOf(']', at + (part.startsWith('[!]', at) ? 3 : 2));
      if (end < 0) throw refused(where, 'has a [ without its ]');
      tokens.push(parseSet(part.slice(at + 1, end), where));
      at = end + 1;
      continue;
    }
    const escaped = char === '\\' && at + 1 < part.length;
    if (!escaped && char === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' });
    } else if (!escaped && char === '?') tokens.push({ kind: 'one' });
    else tokens.push({ kind: 'byte', byte: escaped ? part.charAt(at + 1) : char });
    at += escaped ? 2 : 1;
  }
  return tokens;
}

function parseSet(body: string, where: string): Token {
  const negated = body.startsWith('!');
  const chars = negated ? body.slice(1) : body;
  const allowed = new Set<string>();
  for (let at = 0; at < chars.length; at++) {
    const from = chars.charCodeAt(at);
    const isRange = chars[at + 1] === '-' && at + 2 < chars.length;
    const to = isRange ? chars.charCodeAt(at + 2) : from;
    if (Math.max(from, to) > 0x7f || to < from)
      throw refused(where, 'has a set that is not ASCII or not ascending');
    for (let code = from; code <= to; code++) allowed.add(String.fromCharCode(code));
    if (isRange) at += 2;
  }
  return { kind: 'set', negated, allowed };
}

/** Goes back to the last `**` only: what an earlier one could still swallow, the last one can too. */
function matchesFrom(components: readonly Component[], names: readonly string[]): boolean {
  let at = 0;
  let retry: { component: number; name: number } | undefined;
  for (let name = 0; name < names.length;) {
    const component = components[at];
    if (component === 'deep') {
      // At the end it means everything inside, not the directory itself.
      if (at === components.length - 1) return true;
      retry = { component: ++at, name };
    } else if (component !== undefined && matchesName(component, names[name] ?? '')) {
      at++;
      name++;
    } else if (retry) {
      retry.name++;
      at = retry.component;
      name = retry.name;
    } else return false;
  }
  return at === components.length;
}

/** The same idea with `*` inside one name. */
function matchesName(tokens: readonly Token[], name: string): boolean {
  let at = 0;
  let retry: { token: number; position: number } | undefined;
  for (let position = 0; position < name.length;) {
    const token = tokens[at];
    const length = token === undefined ? 0 : matchedLength(token, name, position);
    if (token?.kind === 'star') retry = { token: ++at, position };
    else if (length > 0) {
      at++;
      position += length;
    } else if (retry) {
      position = ++retry.position;
      at = retry.token;
    } else return false;
  }
  while (tokens[at]?.kind === 'star') at++;
  return at === tokens.length;
}

function matchedLength(token: Token, name: string, position: number): number {
  const byte = name.charAt(position);
  if (token.kind === 'byte') return token.byte === byte ? 1 : 0;
  if (token.kind === 'star') return 0;
  const length = characterLength(name, position);
  if (token.kind === 'one') return length;
  return token.allowed.has(byte) === token.negated ? 0 : length;
}

/** Bytes of the UTF-8 character there; 1 for a byte that begins none. */
function characterLength(name: string, position: number): number {
  const first = name.charCodeAt(position);
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
  for (let more = 1; more < length; more++) {
    const code = name.charCodeAt(position + more);
    if (!(code >= 0x80 && code < 0xc0)) return 1;
  }
  return length;
}

function refused(where: string, what: string): FerryError {
  return new FerryError('usage', `the pattern in ${where} ${what}`, {
    hint: 'Patterns: * ? [a-z] ** and a / at the end for directories.',
  });
}
