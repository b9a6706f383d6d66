/** Where a secret comes from, and that it never comes back out in words. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import type { GlobalOptions } from '../../../src/cli/global-options.ts';
import {
  givenSecret,
  openAsked,
  newPassphrase,
  type SecretDeps,
} from '../../../src/cli/secrets.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import type { Secret } from '../../../src/repository/key-slots.ts';
import { formatRecoveryCode } from '../../../src/crypto/recovery-code.ts';
import { cryptoReady } from '../../../src/crypto/sodium.ts';
import type { Environment, OwnVariables } from '../../../src/settings/environment.ts';

const PASSPHRASE = 'planted passphrase 7391';
let folder = '';
let code = '';

before(async () => {
  await cryptoReady();
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  code = formatRecoveryCode(new Uint8Array(20).fill(7));
  writeFileSync(join(folder, 'pass'), `${PASSPHRASE}\n`);
  writeFileSync(join(folder, 'kit'), `stateferry recovery kit\n\n  Recovery code   ${code}\n`);
  writeFileSync(join(folder, 'two'), `${PASSPHRASE}\nand more\n`);
  writeFileSync(join(folder, 'empty'), '\n');
  writeFileSync(
    join(folder, 'reader'),
    `# drill\nstateferry-reader-1 ${Buffer.alloc(32, 5).toString('base64')}\n`,
  );
});
after(() => rmSync(folder, { recursive: true }));

/** What was typed at last, where nothing but `right` opens. */
async function asked(typed: readonly string[], right?: string): Promise<Secret> {
  const open = (secret: Secret): Promise<Secret> =>
    right === undefined || (secret.with === 'passphrase' && secret.passphrase === right)
      ? Promise.resolve(secret)
      : Promise.reject(new FerryError('nothing-opens', 'wrong passphrase'));
  return openAsked(deps({}, {}, typed), '/r', open, () => undefined);
}

function deps(
  options: Partial<GlobalOptions>,
  own: Partial<OwnVariables> = {},
  typed: readonly string[] = [],
): SecretDeps {
  const answers = [...typed];
  const terminal: Terminal = {
    readAll: () => Promise.reject(new Error('nothing is piped in')),
    isThere: typed.length > 0,
    ask: () => Promise.resolve(''),
    askHidden: () => Promise.resolve(answers.shift() ?? ''),
  };
  const none = {
    home: undefined,
    repository: undefined,
    passphrase: undefined,
    passphraseFile: undefined,
    recoveryCode: undefined,
    readerKeyFile: undefined,
  };
  const environment: Environment = {
    variables: { PATH: '/usr/bin:/bin' },
    home: folder,
    owner: { uid: 0, gid: 0 },
    isHomeHere: true,
    actsForOther: false,
    workingFolder: folder,
    own: { ...none, ...own },
  };
  return {
    options: { color: false, ...options },
    environment,
    terminal,
    signal: new AbortController().signal,
  };
}

