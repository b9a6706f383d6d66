/**
 * The environment, read once and as plain data: the only door to it. Everything else takes what it needs from here.
 */
import { statSync, type Stats } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { FerryError, systemCode } from '../base/errors.ts';
import { readOwners } from '../fs/owners.ts';
import { callersOwn } from './callers-own.ts';
import { fileFailure } from './file-failure.ts';
import { homeOfUser, isHomeHere } from './user-home.ts';

export type Owner = { readonly uid: number; readonly gid: number };

export type Environment = {
  /** All of it, for commands of others that we run and for variables of the gateways. */
  readonly variables: Readonly<Record<string, string>>;
  /** The home that is meant. */
  readonly home: string;
  /** Whether somebody of this machine lives there; if not, it may be on another machine's disk. */
  readonly isHomeHere: boolean;
  /** Whose home it is: what we write there belongs to them. */
  readonly owner: Owner;
  /** Root, at work in somebody's home. */
  readonly actsForOther: boolean;
  readonly workingFolder: string;
  /** Values of ours; undefined where unset or empty. */
  readonly own: OwnVariables;
};

export type OwnVariables = {
  readonly home: string | undefined;
  readonly repository: string | undefined;
  readonly passphrase: string | undefined;
  readonly passphraseFile: string | undefined;
  readonly recoveryCode: string | undefined;
  readonly readerKeyFile: string | undefined;
};

/** @param homeOption `--home`, when given */
export function readEnvironment(homeOption: string | undefined): Environment {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) variables[name] = value;
  }
  const uid = process.getuid?.() ?? 0;
  const own = homeOfUser(variables, uid, readOwners().uidOf) ?? systemHome();
  const home = homeOption === undefined ? own : resolve(homeOption);
  if (home === undefined) {
    throw new FerryError('usage', 'this user has no home: HOME is not set', {
      hint: 'Name the home that is meant: --home DIR',
    });
  }
  const owner = ownerOf(home);
  return {
    variables,
    home,
    isHomeHere: homeOption === undefined || home === own || isHomeHere(home),
    owner,
    actsForOther: uid === 0 && owner.uid !== 0,
    workingFolder: process.cwd(),
    own: {
      home: present(variables['STATEFERRY_HOME']),
      repository: present(variables['STATEFERRY_REPOSITORY']),
      passphrase: present(variables['STATEFERRY_PASSPHRASE']),
      passphraseFile: present(variables['STATEFERRY_PASSPHRASE_FILE']),
      recoveryCode: present(variables['STATEFERRY_RECOVERY_CODE']),
      readerKeyFile: present(variables['STATEFERRY_READER_KEY_FILE']),
    },
  };
}

/** Asked before anything else is read: errors have colours too. */
export function isColorWanted(): boolean {
  return present(process.env['NO_COLOR']) === undefined && process.env['TERM'] !== 'dumb';
}

/** What a command of somebody else may see: everything of the caller's own but our secrets. */
export function variablesForOthers(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(callersOwn(environment.variables)).filter(
      ([name]) => !/^STATEFERRY_(PASSPHRASE|RECOVERY_CODE)$/.test(name),
    ),
  );
}

/** Undefined for an id that the system has no user for, as some containers run with. */
function systemHome(): string | undefined {
  try {
    return homedir();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

const present = (value: string | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : value;

function ownerOf(home: string): Owner {
  if (home === '') {
    throw new FerryError('usage', 'no home folder is named: HOME or --home is empty', {
      hint: 'Name the home that is meant: --home DIR',
    });
  }
  const stats = lookAt(home);
  if (!stats?.isDirectory()) {
    throw new FerryError('usage', `there is no home folder ${home}`, {
      hint: 'Name the home that is meant: --home DIR',
    });
  }
  return { uid: stats.uid, gid: stats.gid };
}

function lookAt(home: string): Stats | undefined {
  try {
    return statSync(home, { throwIfNoEntry: false });
  } catch (error) {
    throw fileFailure(
      `cannot look at the home folder ${home}`,
      error,
      'Run as the user whose home it is, or with sudo.',
      'file-unreadable',
    );
  }
}
