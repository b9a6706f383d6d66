/**
 * The directory trees that make up an install: the state dir, and whatever belongs to it outside. Each once; one that
 * lies in another is part of it, links followed. A root that holds single files names them in `only`.
 */
import { bytePathFromText } from '../../base/byte-path.ts';
import type { LoadedConfig } from '../config/config-text.ts';
import type { Disk } from '../disk/disk.ts';
import { isWithin, restBelow } from '../disk/paths.ts';
import type { Brand } from '../install/brands.ts';
import type { Install, Notice } from '../install/install.ts';
import type { Root, RootKind } from '../install/root.ts';
import { omitRules } from './omit-rules.ts';
import { machinePaths, rootCandidates } from './root-candidates.ts';
import type { RootCandidate } from './root-candidates.ts';

export type RootsAnswer = {
  readonly roots: readonly Root[];
  /** What the config names and no root holds, on purpose. */
  readonly omissions: readonly { readonly path: string; readonly reason: string }[];
  readonly notices: readonly Notice[];
};

export type RootsInput = {
  readonly install: Install;
  readonly brand: Brand;
  readonly config: LoadedConfig;
  readonly env: Readonly<Record<string, string>>;
  readonly disk: Disk;
};

/** Files of a workspace that is too broad to be taken whole (a home). */
const WORKSPACE_FILES = [
  'AGENTS.md',
  'BOOTSTRAP.md',
  'HEARTBEAT.md',
  'IDENTITY.md',
  'MEMORY.md',
  'SOUL.md',
  'TOOLS.md',
  'USER.md',
  'memory',
  'memory.md',
  'skills',
  'canvas',
];

export function rootsOf(input: RootsInput): RootsAnswer {
  const { install, disk } = input;
  const notices: Notice[] = [];
  const links: string[] = [];
  const found = rootCandidates(input).flatMap((candidate) => {
    if (isLinkToFile(candidate.path, disk)) links.push(candidate.path);
    return present(candidate, input, notices);
  });
  const state: Draft = draftOf(
    { path: install.stateDir, kind: 'state', holds: 'directory', because: 'the state dir' },
    disk,
  );
  const drafts = [state];
  const directories = found.filter((one) => one.only === undefined);
  // Outermost first, so that a folder is there before what lies in it.
  for (const draft of directories.toSorted((a, b) => a.real.length - b.real.length)) {
    addDirectory(drafts, draft);
  }
  for (const draft of found.filter((one) => one.only !== undefined)) addFiles(drafts, draft);
  const [first, ...others] = named(drafts, found, disk);
  const roots = first ? [{ ...first, links: links.map(bytePathFromText) }, ...others] : [];
  return { roots, omissions: ofMachine(input, drafts), notices };
}

function ofMachine(input: RootsInput, drafts: readonly Draft[]): RootsAnswer['omissions'] {
  const { disk } = input;
  const left = machinePaths(input).filter(({ path }) => {
    const real = disk.real(path);
    const isCarried = drafts.some((one) => one.only === undefined && carries(one, real));
    return !isCarried && disk.stat(path) !== undefined;
  });
  const reasons = new Map(left.map(({ path, because }) => [path, because]));
  return [...reasons].map(([path, because]) => ({
    path,
    reason: `belongs to this machine (${because})`,
  }));
}

type Draft = {
  readonly kind: RootKind;
  readonly path: string;
  /** The same with every link followed. */
  readonly real: string;
  readonly aliases: Set<string>;
  readonly only: Set<string> | undefined;
  readonly workspaces: Set<string>;
  readonly because: Set<string>;
};

function draftOf(candidate: RootCandidate, disk: Disk, only?: readonly string[]): Draft {
  const { path, kind } = candidate;
  return {
    kind,
    path,
    real: disk.real(path),
    aliases: new Set(),
    only: only === undefined ? undefined : new Set(only),
    workspaces: new Set(),
    because: new Set([candidate.because]),
  };
}

/** The candidate as a draft, if it is there and not far more than what is meant. */
function present(candidate: RootCandidate, input: RootsInput, notices: Notice[]): Draft[] {
  const { install, disk } = input;
  const { path, kind, because } = candidate;
  const stats = disk.stat(path);
  if (stats === undefined) {
    if (candidate.optional !== true) notices.push(missing(candidate, disk));
    return [];
  }
  if (!stats.isDirectory()) return fileDrafts(candidate, disk);
  const real = disk.real(path);
  const tooBroad = [install.home, install.stateDir].some(
    (inner) => real !== disk.real(install.stateDir) && isWithin(real, disk.real(inner)),
  );
  if (!tooBroad) return [draftOf(candidate, disk)];
  notices.push({
    code: 'root-too-broad',
    message: `${because} names ${path}, which holds far more than this install`,
    hint: 'Name the folders that matter with --include.',
  });
  if (kind !== 'workspace') return [];
  const files = WORKSPACE_FILES.filter((name) => disk.stat(`${path}/${name}`));
  return [draftOf(candidate, disk, files)];
}

