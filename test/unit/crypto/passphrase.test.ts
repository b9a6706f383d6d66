import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { ARGON2_COST, ARGON2_LIMITS, passphraseKey } from '../../../src/crypto/passphrase.ts';

const SALT = Buffer.alloc(16, 3);
const LOWEST = { memoryKiB: 65_536, passes: 2, lanes: 1 };

test('costs out of bounds are refused before anything is allocated', async () => {
  const before = process.memoryUsage().rss;
  const costs = [
    { memoryKiB: ARGON2_LIMITS.memoryKiBMin - 1 },
    { memoryKiB: ARGON2_LIMITS.memoryKiBMax + 1 },
    { memoryKiB: 2 ** 32 - 1 },
    { memoryKiB: 0 },
    { memoryKiB: -1 },
    { memoryKiB: Number.NaN },
    { memoryKiB: Number.POSITIVE_INFINITY },
    { passes: ARGON2_LIMITS.passesMin - 1 },
    { passes: ARGON2_LIMITS.passesMax + 1 },
    { passes: 2 ** 32 - 1 },
    { lanes: ARGON2_LIMITS.lanesMin - 1 },
    { lanes: ARGON2_LIMITS.lanesMax + 1 },
  ];
  for (const change of costs) {
    await assert.rejects(
      async () => passphraseKey('x', SALT, { ...LOWEST, ...change }),
      (error) => error instanceof FerryError && error.code === 'object-damaged',
      JSON.stringify(change),
    );
  }
  assert.ok(process.memoryUsage().rss - before < 32 * 1024 * 1024);
});

test('what a new slot gets is within the bounds', () => {
  assert.ok(ARGON2_COST.memoryKiB >= ARGON2_LIMITS.memoryKiBMin);
  assert.ok(ARGON2_COST.passes >= ARGON2_LIMITS.passesMin);
  assert.ok(ARGON2_COST.lanes >= ARGON2_LIMITS.lanesMin);
});

test('an accent typed in two ways is one passphrase; salt, costs and letters make others', async () => {
  const keys = await Promise.all([
    passphraseKey('caf\u00e9', SALT, LOWEST),
    passphraseKey('cafe\u0301', SALT, LOWEST),
    passphraseKey('cafe', SALT, LOWEST),
    passphraseKey('caf\u00e9', Buffer.alloc(16, 4), LOWEST),
    passphraseKey('caf\u00e9', SALT, { ...LOWEST, passes: 3 }),
    passphraseKey('caf\u00e9', SALT, { ...LOWEST, lanes: 2 }),
  ]);
  const texts = keys.map((key) => Buffer.from(key).toString('hex'));
  assert.equal(texts[0], texts[1]);
  assert.equal(new Set(texts).size, 5);
});
