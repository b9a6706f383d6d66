/** A fork that nobody has heard of is a few lines of a file, and a mistake in them is told with its place. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { BRANDS, findBrand } from '../../../src/gateway/install/brands.ts';
import { knownBrands } from '../../../src/settings/brands-file.ts';

let brandsFile = '';
beforeEach(() => {
  brandsFile = join(mkdtempSync(join(tmpdir(), 'brands-')), 'brands.json');
});
afterEach(() => rmSync(join(brandsFile, '..'), { recursive: true }));

const known = () => knownBrands({ brandsFile });

test('without the file the family is known', () => {
  assert.deepEqual(known(), BRANDS);
});

test('a few lines make a fork known', () => {
  writeFileSync(brandsFile, '[{"name": "acmeclaw", "defaultPort": 24680, "envPrefix": "ACME"}]');
  const brand = findBrand(known(), 'acmeclaw');
  assert.deepEqual(
    [brand?.command, brand?.stateDirName, brand?.envPrefix, brand?.defaultPort],
    ['acmeclaw', '.acmeclaw', 'ACME', 24_680],
  );
  assert.equal(known().length, BRANDS.length + 1);
});

for (const [what, text, expected] of [
  ['no JSON', '[{', /it is not JSON/],
  ['a field that does not exist', '[{"name": "a", "port": 1}]', /0: .*port/],
  ['no name', '[{"defaultPort": 1}]', /0\.name: /],
  ['no list', '{"name": "a"}', /list|array/i],
] as const) {
  test(`${what} is refused`, () => {
    writeFileSync(brandsFile, text);
    assert.throws(known, { code: 'file-unreadable', message: expected });
  });
}