const missing = ({ because, path }: RootCandidate, disk: Disk): Notice => ({
  code: 'path-missing',
  message:
    disk.locate(path) === undefined
      ? `${because} names ${path}, which is not on the mounted disk`
      : `${because} names ${path}, which is not there`,
});

function isLinkToFile(path: string, disk: Disk): boolean {
  const slash = path.lastIndexOf('/');
  const own = `${disk.real(path.slice(0, slash) || '/')}${path.slice(slash)}`;
  return disk.real(path) !== own && disk.stat(path)?.isFile() === true;
}

/** A file that is a link is two: the link where it is named, and the file that it leads to. */
function fileDrafts(candidate: RootCandidate, disk: Disk): Draft[] {
  const one = (path: string): Draft => {
    const slash = path.lastIndexOf('/');
    const folder = { ...candidate, path: path.slice(0, slash) || '/' };
    return draftOf(folder, disk, [path.slice(slash + 1)]);
  };
  const draft = one(candidate.path);
  return isLinkToFile(candidate.path, disk) ? [draft, one(disk.real(candidate.path))] : [draft];
}

function addDirectory(drafts: Draft[], draft: Draft): void {
  const outer = drafts.find((one) => one.only === undefined && carries(one, draft.real));
  if (outer === undefined) {
    // Named through a link inside another root: that link stays a link, the content is this root.
    const viaLink = drafts.some((one) => one.only === undefined && isWithin(one.path, draft.path));
    const path = viaLink ? draft.real : draft.path;
    drafts.push({ ...draft, path, aliases: new Set(path === draft.path ? [] : [draft.path]) });
    return;
  }
  for (const reason of draft.because) outer.because.add(reason);
  if (draft.real === outer.real && draft.path !== outer.path) outer.aliases.add(draft.path);
}

function addFiles(drafts: Draft[], draft: Draft): void {
  const names = [...(draft.only ?? [])].filter(
    (name) =>
      !drafts.some((one) => one.only === undefined && carries(one, `${draft.real}/${name}`)),
  );
  if (names.length === 0) return;
  const same = drafts.find(
    (one) => one.only !== undefined && one.real === draft.real && one.kind === draft.kind,
  );
  if (same === undefined) drafts.push({ ...draft, only: new Set(names) });
  else {
    for (const name of names) same.only?.add(name);
    for (const reason of draft.because) same.because.add(reason);
  }
}

/** Does a snapshot of `outer` hold `real`? Not when one of the folders between is left out by rule. */
function carries(outer: Draft, real: string): boolean {
  const rest = restBelow(outer.real, real);
  if (rest === undefined) return false;
  const rules = omitRules(outer.kind);
  const segments = rest.split('/').filter((segment) => segment !== '');
  return segments.every((_, index) => {
    const path = bytePathFromText(segments.slice(0, index + 1).join('/'));
    return rules.omissionFor(path, 'dir') === undefined;
  });
}

function named(drafts: readonly Draft[], found: readonly Draft[], disk: Disk): Root[] {
  const counts = new Map<string, number>();
  const workspaces = found.filter((one) => one.kind === 'workspace');
  const order = new Map(found.map((draft, index) => [draft.real, index]));
  const sorted = drafts.toSorted((a, b) => (order.get(a.real) ?? -1) - (order.get(b.real) ?? -1));
  const [first, ...others] = [
    ...sorted.filter((draft) => draft.kind === 'state'),
    ...sorted.filter((draft) => draft.kind !== 'state'),
  ];
  return [first, ...others].flatMap((draft) => {
    if (draft === undefined) return [];
    const count = (counts.get(draft.kind) ?? 0) + 1;
    counts.set(draft.kind, count);
    const inside = workspaces.flatMap((one) => restBelow(draft.real, one.real)?.slice(1) ?? []);
    return [
      {
        name: count === 1 ? draft.kind : `${draft.kind}-${count}`,
        kind: draft.kind,
        path: bytePathFromText(draft.path),
        readFrom: disk.locate(draft.real) ?? bytePathFromText(draft.real),
        // The place behind a link may be written down too.
        aliases: [...new Set([...draft.aliases, draft.real])]
          .filter((alias) => alias !== draft.path)
          .map(bytePathFromText),
        ...(draft.only === undefined
          ? {}
          : { only: [...draft.only].toSorted().map(bytePathFromText) }),
        workspaces: [...new Set(inside)].filter((path) => path !== '').map(bytePathFromText),
        because: [...draft.because],
      },
    ];
  });
}
