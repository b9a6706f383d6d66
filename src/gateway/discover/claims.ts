/**
 * One folder that several brands could run: products read the variables and folders of their ancestors, and leave a
 * link of the old name to the folder that they renamed. It is one install all the same.
 */
import type { Disk } from '../disk/disk.ts';
import { commandOnPath } from '../product/on-path.ts';
import type { StateDir } from './state-dirs.ts';

/** Each state dir once, for the brand whose name its folder has; else for one whose command is here. */
export function withoutDoubles(
  found: readonly StateDir[],
  { disk, path }: { readonly disk: Disk; readonly path: string },
): StateDir[] {
  const strength = ({ brand, stateDir }: StateDir): number => {
    const folder = disk.real(stateDir).split('/').at(-1) ?? '';
    const { stateDirName, command } = brand;
    const isOwn = folder === stateDirName || folder.startsWith(`${stateDirName}-`);
    return (isOwn ? 2 : 0) + (commandOnPath(command, path) === undefined ? 0 : 1);
  };
  const chosen = new Map<string, StateDir>();
  for (const one of found) {
    const key = disk.real(one.stateDir);
    const other = chosen.get(key);
    if (other === undefined || strength(one) > strength(other)) chosen.set(key, one);
  }
  return found.filter((one) => chosen.get(disk.real(one.stateDir))?.brand === one.brand);
}
