/** The folder for private copies of one command. What a killed one left in it is removed by the next. */
import { rmSync } from 'node:fs';
import type { Environment } from './environment.ts';
import { fileFailure } from './file-failure.ts';
import { ELSEWHERE, makePrivateFolder, type Places } from './places.ts';

/** Only for the process that holds the lock: no other one is using it then. */
export function emptyScratch(places: Places, environment: Environment): string {
  try {
    rmSync(places.scratchFolder, { recursive: true, force: true });
  } catch (error) {
    throw fileFailure(`cannot clear ${places.scratchFolder}`, error, ELSEWHERE);
  }
  makePrivateFolder(places.scratchFolder, environment);
  return places.scratchFolder;
}
