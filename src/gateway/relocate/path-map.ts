/** Where paths of the old machine are on the new one. Text in, text out; the longest prefix decides. */
import { isWindowsPath, restBelow, stripTrailing } from '../disk/paths.ts';

export type PathRule = { readonly from: string; readonly to: string };

/** Longest `from` first; of equals the first given. */
export type PathMap = readonly PathRule[];

/** Rules in order of precedence between equals: the user's own first, then roots, then the home. */
export function pathMap(rules: readonly PathRule[]): PathMap {
  const clean = rules
    .map((rule) => ({ from: stripTrailing(rule.from), to: stripTrailing(rule.to) }))
    .filter((rule) => rule.from !== '');
  const seen = new Set<string>();
  return clean
    .filter((rule) => !seen.has(rule.from) && seen.add(rule.from))
    .toSorted((a, b) => b.from.length - a.from.length);
}

/** The path on the new machine, or undefined when no rule covers it. */
export function movePath(map: PathMap, path: string): string | undefined {
  for (const rule of map) {
    const rest = restBelow(rule.from, path);
    if (rest === undefined) continue;
    const posix = isWindowsPath(rule.from) && !isWindowsPath(rule.to);
    return rule.to + (posix ? rest.replaceAll('\\', '/') : rest) || '/';
  }
  return undefined;
}
