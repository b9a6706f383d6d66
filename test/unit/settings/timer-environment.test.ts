/** What a timer is given of a shell, and by which names it calls Node and the tool. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import type { Environment } from '../../../src/settings/environment.ts';
import { goneOf, installedTool } from '../../../src/settings/installed-tool.ts';
import { timerEnvironment } from '../../../src/settings/timer-environment.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tool-')));
after(() => rmSync(folder, { recursive: true, force: true }));

const environment = (variables: Record<string, string>, actsForOther = false): Environment => ({
  variables,
  home: '/home/alice',
  isHomeHere: true,
  owner: { uid: 1000, gid: 1000 },
  actsForOther,
  workingFolder: '/',
  own: {
    home: undefined,
    repository: undefined,
    passphrase: undefined,
    passphraseFile: undefined,
    recoveryCode: undefined,
    readerKeyFile: undefined,
  },
});

describe('variables', () => {
  test('places go along; keys, passphrases and addresses with a password do not, and are named', () => {
    const { carried, leftBehind } = timerEnvironment(
      environment({
        PATH: '/usr/bin',
        EDITOR: 'vi',
        AWS_PROFILE: 'ferry',
        AWS_ENDPOINT_URL: 'https://bob:pw@s3.example',
        AWS_REGION: '',
        AWS_SECRET_ACCESS_KEY: 'planted',
        STATEFERRY_PASSPHRASE: 'planted',
        HTTPS_PROXY: 'http://proxy:3128',
      }),
    );
    assert.deepEqual(carried, { PATH: '/usr/bin', AWS_PROFILE: 'ferry' });
    assert.deepEqual(leftBehind, [
      'AWS_ENDPOINT_URL',
      'AWS_SECRET_ACCESS_KEY',
      'HTTPS_PROXY',
      'STATEFERRY_PASSPHRASE',
    ]);
  });

  test('root gives nothing of its own to somebody else’s timer', () => {
    const variables = { PATH: '/usr/bin', AWS_PROFILE: 'root', XDG_CONFIG_HOME: '/root/c' };
    assert.deepEqual(timerEnvironment(environment(variables, true)).carried, { PATH: '/usr/bin' });
  });
});

describe('the words that start the tool', () => {
  const path = (name: string): string => join(folder, name);
  const file = (name: string): string => {
    mkdirSync(join(path(name), '..'), { recursive: true });
    writeFileSync(path(name), '');
    return path(name);
  };
  const link = (name: string, to: string): string => {
    mkdirSync(join(path(name), '..'), { recursive: true });
    symlinkSync(to, path(name));
    return path(name);
  };
  const node = file('Cellar/node/24.11.0/bin/node');
  const tool = file('lib/node_modules/stateferry/dist/bin.cjs');

  test('Node has the name on the PATH that leads to it: an update keeps that', () => {
    const lasting = link('bin/node', node);
    assert.deepEqual(installedTool(node, tool, `/nowhere:${path('bin')}`), [lasting, tool]);
    assert.deepEqual(installedTool(node, tool, '/nowhere'), [node, tool]);
  });

  test('a name that was made for one shell is none', () => {
    link('run/fnm_multishells/12_34/bin/node', node);
    const script = link('run/fnm_multishells/12_34/bin/stateferry', tool);
    const words = installedTool(node, script, path('run/fnm_multishells/12_34/bin'));
    assert.deepEqual(words, [node, tool]);
  });

  for (const cache of ['.npm/_npx/0a1b/node_modules', '.cache/pnpm/dlx-77/node_modules']) {
    test(`what lies in ${cache} is refused, with what to do`, () => {
      const bin = file(`${cache}/stateferry/dist/bin.cjs`);
      const script = link(`${cache}/.bin/stateferry`, bin);
      const elsewhere = link(`shim-${cache.length}/stateferry`, bin);
      for (const one of [script, elsewhere]) {
        assert.throws(
          () => installedTool(node, one, ''),
          (error: unknown) =>
            error instanceof FerryError && /npm install -g stateferry/.test(error.hint ?? ''),
        );
      }
    });
  }

  test('what is gone is known', () => {
    assert.deepEqual(goneOf([node, path('not-there'), 'schedule']), [path('not-there')]);
  });
});
