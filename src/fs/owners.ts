/** Names of users and groups, from /etc/passwd and /etc/group; '' where the machine knows none. */
import { readFileSync } from 'node:fs';
import { systemCode } from '../base/errors.ts';

export type Owners = {
  user(uid: number): string;
  group(gid: number): string;
  /** The id of a name on this machine, or undefined. */
  uidOf(user: string): number | undefined;
  gidOf(group: string): number | undefined;
};

export function readOwners(passwdFile = '/etc/passwd', groupFile = '/etc/group'): Owners {
  const users = readNames(passwdFile);
  const groups = readNames(groupFile);
  return {
    user: (uid) => users.byId.get(uid) ?? '',
    group: (gid) => groups.byId.get(gid) ?? '',
    uidOf: (user) => users.byName.get(user),
    gidOf: (group) => groups.byName.get(group),
  };
}

type Names = { readonly byId: Map<number, string>; readonly byName: Map<string, number> };

/** Lines of `name:password:id:…`; the first line for an id or a name counts. */
function readNames(file: string): Names {
  const names: Names = { byId: new Map(), byName: new Map() };
  for (const line of readLines(file)) {
    const [name, , idText] = line.split(':');
    const id = Number(idText);
    if (!name || idText === undefined || !Number.isInteger(id) || name.length > 255) continue;
    if (!names.byId.has(id)) names.byId.set(id, name);
    if (!names.byName.has(name)) names.byName.set(name, id);
  }
  return names;
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').split('\n');
  } catch (error) {
    // A machine without the file knows its users in another way; ids still travel.
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
