/** Each rule taken away, until a world shows what it is for. What is never found, the simulation is too weak for. */
import './light/modules.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';

const { cryptoReady } = await import('../../src/crypto/sodium.ts');
const { BROKEN_RULES, CLIMATES, FIRST_SEEDS } = await import('./broken-rules.ts');
const { tell } = await import('./story.ts');
await cryptoReady();

const DAYS = 300;
const SEEDS_MAX = 60;

for (const [rule, breakRule] of Object.entries(BROKEN_RULES)) {
  test(`${rule}: found`, async () => {
    const climate = CLIMATES[rule] ?? {};
    const first = FIRST_SEEDS[rule] ?? 1;
    for (let seed = first; seed < first + SEEDS_MAX; seed++) {
      const { wrong } = await tell(String(seed), { days: DAYS, breakRule, climate });
      if (wrong !== undefined) return;
    }
    assert.fail(`${SEEDS_MAX} worlds went well without it`);
  });
}
