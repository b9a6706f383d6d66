/** policy: the rights of a role in the repository's bucket, for whoever makes its keys. */
import { FerryError } from '../../base/errors.ts';
import { parseId, type WriterId } from '../../format/names.ts';
import { printLocation } from '../../store/location.ts';
import { argument, textOption } from '../call.ts';
import { stateOf } from '../places/repositories.ts';
import { policyFor } from '../roles/policy.ts';
import { ROLES, type Role } from '../roles/rights.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export function runPolicy(call: Call, session: Session): Promise<Report> {
  const role = roleNamed(argument(call, 0));
  const location = meantLocation(session);
  if (location.kind === 'folder') {
    throw new FerryError('usage', 'policies are for buckets, and the repository is in a folder', {
      hint: 'In a folder the permissions of its files decide. Name an s3:// location with -r.',
    });
  }
  const writer =
    writerNamed(textOption(call, 'writer'), role) ?? stateOf(session, location)?.writer.id;
  if (writer === undefined && hasFolders(role)) {
    throw new FerryError('usage', 'this machine has not joined: whose folders are meant?', {
      hint: 'Give the id that init and join told on the machine that is meant: --writer ID',
    });
  }
  const principal = textOption(call, 'principal');
  const policy = policyFor({ role, ...location, writer: writer ?? '', principal });
  const repository = printLocation(location);
  return Promise.resolve({ summary: { verb: 'policy', repository, role, policy } });
}

const hasFolders = (role: Role): boolean => role === 'writer' || role === 'handoff';

function roleNamed(typed: string): Role {
  const role = ROLES.find((one) => one === typed);
  if (role) return role;
  throw new FerryError('usage', `there is no role "${typed}"`, {
    hint: `There are ${ROLES.join(', ')}; infra/README.md says what each is for.`,
  });
}

function writerNamed(typed: string | undefined, role: Role): WriterId | undefined {
  if (typed === undefined) return undefined;
  const id = parseId<WriterId>(typed);
  if (!hasFolders(role)) {
    throw new FerryError('usage', `--writer: the role ${role} is the same for every machine`, {
      hint: 'Leave it out.',
    });
  }
  if (id !== undefined) return id;
  throw new FerryError('usage', `--writer ${typed}: that is no id of a machine`, {
    hint: 'Give the 32 digits and letters that init and join told on the machine that is meant.',
  });
}
