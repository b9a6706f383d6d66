/** Each rule taken away, until a world shows what it is for. What is never found, the simulation is too weak for. */
import './light/modules.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';

const { cryptoReady } = await import('../../src/crypto/sodium.ts');
const { BROKEN_LOSSES } = await import('./broken-losses.ts');
const { BROKEN_RULES, CLIMATES, FIRST_SEEDS } = await import('./broken-rules.ts');
const { tell } = await import('./story.ts');
await cryptoReady();

const DAYS = 300;
const SEEDS_MAX = 60;

const WRITE_ORDER = Object.entries(BROKEN_RULES).map(([rule, breakRule]) => {
  const one = { breakRule, climate: CLIMATES[rule] ?? {}, firstSeed: FIRST_SEEDS[rule] ?? 1 };
  return [rule, one] as const;
});

for (const [rule, { breakRule, climate, firstSeed: first = 1 }] of [
  ...WRITE_ORDER,
  ...Object.entries(BROKEN_LOSSES),
]) {
  test(`${rule}: found`, async () => {
    for (let seed = first; seed < first + SEEDS_MAX; seed++) {
      const { wrong } = await tell(String(seed), {
        days: DAYS,
        breakRule,
        climate: { repacks: false, ...climate },
      });
      if (wrong !== undefined) return;
    }
    assert.fail(`${SEEDS_MAX} worlds went well without it`);
  });
}
