/** What to push of an install: its roots with the rules of the gateway layer and the user's own wishes. */
import {
  asBytePath,
  bytePathFromText,
  dirNameBytes,
  showPath,
  type BytePath,
} from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import { parsePatterns, readIgnoreFile } from '../fs/globs.ts';
import type { OmitRule } from '../fs/walk.ts';
import type { IsOmitted } from '../gateway/contents/count-install.ts';
import { countsOf } from '../gateway/contents/count-install.ts';
import { omitRules } from '../gateway/contents/omit-rules.ts';
import { rootsOf } from '../gateway/contents/roots.ts';
import type { Inspected } from '../gateway/discover/discover.ts';
import type { Disk } from '../gateway/disk/disk.ts';
import { restBelow } from '../gateway/disk/paths.ts';
import { gatewayRecord } from '../gateway/install/record.ts';
import type { Root } from '../gateway/install/root.ts';
import type { PushSource } from './archive-install.ts';
import { omitRuleOf, type OmitSpec } from './omit-spec.ts';

export type SourceRequest = {
  readonly inspected: Inspected;
  /** Absolute directories that the user wants taken along. */
  readonly include: readonly string[];
  /** Patterns of what the user wants left out. */
  readonly exclude: readonly string[];
  readonly platform: string;
};

/**
 * @throws remote-mode when the install is only a client of a gateway elsewhere
 */
export function sourceOf(
  request: SourceRequest,
): PushSource & { readonly rootsFound: readonly Root[] } {
  const { install } = request.inspected;
  if (install.mode === 'remote') throw remoteMode(install.install, install.remoteUrl);
  const { config, disk } = request.inspected;
  const found = rootsOf(request.inspected);
  const included = request.include.map((at, index) => includedRoot(at, index, disk));
  const roots = [...found.roots, ...included];
  const specs = new Map(roots.map((root) => [root, omitSpec(root, roots, request.exclude)]));
  const rules = new Map([...specs].map(([root, spec]) => [root, omitRuleOf(spec)]));
  const isOmitted = omittedFrom(rules);
  // What is in the workspaces is counted while it is captured: walking them twice more would cost as much again.
  const counted = { config, disk, install: { ...install, workspaces: [] } };
  const countsBefore = countsOf(counted, isOmitted);
  return {
    install: {
      install: install.install,
      brand: install.brand,
      profile: install.profile,
      version: install.version ?? null,
      platform: request.platform,
      home: showPath(bytePathFromText(install.home)),
    },
    roots: [...specs].map(([root, omit]) => ({
      name: root.name,
      kind: root.kind,
      path: showPath(root.path),
      readFrom: root.readFrom,
      omit,
      isSecret: omitRules(root.kind, root.workspaces).isSecret,
      counted: install.workspaces.flatMap((workspace) => countedIn(root, roots, workspace)),
    })),
    omissions: found.omissions,
    problems: [],
    notices: [...install.notices, ...found.notices],
    gateway: (filesIn) => {
      const workspaces = install.workspaces.map((path) => ({
        path,
        files: filesIn.get(path) ?? 0,
      }));
      const countsAfter = { ...countsOf(counted, isOmitted), workspaces };
      return gatewayRecord({
        install,
        roots,
        countsBefore: { ...countsBefore, workspaces },
        countsAfter,
      });
    },
    rootsFound: roots,
  };
}

function omitSpec(root: Root, roots: readonly Root[], exclude: readonly string[]): OmitSpec {
  return {
    kind: root.kind,
    workspaces: root.workspaces,
    ...(root.only && { only: root.only }),
    // A root inside this one (below a folder that the rules leave out) brings its content itself.
    inner: roots.flatMap((one) => (one.only ? [] : (below(root, one.readFrom) ?? []))),
    excluded: [parsePatterns(exclude, '--exclude'), readIgnoreFile(root.readFrom)],
  };
}

