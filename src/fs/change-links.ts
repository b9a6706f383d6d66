import { chmodSync, lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { asBytePath, dirNameBytes, joinBytes, toFsPath, type BytePath } from '../base/byte-path.ts';
import { walkTree } from './walk.ts';

/** Gives every link below a folder the target that `to` answers, where it is another one. */
export function changeLinks(
  folder: BytePath,
  to: (at: BytePath, target: BytePath) => BytePath,
): void {
  for (const item of walkTree(folder)) {
    if (item.kind !== 'entry' || item.type !== 'symlink') continue;
    const at = joinBytes(folder, item.path);
    const target = asBytePath(readlinkSync(toFsPath(at), 'latin1'));
    const wanted = to(at, target);
    if (wanted !== target) changeLink(at, wanted);
  }
}

function changeLink(at: BytePath, target: BytePath): void {
  const folder = toFsPath(dirNameBytes(at));
  const mode = lstatSync(folder).mode & 0o7777;
  // A folder that forbids its own owner to write was restored so.
  chmodSync(folder, mode | 0o200);
  unlinkSync(toFsPath(at));
  symlinkSync(toFsPath(target), toFsPath(at));
  chmodSync(folder, mode);
}
