/**
 * Names from a snapshot are a stranger's input until proven harmless.
 */
import { asBytePath, dirNameBytes } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';

export const COMPONENT_BYTES_MAX = 255;
export const PATH_BYTES_MAX = 4096;

/** Why this path must not be restored below a folder, or undefined when it may. */
export function checkEntryPath(path: BytePath): string | undefined {
  if (path === '') return 'the name is empty';
  if (path.length > PATH_BYTES_MAX) return `the path is longer than ${PATH_BYTES_MAX} bytes`;
  if (path.includes('\0')) return 'the name holds a NUL byte';
  if (path.startsWith('/')) return 'the path is absolute';
  if (path.length <= COMPONENT_BYTES_MAX && !ODD_COMPONENT.test(path)) return undefined;
  for (const component of path.split('/')) {
    if (component === '') return 'the path has an empty component';
    if (component === '.' || component === '..') return `the path has a component ${component}`;
    if (component.length > COMPONENT_BYTES_MAX) {
      return `a component is longer than ${COMPONENT_BYTES_MAX} bytes`;
    }
  }
  return undefined;
}

/** An empty one, `.` or `..`. */
const ODD_COMPONENT = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** The same for where a symbolic link points. Any place is allowed, since nothing is ever written through it. */
export function checkLinkTarget(target: BytePath): string | undefined {
  if (target === '') return 'the link points nowhere';
  if (target.length >= PATH_BYTES_MAX) return 'the link target is too long';
  if (target.includes('\0')) return 'the link target holds a NUL byte';
  return undefined;
}

export type CaseCollision = { readonly first: BytePath; readonly second: BytePath };

/**
 * Pairs that are one name to a file system that ignores case and Unicode composition (macOS, Windows). Paths come in
 * walk order; only siblings are compared, and only the names along the way down are held. What lies in two colliding
 * directories is not listed again.
 */
export function* caseCollisions(paths: Iterable<BytePath>): Generator<CaseCollision, void> {
  const collide = collisionFinder();
  for (const path of paths) {
    const collision = collide(path);
    if (collision) yield collision;
  }
}

/** The same, one path after the other. */
export function collisionFinder(): (path: BytePath) => CaseCollision | undefined {
  const open: { readonly directory: string; readonly seen: Map<string, string> }[] = [];
  return (path) => {
    const directory = dirNameBytes(path);
    while (open.length > 0 && !holds(open.at(-1)?.directory ?? '', directory)) open.pop();
    if (open.at(-1)?.directory !== directory) open.push({ directory, seen: new Map() });
    const seen = open.at(-1)?.seen;
    const name = path.slice(directory === '' ? 0 : directory.length + 1);
    const folded = foldName(name);
    const first = seen?.get(folded);
    if (first === undefined) seen?.set(folded, path);
    return first === undefined || first === path
      ? undefined
      : { first: asBytePath(first), second: path };
  };
}

const holds = (outer: string, inner: string): boolean =>
  outer === '' || outer === inner || inner.startsWith(`${outer}/`);

function foldName(name: string): string {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return text.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}
