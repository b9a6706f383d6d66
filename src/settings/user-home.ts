/** Whose home is meant when nobody says: the invoking user's, also behind sudo. */
import { readFileSync } from 'node:fs';
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

/** The sixth field of the user's line. */
function homeIn(passwdFile: string, user: string): string | undefined {
  try {
    const line = readFileSync(passwdFile, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${user}:`));
    const home = line?.split(':')[5];
    return home === undefined || home === '' ? undefined : home;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
