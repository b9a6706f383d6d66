/** Where the folders of an archive were on the old machine. */
import { asBytePath, bytePathFromText, parseShownPath, type BytePath } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import type { Survey } from './survey.ts';

/** What lies below `from` in the archive lay below `to` (absolute, without a slash at the end; '' is the top). */
export type Mount = { readonly from: BytePath; readonly to: BytePath };

/** The absolute path that a path of the archive had; undefined for what belongs nowhere. */
export function oldPathOf(mounts: readonly Mount[], path: BytePath): BytePath | undefined {
  for (const { from, to } of mounts) {
    const rest = below(from, path);
    if (rest !== undefined) return asBytePath(to + rest);
  }
  return undefined;
}

/** Of the archives that say it themselves: our own exports, and the backups of the newest gateways. */
export function knownMounts(survey: Survey): Mount[] | undefined {
  if (survey.exported.length > 0) {
    return survey.exported.map(({ name, path }) => ({
      from: asBytePath(name),
      to: parseShownPath(path),
    }));
  }
  const [top, ...more] = survey.names;
  const payload = asBytePath(`${top}/payload/posix`);
  if (top === undefined || more.length > 0 || !survey.folders.has(payload)) return undefined;
  return [{ from: payload, to: asBytePath('') }];
}

export type Known = {
  readonly home: string;
  readonly stateDir: string;
  /** Of the archive with the state dir: others were likely made in the same place. */
  readonly mounts: readonly Mount[];
  /** Absolute paths that the config names and that may lie in an archive. */
  readonly wanted: readonly { readonly path: string; readonly isWorkspace: boolean }[];
};

/**
 * For an archive that does not say: its folders are compared with the ends of the paths that the config names.
 * @throws usage when nothing fits, or several places do
 */
export function findMounts(survey: Survey, known: Known): Mount[] {
  const fits = known.wanted.flatMap(({ path }) => {
    const wanted = bytePathFromText(path);
    const found = [...survey.folders].filter((folder) => folder !== '' && endsWith(wanted, folder));
    return found.map((folder) => ({
      to: asBytePath(wanted.slice(0, wanted.length - folder.length - 1)),
      levels: folder.split('/').length,
    }));
  });
  const likely = [known.home, '', ...known.mounts.map(({ to }) => to)];
  const usual = fits.filter(({ to }) => likely.includes(to));
  const best = longest(usual.length > 0 ? usual : fits);
  const [to] = best;
  if (to !== undefined && best.size === 1) return [{ from: asBytePath(''), to }];
  const bare = to === undefined ? bareWorkspace(survey, known) : undefined;
  if (bare !== undefined) return [{ from: asBytePath(''), to: bare }];
  const why =
    best.size > 1
      ? `may belong to ${[...best].join(' or ')}`
      : 'holds no folder that the config names';
  throw new FerryError('usage', `${survey.archive} ${why}`, {
    hint: 'Pack it from the old home directory (cd ~; tar -czf FILE FOLDER), with the folder’s whole path.',
  });
}

const endsWith = (path: BytePath, folder: BytePath): boolean => path.endsWith(`/${folder}`);

function longest(fits: readonly { to: BytePath; levels: number }[]): Set<BytePath> {
  const most = Math.max(0, ...fits.map(({ levels }) => levels));
  return new Set(fits.filter(({ levels }) => levels === most).map(({ to }) => to));
}

/** `tar -czf FILE -C WORKSPACE .`: the content without its folder, of the only workspace that there is. */
function bareWorkspace(survey: Survey, known: Known): BytePath | undefined {
  if (!WORKSPACE_NAMES.some((name) => survey.names.has(asBytePath(name)))) return undefined;
  const workspaces = new Set(known.wanted.filter((one) => one.isWorkspace).map(({ path }) => path));
  const [only] = workspaces;
  return workspaces.size === 1 && only !== undefined ? bytePathFromText(only) : undefined;
}

const WORKSPACE_NAMES = ['AGENTS.md', 'SOUL.md', 'IDENTITY.md', 'USER.md', 'TOOLS.md', 'MEMORY.md'];

function below(from: BytePath, path: BytePath): string | undefined {
  if (from === '') return path === '' ? '' : `/${path}`;
  if (path === from) return '';
  return path.startsWith(`${from}/`) ? path.slice(from.length) : undefined;
}
