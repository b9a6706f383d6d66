/** Every pinned picture was compared, module by module, with one that another encoder drew with the same mask. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { qrCode } from '../../../src/codec/qr-code.ts';
import { correctionOf } from '../../../src/codec/reed-solomon.ts';

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const textOf = (length: number): Buffer =>
  Buffer.from(
    Array.from({ length }, (_, at) => LETTERS[(at * at * 7 + at * 13 + length) % 62]).join(''),
  );

/** Length of the text, size of the picture, digest of its rows. */
const PINNED = [
  [1, 21, 'ba40868d32ba180068960cb38915c5e4'],
  [17, 21, '8685c7c6ce6e706157b1d1987f794b73'],
  [100, 37, 'ff20b8be3ce1670296d5ecbfc014bae6'],
  [200, 53, 'd13c676235a27e48191c639fcbaad2df'],
  [321, 61, 'f1114038400271942993712aff6965c0'],
  [800, 97, '091b329de1d537fcadb7328d1ad534eb'],
  [2953, 177, 'a2b402a1daa93ea6f0c198c2dd501e95'],
] as const;

describe('a QR code', () => {
  for (const [length, size, digest] of PINNED) {
    test(`of ${length} characters is ${size} modules wide`, () => {
      const rows = qrCode(textOf(length))?.map((row) =>
        row.map((dark) => (dark ? '1' : '0')).join(''),
      );
      assert.equal(rows?.length, size);
      const found = createHash('sha256').update(rows.join('\n')).digest('hex').slice(0, 32);
      assert.equal(found, digest);
    });
  }

  test('holds 2 953 characters, and not one more', () => {
    assert.equal(qrCode(textOf(2954)), undefined);
  });

  test('for a ticket fits a terminal of 80 columns', () => {
    assert.ok((qrCode(textOf(320))?.length ?? 80) + 8 <= 80);
  });
});

test('error correction: what it makes of the standard’s example', () => {
  // ISO/IEC 18004, annex I: "01234567" in version 1-M.
  const data = Uint8Array.of(16, 32, 12, 86, 97, 128, 236, 17, 236, 17, 236, 17, 236, 17, 236, 17);
  const expected = [165, 36, 212, 193, 237, 54, 199, 135, 44, 85];
  assert.deepEqual([...correctionOf(data, 10)], expected);
});
