/** Which role's rights a verb needs in the bucket; infra/README.md tells the same to people. */
import { FerryError } from '../../base/errors.ts';
import type { Role } from './rights.ts';

export const VERB_ROLES: Readonly<Record<string, Role>> = {
  push: 'writer',
  import: 'writer',
  status: 'writer',
  copy: 'writer',
  pull: 'reader',
  snapshots: 'reader',
  ls: 'reader',
  find: 'reader',
  diff: 'reader',
  cat: 'reader',
  export: 'reader',
  check: 'reader',
  drill: 'reader',
  handoff: 'handoff',
  init: 'maintainer',
  join: 'maintainer',
  probe: 'maintainer',
  keys: 'maintainer',
  machines: 'maintainer',
  forget: 'maintainer',
  repair: 'maintainer',
  mirror: 'maintainer',
  prune: 'maintainer',
};

/** Which of their two repositories refused is in the message; the role of the one is not that of the other. */
const BETWEEN_TWO: readonly string[] = ['copy', 'mirror'];

/** A refusal for want of a right says whose rights the verb needs. Any other error is left as it is. */
export function namingTheRole(error: unknown, verb: string): unknown {
  const role = BETWEEN_TWO.includes(verb) ? undefined : VERB_ROLES[verb];
  if (!(error instanceof FerryError) || error.code !== 'store-denied' || !role) return error;
  const answer = String(error.details['answer'] ?? '');
  if (!/^403 (AccessDenied|Forbidden|Unknown)/.test(answer)) return error;
  const { message, details } = error;
  const hint = `${verb} needs the rights of the role "${role}": stateferry policy ${role}`;
  return new FerryError('store-denied', message, { hint, details, cause: error });
}
