/** The roots of an install that came in archives. */
import { bytePathFromText, showPath, asBytePath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import type { RootCandidate } from '../gateway/contents/root-candidates.ts';
import { isWithin, restBelow } from '../gateway/disk/paths.ts';
import type { Install, Notice } from '../gateway/install/install.ts';
import type { RootKind, Root } from '../gateway/install/root.ts';
import type { Omission } from '../push/omission-log.ts';
import type { OldDisk } from './old-disk.ts';

export type OldRoots = {
  /** `path` and `readFrom` are both the old path; `at` is where it lies now. */
  readonly roots: readonly (Root & { readonly at: BytePath })[];
  readonly omissions: readonly Omission[];
  readonly notices: readonly Notice[];
};

type Draft = {
  readonly kind: RootKind;
  readonly path: string;
  readonly at: BytePath;
  readonly only: Set<string> | undefined;
  readonly because: Set<string>;
};

export function oldRoots(
  install: Install,
  candidates: readonly RootCandidate[],
  disk: OldDisk,
): OldRoots {
  const notices: Notice[] = [];
  const omissions: Omission[] = [];
  const found: { readonly candidate: RootCandidate; readonly holds: 'directory' | 'file' }[] = [];
  for (const candidate of candidates) {
    const entry = disk.find(candidate.path);
    if (entry === undefined) {
      if (candidate.optional === true) continue;
      const path = candidate.path;
      if (omissions.every((one) => one.path !== path)) {
        omissions.push({ path, reason: 'no archive holds it' });
      }
      notices.push({
        code: 'path-missing',
        message: `${candidate.because} names ${path}, which no archive holds`,
        hint: 'If it is worth keeping, pack it on the old machine too, and import all archives at once.',
      });
    } else if (isTooBroad(install, candidate.path)) {
      notices.push({
        code: 'root-too-broad',
        message: `${candidate.because} names ${candidate.path}, which holds far more than this install`,
      });
    } else found.push({ candidate, holds: entry.kind });
  }
  const drafts = draftsOf(install, found, disk);
  return { roots: named(install, drafts, candidates), omissions, notices };
}

/** A home, say, that is some agent's workspace. */
const isTooBroad = (install: Install, path: string): boolean =>
  path !== install.stateDir && (isWithin(path, install.stateDir) || isWithin(path, install.home));

type Found = { readonly candidate: RootCandidate; readonly holds: 'directory' | 'file' };

function draftsOf(install: Install, found: readonly Found[], disk: OldDisk): Draft[] {
  const drafts: Draft[] = [];
  const add = (draft: Omit<Draft, 'at' | 'because'>, because: string): void => {
    const at = disk.find(draft.path)?.at;
    if (at !== undefined) drafts.push({ ...draft, at, because: new Set([because]) });
  };
  add({ kind: 'state', path: install.stateDir, only: undefined }, 'the state dir');
  const outer = (path: string): Draft | undefined =>
    drafts.find((one) => one.only === undefined && isWithin(one.path, path));
  const directories = found.filter((one) => one.holds === 'directory').map((one) => one.candidate);
  // Outermost first, so that a folder is there before what lies in it; the order of names comes later.
  for (const { path, kind, because } of directories.toSorted(
    (a, b) => a.path.length - b.path.length,
  )) {
    const known = outer(path);
    if (known) known.because.add(because);
    else add({ kind, path, only: undefined }, because);
  }
  for (const { candidate } of found.filter((one) => one.holds === 'file')) {
    const { path, kind, because } = candidate;
    if (outer(path)) continue;
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, slash) || '/';
    const same = drafts.find(
      (one) => one.only !== undefined && one.path === folder && one.kind === kind,
    );
    if (same) same.only?.add(path.slice(slash + 1));
    else add({ kind, path: folder, only: new Set([path.slice(slash + 1)]) }, because);
  }
  return drafts;
}

/** Named as a push would, in the order in which the config names them. */
function named(
  install: Install,
  drafts: readonly Draft[],
  candidates: readonly RootCandidate[],
): (Root & { at: BytePath })[] {
  const order = new Map(candidates.map((candidate, index) => [candidate.path, index + 1]));
  const rank = (draft: Draft): number =>
    draft.kind === 'state' ? 0 : (order.get(draft.path) ?? candidates.length + 1);
  const counts = new Map<string, number>();
  return drafts
    .toSorted((a, b) => rank(a) - rank(b))
    .map((draft) => {
      const number = (counts.get(draft.kind) ?? 0) + 1;
      counts.set(draft.kind, number);
      const path = bytePathFromText(draft.path);
      const inside = install.workspaces.flatMap(
        (one) => restBelow(draft.path, one)?.slice(1) ?? [],
      );
      return {
        name: number === 1 ? draft.kind : `${draft.kind}-${number}`,
        kind: draft.kind,
        path,
        readFrom: path,
        at: draft.at,
        aliases: [],
        ...(draft.only === undefined
          ? {}
          : { only: [...draft.only].toSorted().map(bytePathFromText) }),
        workspaces: inside.filter((one) => one !== '').map(bytePathFromText),
        because: [...draft.because],
      };
    });
}

/** What came in an archive and is in no root; only the uppermost of it. */
export function notInRoots(roots: readonly Root[], oldPaths: Iterable<BytePath>): Omission[] {
  const left: BytePath[] = [];
  for (const path of [...oldPaths].toSorted()) {
    const inside = roots.some((root) => holds(root.path, path) || holds(path, root.path));
    if (inside || left.some((one) => holds(one, path))) continue;
    left.push(path);
  }
  return left.map((path) => ({ path: showPath(path), reason: 'not part of the install' }));
}

const holds = (outer: BytePath, path: BytePath): boolean =>
  outer === path || path.startsWith(asBytePath(`${outer}/`));
