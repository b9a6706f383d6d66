/**
 * import: archives that somebody made of an install become a snapshot like any other: look through → unpack in private
 * → find out where it all was → push. The next pull relocates it. Nothing of this machine's own install is touched.
 */
import {
  asBytePath,
  joinBytes,
  showPath,
  bytePathFromText,
  parseShownPath,
  type BytePath,
} from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import type { ProcessRunner } from '../process/run.ts';
import { omitRules } from '../gateway/contents/omit-rules.ts';
import type { RootCandidate } from '../gateway/contents/root-candidates.ts';
import { homeOf } from '../gateway/discover/spoken-places.ts';
import { normalizePath } from '../gateway/disk/paths.ts';
import type { Brand } from '../gateway/install/brands.ts';
import { parseIdentity, type InstallIdentity } from '../gateway/install/identity.ts';
import { gatewayRecord } from '../gateway/install/record.ts';
import type { PushSource } from '../push/archive-install.ts';
import { push, type PushDeps, type PushedSnapshot } from '../push/push.ts';
import { chooseStateArchive, type StateChoice } from './state-archive.ts';
import { findMounts, knownMounts, oldPathOf, type Known, type Mount } from './mounts.ts';
import { OldDisk } from './old-disk.ts';
import { countOldInstall, readOldInstall, type OldInstall } from './old-install.ts';
import { findOldPlaces } from './old-places.ts';
import { notInRoots, oldRoots } from './old-roots.ts';
import { surveyArchive, type Survey } from './survey.ts';

export type ImportRequest = {
  /** Absolute paths of the archives, all of one install. */
  readonly archives: readonly string[];
  /** `brand[:profile]` */
  readonly install: string;
  /** Absolute. */
  readonly oldHome?: string | undefined;
  readonly brands: readonly Brand[];
  readonly label?: string | undefined;
  /** Everything is unpacked below it for the time of the import. */
  readonly scratch: string;
  readonly tool: string;
};

export type ImportDeps = PushDeps & { readonly run: ProcessRunner };

export type Imported = PushedSnapshot & {
  /** Where the install was, as the snapshot says. */
  readonly home: string;
  readonly stateDir: string;
  readonly roots: readonly { readonly name: string; readonly path: string }[];
};

/** @throws usage, object-damaged, target-unsafe, no-space, path-not-found, remote-mode, and what a push throws */
export async function importArchives(
  request: ImportRequest,
  deps: ImportDeps,
  signal: AbortSignal,
): Promise<Imported> {
  const target = parseIdentity(request.install, request.brands);
  const surveys: Survey[] = [];
  for (const archive of request.archives) {
    deps.emit({ type: 'stage', stage: 'survey', detail: archive });
    surveys.push(await surveyArchive(archive, target.brand, signal));
  }
  const disk = new OldDisk(request.scratch, { run: deps.run, signal });
  try {
    disk.checkRoom(surveys);
    const { old, mounted } = await unpackAll(request, { target, surveys, disk, deps });
    const source = sourceOfOld(old, mounted, surveys, disk);
    const { scratch, tool, label } = request;
    const pushRequest = { source, scratch, tool, ...(label === undefined ? {} : { label }) };
    const pushed = await push(pushRequest, deps, signal);
    const { home, stateDir } = old.install;
    const roots = source.roots.map(({ name, path }) => ({ name, path }));
    return { ...pushed, home, stateDir, roots };
  } finally {
    disk.remove();
  }
}

type Unpacking = {
  readonly target: InstallIdentity;
  readonly surveys: readonly Survey[];
  readonly disk: OldDisk;
  readonly deps: ImportDeps;
};
type Mounted = ReadonlyMap<Survey, readonly Mount[]>;

