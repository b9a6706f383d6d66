/** Whose home is meant when nobody says: the invoking user's, also behind sudo. */
import { readFileSync, realpathSync } from 'node:fs';
import { systemCode } from '../base/errors.ts';

/** Behind sudo, HOME is root's (or whatever sudo's policy made of it): the password file knows better. */
export function homeOfUser(
  variables: Readonly<Record<string, string>>,
  uid: number,
  uidOf: (user: string) => number | undefined,
  passwdFile = '/etc/passwd',
): string | undefined {
  const invoker = variables['SUDO_USER'];
  const isSudo = uid === 0 && invoker !== undefined && invoker !== '' && invoker !== 'root';
  if (isSudo) {
    const known = uidOf(invoker) === undefined ? undefined : homeIn(passwdFile, invoker);
    if (known !== undefined) return known;
    // macOS keeps its people elsewhere; their homes have one place.
    if (process.platform === 'darwin' && /^[\w.-]+$/.test(invoker)) return `/Users/${invoker}`;
  }
  const home = variables['HOME'];
  return home === undefined || home === '' ? undefined : home;
}

/** Is this folder the home of somebody on this machine, by any of its names? */
export function isHomeHere(folder: string, passwdFile = '/etc/passwd'): boolean {
  if (process.platform === 'darwin' && /^\/Users\/[^/]+$/.test(folder)) return true;
  const real = realPathOf(folder);
  return linesOf(passwdFile).some((line) => {
    const home = line.split(':')[5] ?? '';
    return home.length > 1 && realPathOf(home) === real;
  });
}

/** The sixth field of the user's line. */
function homeIn(passwdFile: string, user: string): string | undefined {
  const line = linesOf(passwdFile).find((one) => one.startsWith(`${user}:`));
  const home = line?.split(':')[5];
  return home === undefined || home === '' ? undefined : home;
}

const linesOf = (passwdFile: string): string[] =>
  answerOf(() => readFileSync(passwdFile, 'utf8').split('\n')) ?? [];

const realPathOf = (path: string): string => answerOf(() => realpathSync(path)) ?? path;

function answerOf<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