/** Where the files of a workspace lie in this root: below a folder of it, or all of a root inside the workspace. */
function countedIn(
  root: Root,
  roots: readonly Root[],
  workspace: string,
): { name: string; folder: BytePath }[] {
  const path = bytePathFromText(workspace);
  const lengthIn = (one: Root): number =>
    Math.max(
      -1,
      ...namesOf(one).map((base) => (restBelow(base, path) === undefined ? -1 : base.length)),
    );
  const length = lengthIn(root);
  if (length >= 0 && roots.every((other) => lengthIn(other) <= length)) {
    const base = namesOf(root).find((one) => one.length === length);
    const rest = base === undefined ? '' : (restBelow(base, path) ?? '');
    return [{ name: workspace, folder: asBytePath(rest.slice(1)) }];
  }
  const inside = namesOf(root).flatMap((base) => restBelow(path, base)?.slice(1) ?? [])[0];
  if (length >= 0 || inside === undefined || isBesideEntries(roots, path, inside)) return [];
  return [{ name: workspace, folder: asBytePath('') }];
}

/** A workspace that is too broad is only some entries of its folder; other roots beside them are no part of it. */
function isBesideEntries(roots: readonly Root[], workspace: BytePath, inside: string): boolean {
  const own = roots.find((root) => root.only && namesOf(root).includes(workspace));
  return own?.only !== undefined && !new Set<string>(own.only).has(inside.split('/')[0] ?? '');
}

const namesOf = (root: Root): BytePath[] => [root.path, root.readFrom, ...root.aliases];

/** A path relative to where a root is read; undefined for the root itself and all that is outside. */
function below({ readFrom }: Root, path: BytePath): BytePath | undefined {
  const rest = restBelow(readFrom, path);
  return rest === undefined || rest === '' ? undefined : asBytePath(rest.slice(1));
}

/** Is this path of the disk left out of the snapshot, by itself or with a folder above it? Asks nothing of the disk. */
function omittedFrom(rules: ReadonlyMap<Root, OmitRule>): IsOmitted {
  const folders = new Map<BytePath, boolean>();
  const names = [...rules]
    .flatMap(([root, omit]) =>
      [root.path, root.readFrom, ...root.aliases].map((base) => ({ base, root, omit })),
    )
    .toSorted((a, b) => b.base.length - a.base.length);
  const isOmitted: IsOmitted = (path, type) => {
    const known = type === 'dir' ? folders.get(path) : undefined;
    if (known !== undefined) return known;
    const answer = judge(path, type);
    if (type === 'dir') folders.set(path, answer);
    return answer;
  };
  const judge: IsOmitted = (path, type) => {
    const own = names.find(({ base }) => path === base || path.startsWith(`${base}/`));
    // What is in no root is in no snapshot.
    if (own === undefined) return true;
    if (path === own.base) return type !== 'start' && isBesidePartial(path);
    const kind = type === 'file' ? 'file' : 'dir';
    if (own.omit(asBytePath(path.slice(own.base.length + 1)), kind) !== undefined) return true;
    return isOmitted(dirNameBytes(path), 'start');
  };
  const isBesidePartial = (path: BytePath): boolean => {
    const outer = names.find(({ base }) => path.startsWith(`${base}/`));
    const [name = ''] = path.slice((outer?.base.length ?? 0) + 1).split('/');
    return outer?.root.only !== undefined && !new Set<string>(outer.root.only).has(name);
  };
  return isOmitted;
}

function includedRoot(directory: string, index: number, disk: Disk): Root {
  const name = disk.nameOf(directory);
  const path = bytePathFromText(name ?? directory);
  return {
    name: index === 0 ? 'included' : `included-${index + 1}`,
    kind: 'data',
    path,
    readFrom: (name && disk.locate(disk.real(name))) || bytePathFromText(directory),
    aliases: [],
    workspaces: [],
    because: ['--include'],
  };
}

function remoteMode(install: string, url: string | undefined): FerryError {
  return new FerryError(
    'remote-mode',
    `${install} is only a client of a gateway on another host: ${url ?? 'unknown'}`,
    {
      hint: 'Run stateferry on that host: its sessions and workspaces live there.',
      details: { host: url ?? '' },
    },
  );
}
