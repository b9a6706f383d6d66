/** A part of the packs each time: every one is read in a fixed number of runs, on whatever days. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextToRead, type ReadQueue } from '../../../../src/maintenance/check/read-queue.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NONE: ReadQueue = { runs: 0, packs: [] };
const pack = (number: number): string => `pack ${String(number).padStart(4, '0')}`;

test('N runs of a Nth each read every pack, whatever the days and whatever comes and goes', () => {
  const change = fc.record({
    days: fc.nat(40),
    added: fc.nat(30),
    removed: fc.array(fc.nat(300), { maxLength: 10 }),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.constantFrom(1, 2.5, 5, 7, 20, 50, 100),
      fc.array(change, { minLength: 100, maxLength: 100 }),
      (packs, percent, changes) => {
        const runs = Math.ceil(100 / percent);
        let names = Array.from({ length: packs }, (_, number) => pack(number));
        let made = packs;
        let queue = NONE;
        let nowMs = 0;
        const since = new Map(names.map((name) => [name, 0]));
        for (const [run, { days, added, removed }] of changes.entries()) {
          nowMs += days * DAY_MS;
          const { chosen, next } = nextToRead(names, queue, percent, nowMs);
          queue = next;
          for (const name of chosen) since.set(name, run + 1);
          for (const name of names) {
            assert.ok(
              run + 1 - (since.get(name) ?? 0) < runs,
              `${name} waits since ${since.get(name)}`,
            );
          }
          const gone = new Set(removed.map(pack));
          names = names.filter((name) => !gone.has(name));
          for (let more = 0; more < added; more++) {
            names.push(pack(made++));
            since.set(pack(made - 1), run + 1);
          }
        }
      },
    ),
    { numRuns: 40, endOnFailure: true },
  );
});

test('whoever remembers nothing reads another part every day', () => {
  const names = Array.from({ length: 40 }, (_, number) => pack(number));
  const read = new Set<string>();
  for (let day = 0; day < 20; day++) {
    const { chosen } = nextToRead(names, NONE, 5, day * DAY_MS);
    assert.equal(chosen.length, 2);
    for (const name of chosen) read.add(name);
  }
  assert.equal(read.size, 40);
});

test('of few packs one is read each time', () => {
  const names = [pack(1), pack(2), pack(3)];
  let queue = NONE;
  const read: string[] = [];
  for (let run = 0; run < 3; run++) {
    const { chosen, next } = nextToRead(names, queue, 5, 0);
    queue = next;
    read.push(...chosen);
  }
  assert.deepEqual(read.toSorted(), names);
});
