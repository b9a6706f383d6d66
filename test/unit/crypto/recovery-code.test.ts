import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { view } from '../../../src/base/bytes.ts';
import { FerryError } from '../../../src/base/errors.ts';
import {
  formatRecoveryCode,
  looksLikeRecoveryCode,
  parseRecoveryCode,
} from '../../../src/crypto/recovery-code.ts';
import { cryptoReady, systemRandom } from '../../../src/crypto/sodium.ts';

before(cryptoReady);

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const SECRET = Buffer.from(Array.from({ length: 20 }, (_, at) => at * 11));

const isRefused = (text: string): void => {
  assert.throws(
    () => parseRecoveryCode(text),
    (error) => error instanceof FerryError && error.code === 'nothing-opens',
    text,
  );
};

test('a code is SF1 and nine groups of four', () => {
  for (const secret of [SECRET, Buffer.alloc(20), Buffer.alloc(20, 0xff), systemRandom(20)]) {
    const code = formatRecoveryCode(secret);
    assert.match(code, /^SF1(-[0-9A-HJKMNP-TV-Z]{4}){9}$/);
    assert.deepEqual(view(parseRecoveryCode(code)), view(secret));
    assert.ok(looksLikeRecoveryCode(code));
  }
});

test('case, dashes, blanks and look-alikes do not matter, nor does the page around it', () => {
  const code = formatRecoveryCode(Buffer.alloc(20, 0x08));
  assert.match(code, /[01]/, 'there is something to look alike');
  const written = [
    code.toLowerCase(),
    code.replaceAll('-', ''),
    code.replaceAll('-', ' '),
    ` ${code}\n`,
    code.replace(/^SF1-/, ''),
    code.slice(4).replaceAll('0', 'O').replaceAll('1', 'I'),
    code.slice(4).replaceAll('0', 'o').replaceAll('1', 'l'),
    `Recovery kit\n\n    ${code.replaceAll('-', '  ')}\n\nKeep it in a safe place.\n`,
  ];
  for (const text of written) {
    assert.deepEqual(view(parseRecoveryCode(text)), Buffer.alloc(20, 0x08), text);
  }
});

test('every single mistyped character is noticed', () => {
  const code = formatRecoveryCode(SECRET);
  let tried = 0;
  for (let at = 4; at < code.length; at++) {
    if (code[at] === '-') continue;
    for (const letter of ALPHABET) {
      if (letter === code[at]) continue;
      isRefused(code.slice(0, at) + letter + code.slice(at + 1));
      tried += 1;
    }
  }
  assert.equal(tried, 36 * 31);
});

test('two neighbours swapped are noticed', () => {
  const letters = formatRecoveryCode(SECRET).slice(4).replaceAll('-', '');
  let tried = 0;
  for (let at = 0; at + 1 < letters.length; at++) {
    const [a = '', b = ''] = [letters[at], letters[at + 1]];
    if (a === b) continue;
    isRefused(letters.slice(0, at) + b + a + letters.slice(at + 2));
    tried += 1;
  }
  assert.ok(tried > 20);
});

test('a code of another length, with a U or without meaning is refused', () => {
  const code = formatRecoveryCode(SECRET);
  for (const text of [
    '',
    'SF1',
    code.slice(0, -1),
    `U${code.slice(5)}`,
    'a passphrase',
    'é'.repeat(36),
  ]) {
    isRefused(text);
  }
  assert.ok(!looksLikeRecoveryCode('SF1 was a good film'));
  assert.ok(!looksLikeRecoveryCode('four sealed words afloat'));
});
