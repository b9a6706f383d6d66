/** Where the credentials of a bucket come from, as far as a timer will find them there too. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../base/errors.ts';
import type { Environment } from './environment.ts';

/**
 * Whether only variables of this shell hold credentials: no profile is named, and the shared file has no default.
 * An instance role or SSO sets no such variable, so it does not count.
 */
export function areFromEnvironmentOnly(
  environment: Environment,
  profile: string | undefined,
): boolean {
  const { variables, home } = environment;
  if (!variables['AWS_ACCESS_KEY_ID']) return false;
  if (profile !== undefined || variables['AWS_PROFILE']) return false;
  const shared = variables['AWS_SHARED_CREDENTIALS_FILE'] ?? join(home, '.aws', 'credentials');
  return !/^\s*\[\s*default\s*\]/m.test(textIfAny(shared));
}

function textIfAny(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}
