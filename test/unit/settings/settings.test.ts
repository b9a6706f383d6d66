/** The settings file: durable, private, and refused when it is not understood. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { FerryError, type ErrorCode } from '../../../src/base/errors.ts';
import type { Environment } from '../../../src/settings/environment.ts';
import { lockSettings } from '../../../src/settings/lock.ts';
import { placesOf, type Places } from '../../../src/settings/places.ts';
import { Settings } from '../../../src/settings/settings.ts';

let home = '';
let environment: Environment;
let places: Places;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'settings-'));
  environment = environmentIn(home, {});
  places = placesOf(environment);
});
afterEach(() => rmSync(home, { recursive: true }));

function environmentIn(folder: string, variables: Record<string, string>): Environment {
  return {
    variables,
    home: folder,
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    isHomeHere: true,
    actsForOther: false,
    workingFolder: folder,
    own: {
      home: variables['STATEFERRY_HOME'],
      repository: undefined,
      passphrase: undefined,
      passphraseFile: undefined,
      recoveryCode: undefined,
      readerKeyFile: undefined,
    },
  };
}

function refuses(work: () => unknown, code: ErrorCode): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof FerryError, String(error));
    assert.equal(error.code, code);
    assert.ok(!`${error.message}${error.hint}`.includes('PLANTED'));
    return true;
  });
}

describe('where they are', () => {
  test('below the config and cache folders of the home', () => {
    assert.equal(places.settingsFile, join(home, '.config/stateferry/settings.json'));
    assert.equal(places.cacheFolder, join(home, '.cache/stateferry'));
  });

  test('XDG variables move each, STATEFERRY_HOME both', () => {
    const xdg = { XDG_CONFIG_HOME: '/c', XDG_CACHE_HOME: '/k' };
    const moved = placesOf(environmentIn(home, xdg));
    assert.equal(moved.settingsFolder, '/c/stateferry');
    assert.equal(moved.cacheFolder, '/k/stateferry');
    const own = placesOf(environmentIn(home, { ...xdg, STATEFERRY_HOME: '/f' }));
    assert.equal(own.settingsFolder, '/f');
    assert.equal(own.cacheFolder, '/f/cache');
  });

  test('a relative XDG value counts as none, a relative STATEFERRY_HOME is refused', () => {
    const relative = placesOf(environmentIn(home, { XDG_CONFIG_HOME: 'c' }));
    assert.equal(relative.settingsFolder, join(home, '.config/stateferry'));
    refuses(() => placesOf(environmentIn(home, { STATEFERRY_HOME: 'f' })), 'usage');
  });
});

describe('the file', () => {
  test('is not there: empty; a change makes it, 0600 in a folder of 0700', () => {
    const settings = Settings.load(environment, places);
    assert.deepEqual(settings.data.repositories, []);
    settings.updateRepository('/r', (one) => ({ ...one, lockDays: 30 }));
    settings.update((data) => ({ ...data, defaultRepository: '/r' }));
    assert.equal(statSync(places.settingsFile).mode & 0o777, 0o600);
    assert.equal(statSync(places.settingsFolder).mode & 0o777, 0o700);
    const again = Settings.load(environment, places);
    assert.deepEqual(again.data.repositories, [{ location: '/r', lockDays: 30 }]);
    assert.equal(again.data.defaultRepository, '/r');
    assert.deepEqual(readdirSync(places.settingsFolder), ['settings.json']);
  });

  test('a change starts from what the file says now, not from what was read once', () => {
    const first = Settings.load(environment, places);
    const second = Settings.load(environment, places);
    first.updateRepository('/a', (one) => one);
    second.updateRepository('/b', (one) => one);
    const locations = Settings.load(environment, places).data.repositories.map(
      (one) => one.location,
    );
    assert.deepEqual(locations, ['/a', '/b']);
  });

  test('a copy that others may read is made private again', () => {
    Settings.load(environment, places).update((data) => data);
    chmodSync(places.settingsFile, 0o644);
    Settings.load(environment, places);
    assert.equal(statSync(places.settingsFile).mode & 0o777, 0o600);
  });

  const BAD: readonly (readonly [string, string, ErrorCode])[] = [
    ['of a newer version', '{"format":2,"repositories":"PLANTED"}', 'format-too-new'],
    ['no JSON', '{"format":1,"PLANTED', 'file-unreadable'],
    ['another shape', '{"format":1,"repositories":"PLANTED"}', 'file-unreadable'],
    ['nothing', '', 'file-unreadable'],
  ];
  for (const [name, text, code] of BAD) {
    test(`${name}: refused, and left alone`, () => {
      mkdirSync(places.settingsFolder, { recursive: true });
      writeFileSync(places.settingsFile, text);
      refuses(() => Settings.load(environment, places), code);
      assert.equal(readFileSync(places.settingsFile, 'utf8'), text);
    });
  }
});

describe('the lock', () => {
  const path = (): string => join(home, 'lock');

  test('is one process’s until it is released', () => {
    const lock = lockSettings(path());
    refuses(() => lockSettings(path()), 'settings-locked');
    lock.release();
    lockSettings(path()).release();
    assert.deepEqual(readdirSync(home), []);
  });

  test('of a process that is gone is taken over', () => {
    writeFileSync(path(), JSON.stringify({ pid: 2 ** 22 + 1, started: 'long ago' }));
    lockSettings(path()).release();
    assert.deepEqual(readdirSync(home), []);
  });

  test('of a number that another process has now is taken over', { skip: noProc() }, () => {
    writeFileSync(path(), JSON.stringify({ pid: process.pid, started: 'another boot/1' }));
    lockSettings(path()).release();
  });

  test('that was torn by a crash is taken over', () => {
    writeFileSync(path(), '{"pid":');
    lockSettings(path()).release();
  });

  test('is not released by somebody who does not hold it', () => {
    const lock = lockSettings(path());
    writeFileSync(path(), JSON.stringify({ pid: 1, started: '' }));
    lock.release();
    assert.deepEqual(readdirSync(home), ['lock']);
  });

  test('two settings of one machine cannot both hold it', () => {
    const first = Settings.load(environment, places);
    const second = Settings.load(environment, places);
    first.lock();
    refuses(() => second.lock(), 'settings-locked');
    refuses(() => second.update((data) => data), 'settings-locked');
    first.unlock();
    second.lock();
    second.unlock();
  });
});

function noProc(): string | false {
  return process.platform === 'linux' ? false : 'only Linux tells when a process began';
}
