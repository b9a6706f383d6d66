/** A folder in the cache that is either complete or not there. */
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Environment } from './environment.ts';
import { makePrivateFolder } from './places.ts';

/** Installs beside the final place and renames. */
export async function installOnce(
  folder: string,
  manifest: unknown,
  environment: Environment,
  install: (folder: string) => Promise<void>,
): Promise<void> {
  if (existsSync(folder)) return;
  makePrivateFolder(dirname(folder), environment);
  const draft = mkdtempSync(`${folder}.tmp-`);
  try {
    writeFileSync(join(draft, 'package.json'), JSON.stringify(manifest));
    await install(draft);
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
