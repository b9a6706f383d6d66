/** Whose home is meant, what others may see of the environment, and where bucket credentials come from. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { areFromEnvironmentOnly } from '../../../src/settings/credentials.ts';
import {
  isColorWanted,
  readEnvironment,
  variablesForOthers,
  type Environment,
} from '../../../src/settings/environment.ts';
import { createPlainFile } from '../../../src/settings/plain-file.ts';
import { createSecretFile, readSecretFile } from '../../../src/settings/secret-files.ts';
import { homeOfUser } from '../../../src/settings/user-home.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'environment-'));
});
after(() => rmSync(folder, { recursive: true }));

describe('the home that is meant', () => {
  const passwd = (): string => {
    const path = join(folder, 'passwd');
    writeFileSync(path, 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000:A,,:/home/alice:/bin/sh\n');
    return path;
  };
  const uidOf = (user: string): number | undefined => (user === 'alice' ? 1000 : undefined);

  test('is HOME', () => {
    assert.equal(homeOfUser({ HOME: '/h' }, 1000, uidOf, passwd()), '/h');
  });

  test('behind sudo is the invoking user’s', () => {
    const sudo = { HOME: '/root', SUDO_USER: 'alice' };
    assert.equal(homeOfUser(sudo, 0, uidOf, passwd()), '/home/alice');
  });

  test('is not changed by a SUDO_USER of nobody, of root, or without being root', () => {
    const isLinux = process.platform !== 'darwin';
    if (isLinux) assert.equal(homeOfUser({ HOME: '/r', SUDO_USER: 'x' }, 0, uidOf, passwd()), '/r');
    assert.equal(homeOfUser({ HOME: '/r', SUDO_USER: 'root' }, 0, uidOf, passwd()), '/r');
    assert.equal(homeOfUser({ HOME: '/h', SUDO_USER: 'alice' }, 1000, uidOf, passwd()), '/h');
  });

  test('must be there', () => {
    assert.throws(() => readEnvironment(join(folder, 'nowhere')), FerryError);
    assert.equal(readEnvironment(folder).home, folder);
    assert.equal(readEnvironment('.').home, process.cwd());
  });
});

test('commands of others do not see our secrets', () => {
  const environment = withVariables({
    STATEFERRY_PASSPHRASE: 'p',
    STATEFERRY_RECOVERY_CODE: 'c',
    PATH: '/bin',
  });
  assert.deepEqual(variablesForOthers(environment), { PATH: '/bin' });
});

describe('credentials that a timer will not have', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };

  test('are those of the shell alone', () => {
    assert.equal(areFromEnvironmentOnly(withVariables(keys), undefined), true);
  });

  test('a profile, a shared default, or no keys in the shell are others', () => {
    assert.equal(areFromEnvironmentOnly(withVariables(keys), 'ferry'), false);
    assert.equal(
      areFromEnvironmentOnly(withVariables({ ...keys, AWS_PROFILE: 'p' }), undefined),
      false,
    );
    assert.equal(areFromEnvironmentOnly(withVariables({}), undefined), false);
    mkdirSync(join(folder, '.aws'));
    writeFileSync(join(folder, '.aws/credentials'), '[other]\na=b\n [default]\n');
    assert.equal(areFromEnvironmentOnly(withVariables(keys), undefined), false);
  });
});

describe('files of secrets', () => {
  test('the kit is made 0600, never over another file, and removed when it stayed empty', () => {
    const environment = withVariables({});
    const path = join(folder, 'kit');
    const file = createSecretFile('kit', '--kit', environment);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.throws(
      () => createSecretFile('kit', '--kit', environment),
      /--kit: kit is already there/,
    );
    file.discard();
    assert.throws(() => statSync(path));
    const second = createSecretFile('kit', '--kit', environment);
    second.write('text');
    second.discard();
    assert.equal(readFileSync(path, 'utf8'), 'text');
  });

  test('an archive that was not finished is removed', async () => {
    const environment = withVariables({});
    const path = join(folder, 'a.tar');
    const file = createPlainFile('a.tar', environment);
    await new Promise<void>((resolve) => file.output.end('part', resolve));
    file.discard();
    assert.throws(() => statSync(path));
    const second = createPlainFile('a.tar', environment);
    await new Promise<void>((resolve) => second.output.end('whole', resolve));
    assert.throws(() => statSync(path));
    assert.throws(
      () => createPlainFile('a.tar', environment),
      /a\.tar\.unfinished is already there/,
    );
    second.keep();
    second.discard();
    assert.equal(readFileSync(path, 'utf8'), 'whole');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.throws(() => statSync(`${path}.unfinished`));
    assert.throws(() => createPlainFile('a.tar', environment), /a\.tar is already there/);
  });

  test('an archive takes the place of nothing that came in the meantime', async () => {
    const environment = withVariables({});
    const file = createPlainFile('b.tar', environment);
    await new Promise<void>((resolve) => file.output.end('whole', resolve));
    writeFileSync(join(folder, 'b.tar'), 'of somebody else');
    assert.throws(() => file.keep(), { code: 'usage' });
    file.discard();
    assert.equal(readFileSync(join(folder, 'b.tar'), 'utf8'), 'of somebody else');
    assert.throws(() => statSync(join(folder, 'b.tar.unfinished')));
  });

  test('a folder is no secret', () => {
    assert.throws(() => readSecretFile('.', '--passphrase-file', withVariables({})), FerryError);
  });
});

function withVariables(variables: Record<string, string>): Environment {
  return { ...readEnvironment(folder), variables, workingFolder: folder };
}

test('colours: not with NO_COLOR, and not on a terminal that has none', (context) => {
  const before = { NO_COLOR: process.env['NO_COLOR'], TERM: process.env['TERM'] };
  context.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });
  process.env['NO_COLOR'] = '';
  process.env['TERM'] = 'xterm';
  assert.equal(isColorWanted(), true);
  process.env['TERM'] = 'dumb';
  assert.equal(isColorWanted(), false);
  process.env['TERM'] = 'xterm';
  process.env['NO_COLOR'] = '1';
  assert.equal(isColorWanted(), false);
});
