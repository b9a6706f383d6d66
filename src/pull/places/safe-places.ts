/**
 * Where a snapshot may land. The places come from its own record, so a stranger chose them: nothing lands where
 * something else would run it, nothing swallows a home, and no path climbs.
 */
import {
  asBytePath,
  baseNameBytes,
  bytePathFromText,
  dirNameBytes,
  joinBytes,
  showPath,
  type BytePath,
} from '../../base/byte-path.ts';
import { folderAbove } from '../../fs/swap-steps.ts';
import { realPath } from '../../gateway/disk/read.ts';
import type { Placement } from './placement.ts';
import { plainPlace, unsafePlace } from './plain-place.ts';

/** @throws target-unsafe */
export function refuseUnsafePlaces(placement: Placement, home: string, journals: string): void {
  const homePath = bytePathFromText(home);
  const names = new Set<string>();
  for (const { name, to, isPartial, parts } of placement.roots) {
    const targets = isPartial ? parts.map(({ target }) => target) : [to];
    if (names.has(name)) throw unsafePlace(to, `two roots are named ${name}`);
    names.add(name);
    for (const target of targets) {
      if (isPartial && dirNameBytes(target) !== (to === '/' ? '' : to)) {
        throw unsafePlace(target, `it does not lie directly in ${showPath(to)}`);
      }
      const why = whyNot(target, homePath, bytePathFromText(journals));
      if (why !== undefined) throw unsafePlace(target, why);
    }
  }
  plainPlace(bytePathFromText(placement.stateDir));
  plainPlace(bytePathFromText(placement.configPath));
}

const isWithin = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);

/** By the name that the snapshot gives, and by that of the place where the links of this machine lead. */
function whyNot(target: BytePath, home: BytePath, journals: BytePath): string | undefined {
  const homes = [home, realPlace(home)];
  const ours = [journals, realPlace(journals)];
  const real = joinBytes(realPlace(dirNameBytes(target)), baseNameBytes(target));
  for (const place of [target, real]) {
    if (homes.some((one) => isWithin(place, one))) return 'your home lies in it';
    if (ours.some((one) => isWithin(place, one) || isWithin(one, place)))
      return 'stateferry itself lives there';
    if (isObeyed(place, homes)) return 'other programs run or obey what lies there';
  }
  return undefined;
}

/** Many file systems take names of other case for the same, and macOS has two names for its own disk. */
const plainName = (path: string): string =>
  path.toLowerCase().replace(/^\/(private|system\/volumes\/data)(?=\/)/, '');

function isObeyed(target: BytePath, homes: readonly BytePath[]): boolean {
  const place = plainName(target);
  const home = homes.map(plainName).find((one) => isWithin(one, place)) ?? HOMES.exec(place)?.[0];
  if (home === undefined) return SYSTEM_RUNS.test(place);
  const rest = place.slice(home.length + 1);
  if (rest === '') return true;
  return (
    HOME_FILES_RUN.test(rest) ||
    HOME_FOLDERS_RUN.some((one) => isWithin(one, rest) || isWithin(rest, one))
  );
}

/** What of it is there, with every link followed. */
function realPlace(path: BytePath): BytePath {
  const { there } = folderAbove(path);
  const rest = there === '/' ? path : path.slice(there.length);
  const real = bytePathFromText(realPath(Buffer.from(there, 'latin1').toString('utf8')));
  return asBytePath(`${real === '/' ? '' : real}${rest}`);
}

/** Of anybody on this machine: root may land things anywhere. */
const HOMES = /^\/(root|((usr|var)\/)?(home|users)\/[^/]+|var\/root)(?=\/|$)/;

/** Below a home; in small letters. */
const HOME_FOLDERS_RUN = [
  '.aws',
  '.cargo',
  '.config/autostart',
  '.config/environment.d',
  '.config/fish',
  '.config/git',
  '.config/nvim',
  '.config/stateferry',
  '.config/systemd',
  '.config/zsh',
  '.docker',
  '.emacs.d',
  '.gnupg',
  '.kube',
  '.local/bin',
  '.local/share/systemd',
  '.nvm',
  '.oh-my-zsh',
  '.ssh',
  '.vim',
  'library/launchagents',
  'bin',
] as const;
/** What shells, sessions and tools read at their start. */
const HOME_FILES_RUN = new RegExp(
  '^\\.(bash|zsh|z?profile|z?log(in|out)|[ckt]+shrc|xprofile|xsession|xinit|pam_|' +
    'gitconfig|npmrc|netrc|envrc|vimrc|inputrc|gdbinit|emacs|tmux\\.conf)[^/]*$',
);
const SYSTEM_RUNS = new RegExp(
  '^/(applications|bin|boot|dev|lib\\w*|opt/homebrew|proc|run|sbin|sys|usr|var/spool|' +
    'etc/(apt|bash|cron|env|group|init|ld\\.|pam|passwd|profile|rc|security|shadow|ssh|sudo|' +
    'systemd|udev|xdg|zsh)[^/]*)(/|$)',
);
