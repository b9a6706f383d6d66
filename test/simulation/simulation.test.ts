/**
 * Many small worlds, and whole ones. Thousands: STATEFERRY_SIM_SEEDS=5000 npm test -- simulation/;
 * one: node test/simulation/simulate.ts SEED, which is what a failure says.
 */
import './light-crypto.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';

const { cryptoReady } = await import('../../src/crypto/sodium.ts');
const { tell } = await import('./story.ts');
await cryptoReady();

const wanted = process.env['STATEFERRY_SIM_SEEDS'];
const WORLDS =
  wanted === undefined ? [{ seeds: 10, days: 100 }] : [{ seeds: Number(wanted), days: 730 }];

for (const { seeds, days } of WORLDS) {
  test(`in ${seeds} worlds of ${days} days no kept snapshot is ever hurt`, async () => {
    const sums = { pushes: 0, kills: 0, swept: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const told = await tell(String(seed), { days });
      assert.equal(
        told.wrong,
        undefined,
        `node test/simulation/simulate.ts --days ${days} ${seed}`,
      );
      sums.pushes += told.pushes;
      sums.kills += told.kills;
      sums.swept += told.swept;
    }
    // Worlds in which nothing happens prove nothing.
    assert.ok(sums.pushes > seeds * days * 0.5, `${sums.pushes} pushes`);
    assert.ok(sums.kills > seeds, `${sums.kills} kills`);
    assert.ok(sums.swept > seeds * days * 0.1, `${sums.swept} objects swept`);
  });
}

test('one seed tells one story', async () => {
  const first = await tell('same', { days: 60 });
  const again = await tell('same', { days: 60 });
  assert.deepEqual(again, first);
});
