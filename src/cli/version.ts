/** Our own version, from the package that this file lies in. */
import { createRequire } from 'node:module';

export function toolVersion(): string {
  const read: unknown = createRequire(import.meta.url)('../../package.json');
  const isPackage = typeof read === 'object' && read !== null && 'version' in read;
  return isPackage ? String(read.version) : 'unknown';
}

/** What to type to run this very program: the installed command, or the checkout that it was started from. */
export const toolCommand = (): string =>
  import.meta.filename.endsWith('.ts') ? 'npm run --silent stateferry --' : 'stateferry';
