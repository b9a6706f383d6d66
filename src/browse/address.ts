/**
 * `SNAPSHOT:PATH`. PATH begins with the name of a root (`state/openclaw.json`), as `ls` prints it, or is the absolute
 * path that the file had on the old machine. Names that are not text are written as `ls` shows them (`\xHH`).
 */
import { asBytePath, parseShownPath, type BytePath } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import type { SnapshotBody, SnapshotRoot } from '../format/snapshot.ts';

export type Address = {
  readonly snapshot: string;
  /** Undefined: the snapshot as a whole. */
  readonly path: string | undefined;
};

export function parseAddress(text: string): Address {
  const colon = text.indexOf(':');
  if (colon < 0) return { snapshot: text, path: undefined };
  const path = text.slice(colon + 1);
  return { snapshot: text.slice(0, colon), path: path === '' ? undefined : path };
}

export type Place = {
  readonly root: SnapshotRoot;
  /** Relative to the root; '' for the root itself. */
  readonly below: BytePath;
};

/** @throws path-not-found when no root is meant; whether something lies there is not looked at */
export function placeOf(body: SnapshotBody, path: string): Place {
  const wanted = normal(parseShownPath(path));
  const place = wanted.startsWith('/') ? byOldPath(body, wanted) : byRootName(body, wanted);
  if (place) return place;
  const names = body.roots.map(({ name }) => name).join(', ');
  throw new FerryError('path-not-found', `the snapshot has no ${path}`, {
    hint: `A path begins with one of its roots (${names}), or is the absolute path on the old machine.`,
  });
}

function byRootName(body: SnapshotBody, wanted: string): Place | undefined {
  const slash = wanted.indexOf('/');
  const name = slash < 0 ? wanted : wanted.slice(0, slash);
  const root = body.roots.find((one) => one.name === name);
  return root && { root, below: asBytePath(slash < 0 ? '' : wanted.slice(slash + 1)) };
}

/** The innermost root that holds it. */
function byOldPath(body: SnapshotBody, wanted: string): Place | undefined {
  const holding = body.roots.flatMap((root) => {
    const old = normal(parseShownPath(root.path));
    if (wanted === old) return [{ root, below: asBytePath(''), length: old.length }];
    const prefix = old === '/' ? old : `${old}/`;
    if (!wanted.startsWith(prefix)) return [];
    return [{ root, below: asBytePath(wanted.slice(prefix.length)), length: old.length }];
  });
  const [innermost] = holding.toSorted((a, b) => b.length - a.length);
  return innermost && { root: innermost.root, below: innermost.below };
}

/** Without empty and `.` segments, and without a slash at its end. */
function normal(path: BytePath): string {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  return (path.startsWith('/') ? '/' : '') + segments.join('/');
}
