/** The folder of `pull --into`: what of it is occupied, and whether an earlier pull was interrupted in it. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../base/errors.ts';
import type { Environment } from './environment.ts';
import { fileFailure } from './file-failure.ts';
import { makePrivateFolder } from './places.ts';

/** Names the snapshot while it is being restored: the same pull completes it and asks nothing. */
const MARKER = '.stateferry-unfinished';

/** Folders of these names that hold something, unless the same pull was interrupted here. */
export function occupiedIn(
  directory: string,
  names: readonly string[],
  snapshot: string,
): readonly string[] {
  if (markerIn(directory) === snapshot) return [];
  return names.map((name) => join(directory, name)).filter((path) => !isEmpty(path));
}

/** @returns what to call when everything is in its place */
export function beginInto(
  directory: string,
  snapshot: string,
  environment: Environment,
): () => void {
  makePrivateFolder(directory, environment, 'Name a folder that can be made: --into DIR');
  const marker = join(directory, MARKER);
  try {
    writeFileSync(marker, `${snapshot}\n`, { mode: 0o600 });
  } catch (error) {
    throw fileFailure(`cannot write into ${directory}`, error, 'Name another one: --into DIR');
  }
  return () => rmSync(marker, { force: true });
}

function markerIn(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, MARKER), 'utf8').trim();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** What cannot be looked into is not empty; a file is not, either. */
function isEmpty(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return systemCode(error) === 'ENOENT';
  }
}
