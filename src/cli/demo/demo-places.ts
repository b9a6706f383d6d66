/** Where everything of a demo lies. */
import { join } from 'node:path';
import { makePrivateFolder } from '../../settings/places.ts';
import { makeDemoFolder } from '../../settings/demo-folder.ts';
import type { Session } from '../session.ts';

export type DemoUser = {
  readonly name: string;
  readonly home: string;
  /** STATEFERRY_HOME of this user. */
  readonly settings: string;
};

export type DemoPlaces = {
  readonly folder: string;
  readonly old: DemoUser;
  readonly new: DemoUser;
  readonly repository: string;
  readonly passphraseFile: string;
  readonly kit: string;
  /** For a stand-in of the product's command. */
  readonly binDir: string;
};

export function demoPlaces(session: Session, typed: string | undefined): DemoPlaces {
  const folder = makeDemoFolder(typed, session.environment);
  const user = (name: string, machine: string): DemoUser => {
    const home = join(folder, machine, 'home', name);
    makePrivateFolder(home, session.environment);
    return { name, home, settings: join(folder, machine, 'stateferry') };
  };
  return {
    folder,
    old: user('alice', 'old-machine'),
    new: user('bob', 'new-machine'),
    repository: join(folder, 'repository'),
    passphraseFile: join(folder, 'passphrase.txt'),
    kit: join(folder, 'recovery-kit.txt'),
    binDir: join(folder, 'bin'),
  };
}
