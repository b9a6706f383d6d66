/** One entry as `ls -l` would show it. */
import { asBytePath, joinBytes, showPath } from '../../../base/byte-path.ts';
import type { Entry } from '../../../format/entry.ts';
import { printableLine } from './printable.ts';
import type { EntryLine } from '../items.ts';

/** Paths begin with the name of the root, and are escaped, so that they can be typed again. */
export function entryLine(root: string, entry: Entry): EntryLine {
  const path = entry.path === '' ? asBytePath(root) : joinBytes(asBytePath(root), entry.path);
  return {
    path: showPath(path),
    kind: entry.type,
    bytes: entry.type === 'file' ? entry.size : 0,
    mode: modeText(entry.type, entry.mode),
    owner: entry.owner === '' ? String(entry.uid) : showPath(asBytePath(entry.owner)),
    group: entry.group === '' ? String(entry.gid) : showPath(asBytePath(entry.group)),
    mtime: new Date(Number(entry.mtimeNs / 1_000_000n)).toISOString(),
    target: targetOf(root, entry),
  };
}

function targetOf(root: string, entry: Entry): string | null {
  if (entry.type === 'symlink') return showPath(entry.target);
  if (entry.type === 'hardlink') return showPath(joinBytes(asBytePath(root), entry.target));
  return null;
}

export function entryText(entry: EntryLine): string {
  const owner = printableLine(`${entry.owner}:${entry.group}`);
  const arrow =
    entry.target === null ? '' : ` ${entry.kind === 'hardlink' ? '=>' : '->'} ${entry.target}`;
  const size = String(entry.bytes).padStart(12);
  const time = entry.mtime.slice(0, 19).replace('T', ' ');
  const path = printableLine(entry.path + arrow);
  return `${entry.mode} ${owner.padEnd(17)} ${size} ${time} ${path}`;
}

const LETTERS = { dir: 'd', file: '-', symlink: 'l', hardlink: '-' } as const;

/** `drwxr-x---`, with the letters of setuid, setgid and sticky. */
export function modeText(kind: EntryLine['kind'], mode: number): string {
  const triple = (shift: number, special: boolean, letter: string): string => {
    const bits = (mode >> shift) & 7;
    const run = (bits & 1) !== 0;
    const last = special ? (run ? letter : letter.toUpperCase()) : run ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  return (
    LETTERS[kind] +
    triple(6, (mode & 0o4000) !== 0, 's') +
    triple(3, (mode & 0o2000) !== 0, 's') +
    triple(0, (mode & 0o1000) !== 0, 't')
  );
}
