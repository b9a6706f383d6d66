import assert from 'node:assert/strict';

/** What happened in many worlds together. */
export class Sums {
  readonly #sums = new Map<string, number>();

  add(happened: Readonly<Record<string, number>>): void {
    for (const [what, count] of Object.entries(happened)) {
      this.#sums.set(what, (this.#sums.get(what) ?? 0) + count);
    }
  }

  assertAtLeast(what: string, least: number): void {
    const count = this.#sums.get(what) ?? 0;
    assert.ok(count > least, `${what}: ${count}`);
  }

  lines(): string[] {
    const sorted = [...this.#sums].toSorted();
    return sorted.map(([what, count]) => `${String(count).padStart(12)}  ${what}`);
  }
}

export const commandAgain = (seed: string, days: number): string =>
  `node test/simulation/simulate.ts --days ${days} ${seed}`;
