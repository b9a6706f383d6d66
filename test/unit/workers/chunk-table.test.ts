import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { ChunkTable } from '../../../src/workers/chunk-table.ts';
import { noise } from '../../support/tree.ts';

const idOf = (number: number): Buffer => noise(number, 32);

test('it answers like a map from id to packs, whatever the order of calls', () => {
  const call = fc.record({
    what: fc.constantFrom('add', 'claim', 'use'),
    id: fc.integer({ min: 0, max: 30 }),
    pack: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 120 }), (calls) => {
      const table = ChunkTable.create(10);
      const packs = new Map<number, number[]>();
      for (const { what, id, pack } of calls) {
        const known = packs.get(id) ?? [];
        if (what === 'add') {
          table.add(idOf(id), pack);
          packs.set(id, [...known, pack]);
        } else if (what === 'claim') {
          const slot = table.claim(idOf(id));
          assert.equal(slot < 0, known.length === 0);
          if (slot < 0) {
            table.setPack(~slot, pack);
            packs.set(id, [pack]);
          }
        } else {
          assert.equal(table.find(idOf(id)) >= 0, known.length > 0);
        }
      }
      for (const [id, expected] of packs) {
        const found: number[] = [];
        for (let slot = table.find(idOf(id)); slot >= 0; slot = table.findNext(slot, idOf(id))) {
          found.push(table.packOf(slot));
        }
        assert.deepEqual(found.toSorted(), expected.toSorted());
      }
    }),
    { numRuns: 30 },
  );
});

test('only packs of used chunks are listed', () => {
  const table = ChunkTable.create(10);
  for (let number = 0; number < 10; number++) table.add(idOf(number), number);
  table.markUsed(table.find(idOf(3)));
  table.claim(idOf(7));
  const fresh = table.claim(idOf(99));
  assert.ok(fresh < 0);
  assert.throws(() => table.usedPacks(), /no pack/);
  table.setPack(~fresh, 12);
  assert.deepEqual(
    [...table.usedPacks()].toSorted((a, b) => a - b),
    [3, 7, 12],
  );
});

test('of several threads that claim the same chunks exactly one gets each', async () => {
  const chunks = 3000;
  const ids = noise(1, chunks * 32);
  const table = ChunkTable.create(16);
  const workers = Array.from(
    { length: 4 },
    () =>
      new Worker(new URL('./claim-worker.ts', import.meta.url), {
        execArgv: [],
        workerData: { shared: table.shared, ids },
      }),
  );
  const answers = await Promise.all(
    workers.map(async (worker) => {
      const [won] = (await once(worker, 'message')) as [number[]];
      return won;
    }),
  );
  const won = answers.flat().toSorted((a, b) => a - b);
  assert.deepEqual(
    won,
    Array.from({ length: chunks }, (_, index) => index),
  );
  assert.deepEqual([...table.usedPacks()], [5]);
});