/** The archive with the state dir first: its config says where the others belong. */
async function unpackAll(
  request: ImportRequest,
  { target, surveys, disk, deps }: Unpacking,
): Promise<{ old: OldInstall; mounted: Mounted }> {
  const choice = chooseStateArchive(surveys, target);
  const unpacking = (survey: Survey): void =>
    deps.emit({ type: 'stage', stage: 'unpack', detail: survey.archive });
  unpacking(choice.survey);
  const oldHome = request.oldHome === undefined ? undefined : normalizePath(request.oldHome);
  const places = await unpackState(choice, oldHome, disk);
  const mounted = new Map<Survey, readonly Mount[]>([[choice.survey, places.mounts]]);
  const read = (): OldInstall => readOldInstall({ ...target, ...places }, disk);
  const { install, candidates } = read();
  if (install.mode === 'remote') {
    throw new FerryError(
      'remote-mode',
      `this install is only a client of ${install.remoteUrl ?? 'a remote host'}`,
      {
        hint: 'Make the archives on that host: its sessions and workspaces live there.',
      },
    );
  }
  const wanted = [
    { path: install.stateDir, isWorkspace: false },
    ...candidates.map(({ path, kind }) => ({ path, isWorkspace: kind === 'workspace' })),
  ];
  const known: Known = { ...places, wanted };
  const others = surveys.filter((survey) => survey !== choice.survey);
  // All are placed before the first is unpacked.
  for (const survey of others)
    mounted.set(survey, knownMounts(survey) ?? findMounts(survey, known));
  for (const survey of others) {
    unpacking(survey);
    await disk.unpack(survey, mounted.get(survey) ?? []);
  }
  return { old: read(), mounted };
}

async function unpackState(
  { survey, folder, configName, usualName }: StateChoice,
  oldHome: string | undefined,
  disk: OldDisk,
): Promise<{ stateDir: string; home: string; mounts: readonly Mount[] }> {
  const mounts = knownMounts(survey);
  const stateDir = mounts && oldPathOf(mounts, folder);
  if (mounts && stateDir !== undefined) {
    await disk.unpack(survey, mounts);
    const said = survey.exported[0]?.home;
    const text = textOf(stateDir);
    const ownHome = said === undefined ? homeOf(text, usualName) : textOf(parseShownPath(said));
    return { stateDir: text, home: oldHome ?? ownHome, mounts };
  }
  await disk.unpackAside(survey);
  const agents = joinBytes(folder, asBytePath('agents'));
  const agentIds = [...survey.folders]
    .filter((path) => path.startsWith(`${agents}/`) && !path.slice(agents.length + 1).includes('/'))
    .map((path) => textOf(asBytePath(path.slice(agents.length + 1))));
  const archive = survey.archive;
  const read = disk.readAside;
  const places = findOldPlaces({ archive, folder, configName, usualName, oldHome, read, agentIds });
  for (const mount of places.mounts) disk.putInPlace(mount);
  return places;
}

const textOf = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');

function sourceOfOld(
  old: OldInstall,
  mounted: Mounted,
  surveys: readonly Survey[],
  disk: OldDisk,
): PushSource {
  const { install } = old;
  const candidates = [...old.candidates, ...surveys.flatMap(exportedCandidates)];
  const { roots, omissions, notices } = oldRoots(install, candidates, disk);
  const counts = countOldInstall(old, disk);
  return {
    install: {
      install: install.install,
      brand: install.brand,
      profile: install.profile,
      version: install.version ?? null,
      platform: surveys[0]?.exported[0]?.platform ?? platformOf(install.home),
      home: showPath(bytePathFromText(install.home)),
    },
    roots: roots.map(({ name, kind, workspaces, only, path, at }) => ({
      name,
      kind,
      path: showPath(path),
      readFrom: at,
      omit: { kind, workspaces, ...(only && { only }), inner: [], excluded: [] },
      isSecret: omitRules(kind, workspaces).isSecret,
    })),
    omissions: [...omissions, ...disk.omissions, ...notInRoots(roots, placedPaths(mounted))],
    problems: [],
    notices: [...install.notices, ...notices],
    gateway: () => gatewayRecord({ install, roots, countsBefore: counts, countsAfter: counts }),
  };
}

/** What an export holds beyond what the config names, such as folders taken along by wish. */
function exportedCandidates(survey: Survey): RootCandidate[] {
  return survey.exported.map(({ name, path }) => ({
    path: textOf(parseShownPath(path)),
    kind: 'data',
    holds: 'directory',
    because: `the root ${name} of ${survey.archive}`,
    optional: true,
  }));
}

const platformOf = (home: string): string => (home.startsWith('/Users/') ? 'darwin' : 'linux');

/** The old paths of what the archives hold, as far down as they were looked through. */
function* placedPaths(mounted: Mounted): Generator<BytePath, void> {
  for (const [survey, mounts] of mounted) {
    for (const path of [...survey.folders, ...survey.names]) {
      const old = oldPathOf(mounts, path);
      if (old !== undefined && old !== '') yield old;
    }
  }
}
