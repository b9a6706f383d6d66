/** Commands on a PATH. */
import { accessSync, constants } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import { lstatIfAny, statIfAny } from '../disk/read.ts';

/** A command on the PATH that is a link to nothing: what an update or a removed Node leaves. */
export function brokenLinkOnPath(command: string, path: string): string | undefined {
  return path
    .split(':')
    .map((folder) => `${folder}/${command}`)
    .find((at) => lstatIfAny(at)?.isSymbolicLink() === true && statIfAny(at) === undefined);
}

/** The first executable of that name on a PATH. */
export function commandOnPath(command: string, path: string): string | undefined {
  return path
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => `${folder}/${command}`)
    .find((candidate) => statIfAny(candidate)?.isFile() === true && isExecutable(candidate));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
