/**
 * Absolute paths as text, as a config or a session index holds them: also of another machine and another system, so
 * nothing here asks the disk. Windows paths are understood as strings.
 */

/** Is `path` the directory itself or below it? Never inside a longer name: /home/al does not hold /home/alice. */
export function isWithin(directory: string, path: string): boolean {
  return restBelow(directory, path) !== undefined;
}

/** What follows `directory` in `path`: '' for itself, else beginning with its separator; undefined outside. */
export function restBelow(directory: string, path: string): string | undefined {
  const base = stripTrailing(directory);
  const windows = isWindowsPath(base);
  const same = windows ? foldWindows(path).startsWith(foldWindows(base)) : path.startsWith(base);
  if (!same) return undefined;
  const rest = path.slice(base.length);
  if (rest === '' || base === '') return rest;
  return rest.startsWith('/') || (windows && rest.startsWith('\\')) ? rest : undefined;
}

export function isAbsolutePath(path: string): boolean {
  return path.startsWith('/') || isWindowsPath(path);
}

export const isWindowsPath = (path: string): boolean =>
  /^[A-Za-z]:[\\/]/.test(path) || path.startsWith('\\\\');

/** Expands a leading `~` the way the products do; other text is itself. */
export function expandTilde(path: string, home: string): string {
  if (path === '~') return home;
  return /^~[\\/]/.test(path) ? stripTrailing(home) + path.slice(1) : path;
}

/** Without `.` segments, double or trailing slashes, and with `..` resolved, as text. */
export function normalizePath(path: string): string {
  const drive = /^[A-Za-z]:(?=[\\/])/.exec(path)?.[0];
  if (drive === undefined && !path.startsWith('/')) return stripTrailing(path);
  const out: string[] = [];
  const rest = drive === undefined ? path : path.slice(drive.length).replaceAll('\\', '/');
  for (const segment of rest.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') out.pop();
    else out.push(segment);
  }
  return drive === undefined ? `/${out.join('/')}` : [drive, ...out].join('\\');
}

export function stripTrailing(path: string): string {
  let end = path.length;
  while (end > 0 && (path[end - 1] === '/' || path[end - 1] === '\\')) end -= 1;
  return path.slice(0, end);
}

const foldWindows = (path: string): string => path.toLowerCase().replaceAll('\\', '/');
