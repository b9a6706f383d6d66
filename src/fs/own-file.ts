import { lstatSync } from 'node:fs';
import { asBytePath, toFsPath, type BytePath } from '../base/byte-path.ts';

/**
 * Whether what lies there (a link itself) belongs to the user that we run as. Root at work in somebody's home must
 * not obey what that somebody wrote.
 */
export const isOwn = (path: BytePath): boolean =>
  lstatSync(toFsPath(path)).uid === (process.geteuid?.() ?? 0);

/** Does what a file tells us to do with no more rights than whoever wrote it has. */
export function asOwnerOf<T>(path: BytePath, work: () => T): T {
  const { uid, gid } = lstatSync(toFsPath(path));
  return isOwn(path) ? work() : asUser({ uid, gid }, work);
}

/** Only root can act for others; nothing that waits may be done meanwhile. */
export function asUser<T>(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  work: () => T,
): T {
  const { seteuid, setegid, getgroups, setgroups } = process;
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot || !seteuid || !setegid || !getgroups || !setgroups) return work();
  const groups = getgroups();
  try {
    setgroups([gid]);
    setegid(gid);
    seteuid(uid);
    return work();
  } finally {
    seteuid(0);
    setegid(0);
    setgroups(groups);
  }
}

/**
 * The first owner but root of a folder on the way to a place: who could put something else there. Below it, what a name
 * leads to is for them to say.
 */
export function strangerAbove(path: BytePath): number | undefined {
  for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const folder = toFsPath(asBytePath(path.slice(0, slash)));
    const uid = lstatSync(folder, { throwIfNoEntry: false })?.uid ?? 0;
    if (uid !== 0) return uid;
  }
  return undefined;
}
