/**
 * Where a snapshot may land. The places come from its own record, so a stranger chose them: nothing lands where
 * something else would run it, nothing swallows a home, and no path climbs.
 */
import {
  asBytePath,
  bytePathFromText,
  dirNameBytes,
  showPath,
  type BytePath,
} from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import { checkEntryPath } from '../fs/safe-path.ts';
import type { Placement } from './placement.ts';

/** @throws target-unsafe */
export function refuseUnsafePlaces(placement: Placement, home: string, journals: string): void {
  const homePath = bytePathFromText(home);
  const names = new Set<string>();
  for (const { name, to, isPartial, parts } of placement.roots) {
    const targets = isPartial ? parts.map(({ target }) => target) : [to];
    if (names.has(name)) throw refused(to, `two roots are named ${name}`);
    names.add(name);
    for (const target of targets) {
      if (isPartial && dirNameBytes(target) !== (to === '/' ? '' : to)) {
        throw refused(target, `it does not lie directly in ${showPath(to)}`);
      }
      const why = whyNot(target, homePath, bytePathFromText(journals));
      if (why !== undefined) throw refused(target, why);
    }
  }
  plainPlace(bytePathFromText(placement.stateDir));
  plainPlace(bytePathFromText(placement.configPath));
}

/**
 * The path itself, when it is absolute and nothing in it means another place to a file system.
 * @throws target-unsafe
 */
export function plainPlace(path: BytePath): BytePath {
  const why = path.startsWith('/') ? checkEntryPath(asBytePath(path.slice(1))) : 'it is relative';
  if (why === undefined) return path;
  throw refused(path, why);
}

const isWithin = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);

function whyNot(target: BytePath, home: BytePath, journals: BytePath): string | undefined {
  if (isWithin(target, home)) return 'your home lies in it';
  if (isWithin(target, journals) || isWithin(journals, target))
    return 'stateferry itself lives there';
  const inHome = isWithin(home, target) ? target.slice(home.length + 1) : undefined;
  const runs =
    inHome === undefined
      ? SYSTEM_RUNS.test(target)
      : HOME_FILES_RUN.test(inHome) ||
        HOME_FOLDERS_RUN.some((one) => isWithin(one, inHome) || isWithin(inHome, one));
  return runs ? 'other programs run or obey what lies there' : undefined;
}

/** Below a home. */
const HOME_FOLDERS_RUN = [
  '.config/autostart',
  '.config/environment.d',
  '.config/fish',
  '.config/stateferry',
  '.config/systemd',
  '.gnupg',
  '.local/bin',
  '.local/share/systemd',
  '.ssh',
  'Library/LaunchAgents',
  'bin',
] as const;
/** What shells, sessions and tools read at their start. */
const HOME_FILES_RUN = new RegExp(
  '^\\.(bash|zsh|z?profile|z?log(in|out)|[ckt]+shrc|xprofile|xsession|xinit|pam_|' +
    'gitconfig|npmrc|netrc|envrc|vimrc)[^/]*$',
);
const SYSTEM_RUNS = new RegExp(
  '^/(bin|boot|dev|lib\\w*|proc|run|sbin|sys|usr|var/spool|etc/(apt|bash|cron|env|group|init|ld\\.|pam|' +
    'passwd|profile|rc|security|shadow|ssh|sudo|systemd|udev|xdg|zsh)[^/]*)(/|$)',
);

const refused = (path: BytePath, why: string): FerryError =>
  new FerryError('target-unsafe', `the snapshot wants to land on ${showPath(path)}: ${why}`, {
    hint: 'Nothing was changed. Its files can be had apart: stateferry pull --into DIR',
    details: { path: showPath(path) },
  });
