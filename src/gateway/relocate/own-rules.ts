/** The user's own path rules: `--map OLD=NEW`, once per rule. Text of two machines: nothing here asks the disk. */
import { FerryError } from '../../base/errors.ts';
import {
  expandTilde,
  isAbsolutePath,
  isWindowsPath,
  restBelow,
  stripTrailing,
} from '../disk/paths.ts';
import type { PathRule } from './path-map.ts';

/**
 * OLD is a path of the old machine (POSIX or Windows), NEW one of this machine; `~` in NEW is `home`.
 * @throws usage: relative, climbing, given twice, or two of them meeting in one place
 */
export function parseOwnRules(typed: readonly string[], home: string): PathRule[] {
  const rules = typed.map((text) => parseRule(text, home));
  for (const [index, rule] of rules.entries()) {
    for (const other of rules.slice(0, index)) refuseConflict(other, rule);
  }
  return rules;
}

function parseRule(typed: string, home: string): PathRule {
  const splits = [...typed.matchAll(/=/g)]
    .map(({ index }) => ({ from: typed.slice(0, index), to: typed.slice(index + 1) }))
    .filter(({ from, to }) => isAbsolutePath(from) && isAbsolutePath(expandTilde(to, home)));
  const [rule] = splits;
  if (!rule || splits.length > 1) {
    throw usage(`--map ${typed}: ${rule ? 'it can be split in two ways' : 'not OLD=NEW'}`);
  }
  const { from } = rule;
  const to = expandTilde(rule.to, home);
  for (const path of [from, to]) {
    const why = whyNot(path);
    if (why !== undefined) throw usage(`--map ${typed}: ${path}: ${why}`);
  }
  if (isWindowsPath(to)) throw usage(`--map ${typed}: ${to} is not a path of this machine`);
  return { from: stripTrailing(from), to: stripTrailing(to) };
}

function whyNot(path: string): string | undefined {
  if (path.includes('\0')) return 'it holds a NUL byte';
  const plain = stripTrailing(path);
  if (plain === '' || /^[A-Za-z]:$/.test(plain)) return 'a whole file system cannot be mapped';
  const segments = (isWindowsPath(path) ? plain.replaceAll('\\', '/') : plain).split('/').slice(1);
  const isUnc = path.startsWith('\\\\');
  const climbs = segments.some((one) => one === '..' || one === '.');
  if (climbs) return 'it must not hold . or ..';
  return segments.slice(isUnc ? 1 : 0).includes('') ? 'it holds a doubled slash' : undefined;
}

/** Two rules may nest: the longer one decides. What they must not do is to put two places into one. */
function refuseConflict(one: PathRule, other: PathRule): void {
  const shown = (rule: PathRule): string => `${rule.from}=${rule.to}`;
  const isTwice = restBelow(one.from, other.from) === '';
  if (isTwice) throw usage(`--map ${one.from} is given twice: ${shown(one)} and ${shown(other)}`);
  if (one.to !== other.to) return;
  throw usage(`--map puts two places into one: ${shown(one)} and ${shown(other)}`);
}

const usage = (message: string): FerryError =>
  new FerryError('usage', message, {
    hint: "Both are absolute, without . and ..: --map '/srv/old ws=/srv/ws', --map 'C:\\Users\\al=/home/al'",
  });
