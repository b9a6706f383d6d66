import { lstatSync } from 'node:fs';
import { toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';

/**
 * Whether what lies there (a link itself) belongs to the user that we run as. Root at work in somebody's home must
 * not obey what that somebody wrote.
 */
export const isOwn = (path: BytePath): boolean =>
  lstatSync(toFsPath(path)).uid === (process.geteuid?.() ?? 0);

/**
 * Does what a file tells us to do with no more rights than whoever wrote it has. Only root can act for others; nothing
 * that waits may be done meanwhile.
 */
export function asOwnerOf<T>(path: BytePath, work: () => T): T {
  const { uid, gid } = lstatSync(toFsPath(path));
  const { seteuid, setegid, getgroups, setgroups } = process;
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot || isOwn(path) || !seteuid || !setegid || !getgroups || !setgroups) return work();
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
