/** The folder of a demo: new, private, and left for people to look at. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment } from './environment.ts';
import { fileFailure } from './file-failure.ts';

/** @throws usage when the folder that was named is there already */
export function makeDemoFolder(typed: string | undefined, environment: Environment): string {
  try {
    if (typed === undefined) return realpathSync(mkdtempSync(join(tmpdir(), 'stateferry-demo-')));
    const folder = resolve(environment.workingFolder, typed);
    mkdirSync(folder, { mode: 0o700 });
    chmodSync(folder, 0o700);
    return realpathSync(folder);
  } catch (error) {
    const name = typed ?? tmpdir();
    const hint = 'Name a new one: stateferry demo --folder DIR';
    throw fileFailure(`cannot make the folder ${name} for the demo`, error, hint, 'usage');
  }
}
