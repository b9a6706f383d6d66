import { lstatSync } from 'node:fs';
import { toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';

/**
 * Whether what lies there (a link itself) belongs to the user that we run as. Root at work in somebody's home must
 * not obey what that somebody wrote.
 */
export const isOwn = (path: BytePath): boolean =>
  lstatSync(toFsPath(path)).uid === (process.geteuid?.() ?? 0);
