/** Compiled code is kept between runs: it saves a tenth of a second at every start. */
import { statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../base/errors.ts';

/**
 * In a cache of this user's own: in the shared temporary folder others could put theirs in its place. Not where root
 * works with somebody else's home.
 */
export function keepCompiledCode(): void {
  const home = ownHome();
  if (home !== undefined) enableCompileCache(join(home, '.cache/stateferry/compiled'));
}

function ownHome(): string | undefined {
  try {
    const home = homedir();
    return statSync(home).uid === process.getuid?.() ? home : undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