describe('sources', () => {
  test('a file, without the line end that editors add', async () => {
    assert.deepEqual(await givenSecret(deps({ passphraseFile: 'pass' })), {
      with: 'passphrase',
      passphrase: PASSPHRASE,
    });
  });

  test('the environment: the value, or a file', async () => {
    const expected = { with: 'passphrase', passphrase: PASSPHRASE };
    assert.deepEqual(await givenSecret(deps({}, { passphrase: PASSPHRASE })), expected);
    const file = join(folder, 'pass');
    assert.deepEqual(await givenSecret(deps({}, { passphraseFile: file })), expected);
  });

  test('a command', async () => {
    const secret = await givenSecret(deps({ passphraseCommand: `cat ${folder}/pass` }));
    assert.deepEqual(secret, { with: 'passphrase', passphrase: PASSPHRASE });
  });

  test('the recovery code, alone or in its page, from a file or the environment', async () => {
    for (const one of [deps({ recoveryFile: 'kit' }), deps({}, { recoveryCode: code })]) {
      const secret = await givenSecret(one);
      assert.equal(secret?.with, 'recovery code');
    }
  });

  test('a reader key', async () => {
    const secret = await givenSecret(deps({ readerKey: 'reader' }));
    assert.ok(secret?.with === 'reader key');
    assert.equal(secret.key.length, 32);
  });

  test('an option wins over the environment, whatever it gives', async () => {
    const secret = await givenSecret(deps({ recoveryFile: 'kit' }, { passphrase: 'other' }));
    assert.equal(secret?.with, 'recovery code');
  });

  test('the prompt knows a recovery code by its form', async () => {
    assert.equal((await asked([code])).with, 'recovery code');
    assert.equal((await asked(['SF1 is my dog'])).with, 'passphrase');
  });

  test('what was mistyped is asked for again, three times in all', async () => {
    const right = 'right';
    assert.equal((await asked(['wrong', '', right], right)).with, 'passphrase');
    await rejects(() => asked(['a', 'b', 'SF1-TYPO', right], right), 'nothing-opens');
    await rejects(() => asked([]), 'secret-needed');
  });

  test('a new passphrase is asked for twice, and again when the two differ', async () => {
    assert.equal(await chosen(deps({}, {}, ['a', 'a'])), 'a');
    assert.equal(await chosen(deps({}, {}, ['a', 'b', 'c', 'c'])), 'c');
    await rejects(() => chosen(deps({}, {}, ['a', 'b', 'c', 'd', 'e', 'f'])), 'secret-needed');
  });

  test('who is asked again for a new passphrase is told why', async () => {
    const asked: string[] = [];
    const of = deps({}, {}, ['a', 'b', '', 'c', 'c']);
    const askHidden: Terminal['askHidden'] = (question, signal) => {
      asked.push(question);
      return of.terminal.askHidden(question, signal);
    };
    assert.equal(await chosen({ ...of, terminal: { ...of.terminal, askHidden } }), 'c');
    assert.deepEqual(asked, [
      'Choose a passphrase: ',
      'The same again: ',
      'The two were not the same. Choose a passphrase: ',
      'It cannot be empty. Choose a passphrase: ',
      'The same again: ',
    ]);
  });

  test('nobody is asked for a new passphrase before it is wanted', async () => {
    const of = deps({}, {}, ['a', 'a']);
    await newPassphrase(of);
    assert.equal(await of.terminal.askHidden('', of.signal), 'a');
  });
});

describe('what cannot be', () => {
  const cases: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    ['no source and no terminal', () => asked([]), 'secret-needed'],
    [
      'two options',
      () => givenSecret(deps({ passphraseFile: 'pass', recoveryFile: 'kit' })),
      'usage',
    ],
    [
      'a file that is not there',
      () => givenSecret(deps({ passphraseFile: 'no' })),
      'secret-needed',
    ],
    ['an empty file', () => givenSecret(deps({ passphraseFile: 'empty' })), 'secret-needed'],
    ['two lines', () => givenSecret(deps({ passphraseFile: 'two' })), 'secret-needed'],
    ['a kit without a code', () => givenSecret(deps({ recoveryFile: 'pass' })), 'nothing-opens'],
    ['a reader key that is none', () => givenSecret(deps({ readerKey: 'pass' })), 'nothing-opens'],
    [
      'a command that fails',
      () => givenSecret(deps({ passphraseCommand: `cat ${folder}/pass; exit 4` })),
      'secret-needed',
    ],
    ['no new passphrase and no terminal', () => newPassphrase(deps({})), 'secret-needed'],
    ['a recovery code for init', () => newPassphrase(deps({ recoveryFile: 'kit' })), 'usage'],
  ];
  for (const [name, work, expected] of cases) {
    test(name, () => rejects(work, expected));
  }
});

const chosen = async (of: SecretDeps): Promise<string> => (await newPassphrase(of))();

async function rejects(work: () => Promise<unknown>, expected: string): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof FerryError, String(error));
    assert.equal(error.code, expected);
    const said = `${error.message} ${error.hint} ${JSON.stringify(error.details)}`;
    assert.ok(!said.includes('7391'), said);
    assert.ok(!said.includes(code.slice(4, 20)), said);
    return true;
  });
}
